//! Frames and groups, checked by hash and sequence.

use std::time::{Duration, Instant};

use super::super::endpoint::{Endpoint, Outcome};
use super::super::failure::Failure;
use super::super::stage::{Payload, Stage};
use super::announce::publish;

/// The broadcast of these scenarios; its track is `data`.
pub(super) const PATH: &str = "live/cam";

pub(super) fn one_frame(stage: &mut Stage<'_>) -> Outcome {
    let groups = [vec![stage.payload(1, 1_000)?]];
    deliver(stage, &groups)
}

pub(super) fn group_of_many(stage: &mut Stage<'_>) -> Outcome {
    let frames = (0..100).map(|seed| stage.payload(seed, 100 + seed as usize * 7));
    let groups = [frames.collect::<Outcome<Vec<_>>>()?];
    deliver(stage, &groups)
}

pub(super) fn three_groups(stage: &mut Stage<'_>) -> Outcome {
    let mut groups = Vec::new();
    for group in 0..3 {
        let frames = (0..4).map(|frame| stage.payload(group * 10 + frame, 2_000));
        groups.push(frames.collect::<Outcome<Vec<_>>>()?);
    }
    deliver(stage, &groups)
}

pub(super) fn empty_group(stage: &mut Stage<'_>) -> Outcome {
    let groups = [
        vec![stage.payload(1, 100)?],
        vec![],
        vec![stage.payload(2, 100)?],
    ];
    deliver(stage, &groups)
}

pub(super) fn empty_frame(stage: &mut Stage<'_>) -> Outcome {
    let groups = [vec![
        stage.payload(1, 100)?,
        stage.payload(2, 0)?,
        stage.payload(3, 100)?,
        stage.payload(4, 0)?,
    ]];
    deliver(stage, &groups)
}

pub(super) fn large_frame(stage: &mut Stage<'_>) -> Outcome {
    let groups = [
        vec![stage.payload(1, 5_000_000)?],
        vec![stage.payload(2, 10)?],
    ];
    deliver(stage, &groups)
}

/// Three groups of one frame each, which are worth no stream.
pub(super) fn datagram(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 60000 127"))?;
    publisher.wait("used data")?;
    for sequence in 0..3 {
        let payload = stage.payload(sequence, 300)?;
        let written = Instant::now();
        let millis = millis(sequence as usize, 0);
        let file = payload.file.display();
        publisher.tell(&format!("datagram {PATH} data {millis} {file}"))?;
        let datagram = subscriber.wait(&format!("datagram 1 {sequence}"))?;
        let told = [3, 4, 5].map(|place| datagram.word(place));
        check(&payload, Some(millis), told)?;
        let latency = datagram.at.saturating_duration_since(written);
        stage.latency = stage.latency.max(Some(latency));
    }
    subscriber.none("frame 1", Duration::ZERO)
}

/// Sends groups to a subscriber that is there, and ends the track.
fn deliver(stage: &mut Stage<'_>, groups: &[Vec<Payload>]) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    subscriber.tell(&format!("subscribe 1 {PATH} data oldest 60000 127"))?;
    publisher.wait("used data")?;
    // Before draft 05 nobody tells where a subscription begins, so a relay may begin with the
    // newest of several groups.
    let at_once = match stage.cell.version.as_str() < "moq-lite-05" {
        true => 1,
        false => groups.len(),
    };
    let numbered: Vec<(usize, &Vec<Payload>)> = groups.iter().enumerate().collect();
    for groups in numbered.chunks(at_once) {
        let mut sent = Vec::new();
        for (sequence, frames) in groups {
            sent.push(send(&mut publisher, *sequence, frames)?);
        }
        for ((sequence, frames), written) in groups.iter().zip(sent) {
            for (index, payload) in frames.iter().enumerate() {
                let latency = receive(stage, &mut subscriber, *sequence, index, payload, written)?;
                stage.latency = stage.latency.max(Some(latency));
            }
            if !frames.is_empty() {
                subscriber.wait(&format!("end-group 1 {sequence}"))?;
            }
        }
    }
    publisher.tell(&format!("finish {PATH} data"))?;
    subscriber.wait("end 1")?;
    subscriber.none("frame 1", Duration::ZERO)
}

/// Both ends, with a broadcast that the subscriber has seen.
pub(super) fn watching(stage: &mut Stage<'_>) -> Outcome<(Endpoint, Endpoint)> {
    stage.start_relays("**")?;
    let (mut publisher, mut subscriber) = stage.both()?;
    publish(&mut publisher, PATH)?;
    subscriber.tell("watch -")?;
    subscriber.wait(&format!("+ {PATH}"))?;
    Ok((publisher, subscriber))
}

/// Writes a whole group; says when.
pub(super) fn send(
    publisher: &mut Endpoint,
    sequence: usize,
    frames: &[Payload],
) -> Outcome<Instant> {
    publisher.tell(&format!("group {PATH} data"))?;
    let written = Instant::now();
    for (index, payload) in frames.iter().enumerate() {
        let millis = millis(sequence, index);
        let file = payload.file.display();
        publisher.tell(&format!("frame {PATH} data {millis} {file}"))?;
    }
    publisher.tell(&format!("finish-group {PATH} data"))?;
    Ok(written)
}

/// Waits until the publisher has done all that it was told.
pub(super) fn settle(publisher: &mut Endpoint) -> Outcome {
    publisher.tell("about")?;
    publisher.wait("can")?;
    Ok(())
}

/// Waits for a frame of subscription 1 and checks it; says how long it took.
pub(super) fn receive(
    stage: &Stage<'_>,
    subscriber: &mut Endpoint,
    sequence: usize,
    index: usize,
    payload: &Payload,
    written: Instant,
) -> Outcome<Duration> {
    let frame = subscriber.wait(&format!("frame 1 {sequence} {index}"))?;
    // Before draft 05 frames have no timestamps.
    let has_timestamps = stage.cell.version.as_str() >= "moq-lite-05";
    let millis = has_timestamps.then(|| millis(sequence, index));
    check(payload, millis, [4, 5, 6].map(|place| frame.word(place)))?;
    Ok(frame.at.saturating_duration_since(written))
}

/// The timestamp of a frame.
fn millis(sequence: usize, index: usize) -> usize {
    sequence * 1_000 + index
}

/// Whether length, hash and timestamp are those of the payload.
fn check(payload: &Payload, millis: Option<usize>, told: [&str; 3]) -> Outcome {
    let [length, hash, at] = told;
    let is_on_time = millis.is_none_or(|millis| at == millis.to_string());
    if length == payload.length.to_string() && hash == payload.hash && is_on_time {
        return Ok(());
    }
    let describe = |length, hash, at| format!("{length} bytes with SHA-256 {hash} at {at} ms");
    let millis = millis.map_or_else(|| "any".into(), |millis| millis.to_string());
    Err(Failure::new(
        describe(
            payload.length.to_string().as_str(),
            payload.hash.as_str(),
            millis.as_str(),
        ),
        describe(length, hash, at),
    ))
}
