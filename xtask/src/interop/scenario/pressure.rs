//! What is left out and what comes first when not everything can come.

use std::time::{Duration, Instant};

use super::super::cell::End;
use super::super::endpoint::Outcome;
use super::super::failure::Failure;
use super::super::shaper::Link;
use super::super::stage::Stage;
use super::data::{PATH, receive, send, settle, watching};

/// Three groups lie a second of media time apart. A group's age is that of its successor, so within
/// 500 ms the last two are left.
pub(super) fn max_age(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let frames: Vec<_> = (0..3)
        .map(|seed| stage.payload(seed, 400))
        .collect::<Outcome<_>>()?;
    let mut written = Instant::now();
    for (sequence, frame) in frames.iter().enumerate() {
        written = send(&mut publisher, sequence, std::slice::from_ref(frame))?;
    }
    settle(&mut publisher)?;
    // The patient one comes first: relays ask for what the most patient of all wants.
    subscriber.tell(&format!("subscribe 1 {PATH} data oldest 60000 127"))?;
    for (sequence, frame) in frames.iter().enumerate() {
        receive(stage, &mut subscriber, sequence, 0, frame, written)?;
    }
    // Another session, so that no cache of the client's own answers.
    let mut second = stage.connected(End::Subscriber)?;
    second.tell("watch -")?;
    second.wait(&format!("+ {PATH}"))?;
    second.tell(&format!("subscribe 1 {PATH} data oldest 500 127"))?;
    second.wait("frame 1 2 0")?;
    second.none("frame 1 0", Duration::from_millis(300))
}

/// Two tracks have 400 kB each to send over 2 Mbit/s; the one of higher priority was asked for
/// and written last, and has to arrive first.
pub(super) fn priority(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let mut publisher = stage.connected(End::Publisher)?;
    let address = stage.shaped(End::Subscriber, LINK)?;
    let mut subscriber = stage.endpoint(End::Subscriber)?;
    stage.connect(&mut subscriber, &address)?;
    for track in ["low", "high"] {
        publisher.tell(&format!("track {PATH} {track} 60000"))?;
    }
    publisher.tell(&format!("announce {PATH}"))?;
    subscriber.tell("watch -")?;
    subscriber.wait(&format!("+ {PATH}"))?;
    subscriber.tell(&format!("subscribe 1 {PATH} low newest 60000 10"))?;
    subscriber.tell(&format!("subscribe 2 {PATH} high newest 60000 200"))?;
    publisher.wait("used low")?;
    publisher.wait("used high")?;
    let payload = stage.payload(1, 400_000)?;
    let file = payload.file.display();
    for track in ["low", "high"] {
        publisher.tell(&format!("group {PATH} {track}"))?;
        publisher.tell(&format!("frame {PATH} {track} 0 {file}"))?;
        publisher.tell(&format!("finish-group {PATH} {track}"))?;
    }
    let high = subscriber.wait("frame 2 0 0")?;
    let low = subscriber.wait("frame 1 0 0")?;
    if high.word(5) != payload.hash || low.word(5) != payload.hash {
        return Err(Failure::new(payload.hash, "other bytes"));
    }
    if high.at > low.at {
        let before = (high.at - low.at).as_secs_f64();
        return Err(Failure::new(
            "the track of priority 200 first",
            format!("that of priority 10, {before:.2} s before the other"),
        ));
    }
    Ok(())
}

/// The subscriber asks what its neighbour could send, and there is something to measure.
pub(super) fn probe(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    subscriber.tell("probe")?;
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 60000 127"))?;
    publisher.wait("used data")?;
    let frame = stage.payload(1, 200_000)?;
    let written = send(&mut publisher, 0, std::slice::from_ref(&frame))?;
    receive(stage, &mut subscriber, 0, 0, &frame, written)?;
    let measured = subscriber.wait("bandwidth * *")?;
    let is_measured = |place| {
        measured
            .word(place)
            .parse::<f64>()
            .is_ok_and(|value| value > 0.0)
    };
    if is_measured(1) || is_measured(2) {
        return Ok(());
    }
    let told = format!("{} bit/s, {} ms", measured.word(1), measured.word(2));
    Err(Failure::new("bits per second or a round-trip time", told))
}

const LINK: Link = Link {
    rate: 250_000,
    delay: Duration::from_millis(10),
    loss: 0,
    seed: 1,
};
