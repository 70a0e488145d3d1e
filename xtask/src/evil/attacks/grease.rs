//! The smallest frames of HTTP/3 that mean nothing.

use anyhow::ensure;

use crate::evil::bare::Bare;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Setting};

pub(super) fn run(setting: &Setting) -> anyhow::Result<Outcome> {
    let ours = setting.relay(&["--engine", &setting.engine])?;
    let mut ours = Bare::start(setting, ours, "ours")?;
    let theirs = setting.their_relay()?;
    let mut theirs = theirs
        .map(|theirs| Bare::start(setting, theirs, "theirs"))
        .transpose()?;
    let mut outcome = Outcome::default();
    let packets = setting.either(1_000, 3_400);
    for (kind, says, streams) in KINDS {
        let first = cost(&mut ours, kind, 0, packets)?;
        let theirs = theirs
            .as_mut()
            .map(|theirs| cost(theirs, kind, FILLED, packets));
        let alone = cost(&mut ours, kind, FILLED, packets)?;
        let (_, [dials]) = ours.dialled([OTHER], |ours| {
            fill(ours, kind, FILLED)?;
            send(ours, packets)
        })?;
        outcome.extend(rows(says, &first, &alone, streams));
        // A debug build takes several times as long as theirs, whatever is sent.
        if let Some(theirs) = theirs.transpose()?
            && setting.is_release
            && !theirs.is_closed
            && !alone.is_closed
        {
            let limit = theirs.each * 1.5;
            outcome.add(Row::told(format!("{says}: theirs"), "µs", theirs.each));
            let what = format!("{says}: a packet, beside theirs");
            outcome.add(Row::at_most(what, "µs", (alone.each, limit)));
        }
        let limit = if setting.is_release { DIAL } else { DIAL_DEBUG };
        outcome.extend(dials.rows(&format!("{says}: dials meanwhile"), limit));
    }
    Ok(outcome)
}

/// What packets have cost.
#[derive(Debug)]
struct Cost {
    /// Of each packet, in microseconds.
    each: f64,
    /// How many streams the relay had not refused at the end.
    streams: u64,
    is_closed: bool,
}

/// Fills streams, and then sends packets with a byte of each; says what these cost the relay.
fn cost(bare: &mut Bare, kind: &str, filled: usize, packets: u64) -> anyhow::Result<Cost> {
    fill(bare, kind, filled)?;
    let (sent, cost) = bare.cost(|bare| send(bare, packets))?;
    let &[sent, closed, streams] = &sent[..] else {
        anyhow::bail!("not a report: {sent:?}");
    };
    let is_closed = closed > 0;
    ensure!(
        is_closed || sent >= packets,
        "{packets} packets were put into {sent}"
    );
    Ok(Cost {
        each: cost.as_secs_f64() * 1e6 / sent.max(packets) as f64,
        streams,
        is_closed,
    })
}

fn fill(bare: &mut Bare, kind: &str, bytes: usize) -> anyhow::Result<()> {
    bare.evil.tell(&format!("raw grease {kind} {bytes}"))?;
    bare.evil.wait("filled", PATIENCE).map(|_| ())
}

fn send(bare: &mut Bare, packets: u64) -> anyhow::Result<Vec<u64>> {
    bare.evil.tell(&format!("raw bytes {packets}"))?;
    bare.evil.wait("sent", PATIENCE)
}

/// What a packet costs late on a stream, beside one at the stream's beginning.
fn rows(says: &str, first: &Cost, filled: &Cost, streams: u64) -> Vec<Row> {
    if filled.is_closed {
        let what = format!("{says}: it closes the connection");
        return vec![Row::holds(what, true)];
    }
    let what = format!("{says}: a packet after 62 kB");
    let limit = first.each * 1.5 + SPARE;
    vec![
        Row::holds(format!("{says}: all are read"), filled.streams == streams),
        Row::told(format!("{says}: a packet at first"), "µs", first.each),
        Row::at_most(what, "µs", (filled.each, limit)),
    ]
}

/// Which streams, how they are called in reports, and how many they are.
const KINDS: [(&str, &str, u64); 3] = [
    ("requests", "requests", 17),
    ("controls", "control streams", 32),
    ("connect", "a session's", 2),
];
/// Bytes of frames on each stream: a request may have 64 KiB before it begins.
const FILLED: usize = 62_000;
/// Another address than that of the attack.
const OTHER: &str = "127.9.0.1";
/// How long dials of others may take, in milliseconds; with a debug build about ten times as long.
const DIAL: f64 = 200.0;
const DIAL_DEBUG: f64 = 1_000.0;
/// What others on the machine add to a packet, in microseconds.
const SPARE: f64 = 20.0;
