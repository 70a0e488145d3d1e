//! Our command at both ends, as people use it.

use std::fs;
use std::process::Command;
use std::time::Instant;

use super::super::cell::{End, Side, Transport};
use super::super::endpoint::Outcome;
use super::super::failure::Failure;
use super::super::sha256;
use super::super::stage::Stage;
use super::announce::publish;
use super::data::PATH;

pub(super) fn lines(stage: &mut Stage<'_>) -> Outcome {
    let text: String = (0..500).map(|number| format!("line {number}\n")).collect();
    pipe(stage, text.as_bytes(), "--lines", ["--group-frames", "500"])
}

pub(super) fn raw(stage: &mut Stage<'_>) -> Outcome {
    let payload = stage.payload(5, 5_000_000)?;
    let bytes = fs::read(payload.file)?;
    pipe(stage, &bytes, "--raw", ["--group-bytes", "6000000"])
}

/// Pipes a file through, and compares what comes out.
///
/// Before draft 05 nobody tells where a subscription begins, so a peer's relay in between may begin
/// with any of several groups; `one_group` has the publisher write a single one there.
fn pipe(stage: &mut Stage<'_>, input: &[u8], mode: &str, one_group: [&str; 2]) -> Outcome {
    stage.start_relays("**")?;
    let (from, to) = (stage.dir.join("input"), stage.dir.join("output"));
    fs::write(&from, input)?;
    let mut subscribe = moq(stage, "subscribe", End::Subscriber)?;
    subscribe.args([PATH, mode, "--strict", "--from", "oldest"]);
    let mut subscribe = stage.program("moq-subscribe", &subscribe, Some(&to))?;
    let started = Instant::now();
    let mut publish = moq(stage, "publish", End::Publisher)?;
    publish.args([PATH, mode, "--hold", "20s"]);
    let relays = stage.cell.role.topology().relays;
    if stage.cell.version.as_str() < "moq-lite-05" && relays.contains(&Side::Peer) {
        publish.args(one_group);
    }
    publish.arg(&from);
    let mut publish = stage.program("moq-publish", &publish, None)?;
    let ended = [stage.end_of(&mut subscribe)?, stage.end_of(&mut publish)?];
    stage.latency = Some(started.elapsed());
    let output = fs::read(&to)?;
    let told = |bytes: &[u8], codes: [i32; 2]| {
        let hash = sha256::hex(bytes);
        format!(
            "{} bytes with SHA-256 {hash}, exit codes {codes:?}",
            bytes.len()
        )
    };
    if output == input && ended == [0, 0] {
        return Ok(());
    }
    Err(Failure::new(told(input, [0, 0]), told(&output, ended)))
}

pub(super) fn ls(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let (mut publisher, mut subscriber) = stage.both()?;
    publish(&mut publisher, "room/alice")?;
    publish(&mut publisher, "room/bob")?;
    subscriber.tell("watch -")?;
    subscriber.wait("+ room/alice")?;
    subscriber.wait("+ room/bob")?;
    let ls = moq(stage, "ls", End::Subscriber)?;
    let ls = stage.program("moq-ls", &ls, None)?;
    let mut told = Vec::new();
    while let Some(line) = ls.line(stage.deadline) {
        told.push(line.text);
    }
    told.sort();
    if told == ["room/alice", "room/bob"] {
        return Ok(());
    }
    Err(Failure::new("room/alice, room/bob", told.join(", ")))
}

pub(super) fn ping(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let ping = moq(stage, "ping", End::Subscriber)?;
    let ping = stage.program("moq-ping", &ping, None)?;
    let mut told = Vec::new();
    while let Some(line) = ping.line(stage.deadline) {
        told.push(line.text);
    }
    let has = |name: &str, value: &str| {
        let mut lines = told.iter().map(|line| line.split_whitespace());
        lines.any(|mut words| words.next() == Some(name) && words.next() == Some(value))
    };
    let transport = match stage.cell.transport {
        Transport::Quic => "QUIC",
        Transport::WebTransport => "WebTransport",
    };
    let has_transport = told.iter().any(|line| line.contains(transport));
    if has("version", &stage.cell.version) && has_transport {
        return Ok(());
    }
    let expected = format!("{} over {transport}", stage.cell.version);
    Err(Failure::new(expected, told.join(" | ")))
}

/// One of our commands, with all it needs to connect.
pub(super) fn moq(stage: &Stage<'_>, command: &str, end: End) -> Outcome<Command> {
    let address = stage.address(end)?;
    let mut moq = Command::new(&stage.ours.moq);
    moq.args([
        command,
        &address.url,
        "--tls-fingerprint",
        &address.fingerprint,
    ]);
    moq.args(["--version", &stage.cell.version, "--timeout", "20s"]);
    Ok(moq)
}
