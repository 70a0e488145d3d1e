//! Subscriptions: missing tracks, late viewers, second viewers, leaving.

use std::time::{Duration, Instant};

use super::super::cell::End;
use super::super::endpoint::Outcome;
use super::super::failure::Failure;
use super::super::stage::Stage;
use super::data::{PATH, receive, send, settle, watching};

pub(super) fn missing_broadcast(stage: &mut Stage<'_>) -> Outcome {
    let (_publisher, mut subscriber) = watching(stage)?;
    subscriber.tell("subscribe 1 no/such/broadcast data newest 5000 127")?;
    subscriber.wait("error 1")?;
    Ok(())
}

pub(super) fn missing_track(stage: &mut Stage<'_>) -> Outcome {
    let (_publisher, mut subscriber) = watching(stage)?;
    subscriber.tell(&format!("subscribe 1 {PATH} no-such-track newest 5000 127"))?;
    subscriber.wait("error 1")?;
    Ok(())
}

pub(super) fn late_join(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let frames: Vec<_> = (0..4)
        .map(|seed| stage.payload(seed, 500))
        .collect::<Outcome<_>>()?;
    for (sequence, frame) in frames.iter().enumerate().take(3) {
        send(&mut publisher, sequence, std::slice::from_ref(frame))?;
    }
    settle(&mut publisher)?;
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 0 127"))?;
    let first = subscriber.wait("group 1")?;
    if first.word(2) != "2" {
        return Err(Failure::new(
            "group 2 first",
            format!("group {}", first.word(2)),
        ));
    }
    receive(stage, &mut subscriber, 2, 0, &frames[2], Instant::now())?;
    let written = send(&mut publisher, 3, std::slice::from_ref(&frames[3]))?;
    let latency = receive(stage, &mut subscriber, 3, 0, &frames[3], written)?;
    stage.latency = Some(latency);
    subscriber
        .none("group 1", Duration::ZERO)
        .or_else(|failure| {
            // Group 3 has announced itself too.
            if failure.received.ends_with(" 3") {
                Ok(())
            } else {
                Err(failure)
            }
        })
}

pub(super) fn written_once(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let catalog = stage.payload(1, 700)?;
    send(&mut publisher, 0, std::slice::from_ref(&catalog))?;
    settle(&mut publisher)?;
    let mut second = stage.connected(End::Subscriber)?;
    second.tell("watch -")?;
    second.wait(&format!("+ {PATH}"))?;
    for viewer in [&mut subscriber, &mut second] {
        viewer.tell(&format!("subscribe 1 {PATH} data newest 5000 127"))?;
        receive(stage, viewer, 0, 0, &catalog, Instant::now())?;
        viewer.wait("end-group 1 0")?;
    }
    Ok(())
}

/// Groups that nobody subscribed to are asked for one by one, the older one last.
pub(super) fn fetch(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let mut groups = Vec::new();
    for group in 0..3 {
        let frames = (0..3).map(|frame| stage.payload(group * 10 + frame, 900));
        groups.push(frames.collect::<Outcome<Vec<_>>>()?);
    }
    for (sequence, frames) in groups.iter().enumerate() {
        send(&mut publisher, sequence, frames)?;
    }
    settle(&mut publisher)?;
    for sequence in [1, 0] {
        let asked = Instant::now();
        subscriber.tell(&format!("fetch 1 {PATH} data {sequence}"))?;
        for (index, frame) in groups[sequence].iter().enumerate() {
            let latency = receive(stage, &mut subscriber, sequence, index, frame, asked)?;
            stage.latency = stage.latency.max(Some(latency));
        }
        subscriber.wait(&format!("end-group 1 {sequence}"))?;
    }
    subscriber.none("frame 1", Duration::ZERO)
}

pub(super) fn unsubscribe(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 5000 127"))?;
    publisher.wait("used data")?;
    let frame = stage.payload(1, 100)?;
    let written = send(&mut publisher, 0, std::slice::from_ref(&frame))?;
    receive(stage, &mut subscriber, 0, 0, &frame, written)?;
    subscriber.tell("unsubscribe 1")?;
    publisher.wait("unused data")?;
    Ok(())
}
