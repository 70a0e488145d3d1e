//! `moq import`, `moq export` and `moq fetch` of moq-cli.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::super::cell::{End, Side};
use super::super::endpoint::Outcome;
use super::super::failure::Failure;
use super::super::stage::Stage;
use super::commands::moq;
use super::data::{PATH, send};
use crate::process::Process;

/// H.264 of two seconds, with a key frame every five frames: an elementary stream.
const CLIP: &[u8] = include_bytes!("../../../interop/clip.h264");

/// They import a clip, and all of it comes out in order, whoever exports it.
pub(super) fn clip(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let output = stage.dir.join("output");
    let mut export = match stage.cell.role.topology().subscriber {
        Side::Us => {
            let mut subscribe = moq(stage, "subscribe", End::Subscriber)?;
            subscribe.args([PATH, "--raw", "--track", "0.avc3", "--from", "oldest"]);
            subscribe
        }
        Side::Peer => {
            let mut export = theirs(stage, End::Subscriber)?;
            export.args(["export", "h264"]);
            export
        }
    };
    export.env("RUST_LOG", "info");
    let _export = stage.program("export", &export, Some(&output))?;
    let mut import = theirs(stage, End::Publisher)?;
    import.args(["import", "avc3"]);
    let mut import = Process::start(&mut import, &stage.dir.join("import.log"))?;
    let units = units(CLIP);
    let keys = units.iter().enumerate().filter(|(_, unit)| is_key(unit));
    let mut bounds: Vec<usize> = keys.map(|(index, _)| index).collect();
    bounds.push(units.len());
    // Group by group, because who joins between two of them may begin with the second.
    let mut expected = Vec::new();
    for bound in bounds.windows(2) {
        let group = &units[bound[0]..bound[1]];
        for unit in group {
            import.write_bytes(&[&[0, 0, 0, 1], *unit].concat())?;
        }
        expected.extend(group.iter().filter(|unit| is_slice(unit)));
        // A picture is complete when the next one follows, and is passed on when that is complete.
        wait_for(stage, &output, &expected[..expected.len() - 2])?;
    }
    Ok(())
}

/// Waits until the output holds these units, in order.
fn wait_for(stage: &Stage<'_>, output: &Path, expected: &[&&[u8]]) -> Outcome {
    let started = Instant::now();
    loop {
        let bytes = fs::read(output).unwrap_or_default();
        let missing = missing(&bytes, expected);
        if missing == 0 {
            return Ok(());
        }
        if Instant::now() > stage.deadline {
            let received = format!("{} bytes, without the last {missing} of them", bytes.len());
            let waited = started.elapsed().as_secs();
            let expected = format!("{} pictures within {waited} s", expected.len());
            return Err(Failure::new(expected, received));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many of these units do not follow, in order, in what came.
fn missing(bytes: &[u8], expected: &[&&[u8]]) -> usize {
    let mut rest = bytes;
    for (index, unit) in expected.iter().enumerate() {
        match rest.windows(unit.len()).position(|window| window == **unit) {
            Some(at) => rest = &rest[at + unit.len()..],
            None => return expected.len() - index,
        }
    }
    0
}

/// The units of an elementary stream whose start codes have four bytes or three.
fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    for (at, window) in stream.windows(3).enumerate() {
        if window == [0, 0, 1] {
            starts.push(at);
        }
    }
    starts.push(stream.len());
    let bounds = starts.windows(2).map(|pair| &stream[pair[0] + 3..pair[1]]);
    // The first byte of a longer start code stands at the end of the unit before it.
    bounds
        .map(|unit| unit.strip_suffix(&[0]).unwrap_or(unit))
        .collect()
}

/// Whether a unit begins a group: a sequence parameter set does.
fn is_key(unit: &[u8]) -> bool {
    unit.first().is_some_and(|first| first & 31 == 7)
}

/// Whether a unit is a picture.
fn is_slice(unit: &[u8]) -> bool {
    unit.first()
        .is_some_and(|first| matches!(first & 31, 1 | 5))
}

/// They fetch one of our groups.
pub(super) fn fetched(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let mut publisher = stage.connected(End::Publisher)?;
    super::announce::publish(&mut publisher, PATH)?;
    let frames = [stage.payload(1, 3_000)?, stage.payload(2, 70_000)?];
    send(&mut publisher, 0, &frames)?;
    let mut expected = Vec::new();
    for frame in &frames {
        expected.extend(fs::read(&frame.file)?);
    }
    let output = stage.dir.join("output");
    let mut fetch = theirs(stage, End::Subscriber)?;
    fetch.args(["fetch", "data", "--group", "0"]);
    let mut fetch = stage.program("fetch", &fetch, Some(&output))?;
    let code = stage.end_of(&mut fetch)?;
    let received = fs::read(&output)?;
    if code == 0 && received == expected {
        return Ok(());
    }
    let received = format!("{} bytes, exit code {code}", received.len());
    Err(Failure::new(
        format!("the {} bytes of the group", expected.len()),
        received,
    ))
}

/// Their program, with all it needs to connect.
fn theirs(stage: &Stage<'_>, end: End) -> Outcome<Command> {
    let address = stage.address(end)?;
    let mut command = stage.peer_command(end)?;
    command.args(["--connect", &address.url]);
    command.args(["--connect-tls-fingerprint", &address.fingerprint]);
    command.args(["--connect-version", &stage.cell.version]);
    command.args(["--broadcast", PATH]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clip_has_four_groups_of_five_pictures() {
        let units = units(CLIP);
        assert_eq!(units.iter().filter(|unit| is_key(unit)).count(), 4);
        assert_eq!(units.iter().filter(|unit| is_slice(unit)).count(), 20);
    }

    #[test]
    fn what_is_missing_or_out_of_order_is_seen() {
        let (a, b): (&[u8], &[u8]) = (&[1, 1], &[2, 2]);
        assert_eq!(missing(&[0, 1, 1, 9, 2, 2], &[&a, &b]), 0);
        assert_eq!(missing(&[2, 2, 1, 1], &[&a, &b]), 1);
        assert_eq!(missing(&[], &[&a, &b]), 2);
    }
}
