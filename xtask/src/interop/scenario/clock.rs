//! `moq-clock`: a group per minute, whose first frame is the time up to the minute; the frames after
//! it are the seconds, one each second.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use super::super::cell::{End, Side};
use super::super::endpoint::Outcome;
use super::super::failure::Failure;
use super::super::stage::Stage;

const PATH: &str = "time";

pub(super) fn clock(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let topology = stage.cell.role.topology();
    if topology.publisher == Side::Peer {
        let publish = command(stage, End::Publisher, "publish")?;
        let _publish = stage.program("their-clock", &publish, None)?;
        return match topology.subscriber {
            Side::Us => read(stage),
            Side::Peer => print(stage),
        };
    }
    let mut publisher = stage.connected(End::Publisher)?;
    publisher.tell(&format!("track {PATH} seconds 60000"))?;
    publisher.tell(&format!("announce {PATH}"))?;
    let subscribe = command(stage, End::Subscriber, "subscribe")?;
    let subscribe = stage.program("their-clock", &subscribe, None)?;
    publisher.wait("used seconds")?;
    publisher.tell(&format!("group {PATH} seconds"))?;
    let texts = ["2001-02-03 04:05:", "06", "07", "08"];
    for (index, text) in texts.iter().enumerate() {
        let file = stage.dir.join(format!("text-{index}"));
        fs::write(&file, text)?;
        publisher.tell(&format!(
            "frame {PATH} seconds {} {}",
            index * 1_000,
            file.display()
        ))?;
    }
    for second in &texts[1..] {
        let expected = format!("{}{second}", texts[0]);
        let mut told = Vec::new();
        loop {
            let Some(line) = subscribe.line(stage.deadline) else {
                return Err(Failure::new(expected, told.join(" | ")));
            };
            if line.text.contains(&expected) {
                break;
            }
            told.push(line.text);
        }
    }
    Ok(())
}

/// Our subscriber gets four frames of theirs, in the order of each minute.
fn read(stage: &mut Stage<'_>) -> Outcome {
    let mut subscriber = stage.connected(End::Subscriber)?;
    subscriber.tell("watch -")?;
    subscriber.wait(&format!("+ {PATH}"))?;
    subscriber.tell(&format!("subscribe 1 {PATH} seconds newest 60000 127"))?;
    // Where a minute begins meanwhile, the frames of two groups may come in turn.
    let mut next: HashMap<String, usize> = HashMap::new();
    for _ in 0..4 {
        let frame = subscriber.wait("frame 1")?;
        let (group, place) = (frame.word(2).to_owned(), frame.word(3).to_owned());
        let index = next.entry(group.clone()).or_default();
        if place != index.to_string() {
            return Err(Failure::new(
                format!("frame {index} of group {group}"),
                format!("frame {place} of it"),
            ));
        }
        *index += 1;
    }
    Ok(())
}

/// Their subscriber prints what their publisher says.
fn print(stage: &Stage<'_>) -> Outcome {
    let subscribe = command(stage, End::Subscriber, "subscribe")?;
    let subscribe = stage.program("their-viewer", &subscribe, None)?;
    let mut seconds: Vec<u32> = Vec::new();
    while seconds.len() < 3 {
        let Some(line) = subscribe.line(stage.deadline) else {
            let received = format!("{seconds:?}");
            return Err(Failure::new("three seconds, one after the other", received));
        };
        let second = line
            .text
            .rsplit(':')
            .next()
            .and_then(|text| text.trim().parse::<u32>().ok());
        seconds.extend(second);
    }
    let follows = |pair: &[u32]| (pair[0] + 1) % 60 == pair[1];
    if seconds.windows(2).all(follows) {
        return Ok(());
    }
    Err(Failure::new(
        "three seconds, one after the other",
        format!("{seconds:?}"),
    ))
}

fn command(stage: &Stage<'_>, end: End, verb: &str) -> Outcome<Command> {
    let address = stage.address(end)?;
    let mut command = stage.peer_command(end)?;
    let scheme = stage.cell.transport.scheme();
    // It knows no fingerprints, and raw QUIC by its older name.
    let url = address
        .url
        .replace(scheme, if scheme == "https" { "https" } else { "moql" });
    command.args([
        "--url",
        &url,
        "--broadcast",
        PATH,
        "--tls-disable-verify=true",
    ]);
    command.args(["--client-version", &stage.cell.version, verb]);
    command.env("MOQ_CLIENT_WEBSOCKET_ENABLED", "false");
    Ok(command)
}
