//! Sessions: coming, going, coming back, being refused.

use std::time::{Duration, Instant};

use super::super::cell::{End, Side};
use super::super::endpoint::{Endpoint, Outcome};
use super::super::failure::Failure;
use super::super::stage::Stage;
use super::announce::{pass_initial_set, publish};
use super::data::{PATH, receive, send, settle, watching};

pub(super) fn connect(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let started = Instant::now();
    stage.both()?;
    stage.latency = Some(started.elapsed());
    Ok(())
}

pub(super) fn publisher_restart(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let (mut publisher, mut subscriber) = stage.both()?;
    subscriber.tell("watch -")?;
    pass_initial_set(stage, &mut publisher, &mut subscriber)?;
    publish(&mut publisher, PATH)?;
    subscriber.wait(&format!("+ {PATH}"))?;
    drop(publisher);
    subscriber.wait(&format!("- {PATH}"))?;
    let mut publisher = stage.connected(End::Publisher)?;
    publish(&mut publisher, PATH)?;
    subscriber.wait(&format!("+ {PATH}"))?;
    read_one(stage, &mut publisher, &mut subscriber)
}

/// What arrived whole ends well, whatever the end means in the draft of the publisher.
pub(super) fn left_at_end(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 60000 127"))?;
    publisher.wait("used data")?;
    for sequence in 0..3 {
        let frame = stage.payload(9, 300)?;
        let written = send(&mut publisher, sequence, std::slice::from_ref(&frame))?;
        receive(stage, &mut subscriber, sequence, 0, &frame, written)?;
        subscriber.wait(&format!("end-group 1 {sequence}"))?;
    }
    publisher.tell(&format!("finish {PATH} data"))?;
    settle(&mut publisher)?;
    std::thread::sleep(LEAVING);
    drop(publisher);
    subscriber.wait("end 1")?;
    Ok(())
}

/// A viewer of the newer publisher asks again once that one is dead, and finds the older one.
pub(super) fn takeover(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let mut second = stage.connected(End::Publisher)?;
    publish(&mut second, PATH)?;
    let mut subscriber = stage.connected(End::Subscriber)?;
    subscriber.tell("watch -")?;
    subscriber.wait(&format!("+ {PATH}"))?;
    let mut first = stage.connected(End::Publisher)?;
    publish(&mut first, PATH)?;
    // No draft tells that the relay prefers the newer one by now.
    std::thread::sleep(Duration::from_secs(1));
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 60000 127"))?;
    first.wait("used data")?;
    let frame = stage.payload(9, 300)?;
    let written = send(&mut first, 0, std::slice::from_ref(&frame))?;
    receive(stage, &mut subscriber, 0, 0, &frame, written)?;
    first.kill()?;
    let killed = Instant::now();
    if stage.cell.role.topology().subscriber == Side::Us {
        let ended = subscriber.wait("error 1")?;
        let after = ended.at.saturating_duration_since(killed);
        if after > TAKEN_OVER {
            let expected = format!("an end within {TAKEN_OVER:?}");
            return Err(Failure::new(expected, format!("{after:?}")));
        }
        stage.latency = Some(after);
    } else {
        // Some libraries ask again by themselves, and tell nobody.
        std::thread::sleep(TAKEN_OVER);
    }
    subscriber.tell(&format!("subscribe 2 {PATH} data newest 60000 127"))?;
    second.wait("used data")?;
    // Whoever asks again by itself takes a group of a number that it had for the one that it had.
    for sequence in 0..2 {
        send(&mut second, sequence, std::slice::from_ref(&frame))?;
    }
    subscriber.wait("frame 2 1 0")?;
    Ok(())
}

pub(super) fn relay_restart(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let deadline = stage.deadline;
    if let Some(relay) = stage.relays.first_mut() {
        relay.stop();
        subscriber.wait(&format!("- {PATH}"))?;
        relay.restart(deadline)?;
    }
    subscriber.wait("connected")?;
    publisher.wait("connected")?;
    subscriber.wait(&format!("+ {PATH}"))?;
    read_one(stage, &mut publisher, &mut subscriber)
}

/// Whoever is dialled asks the others to leave. A relay ends then and comes back; an end stays, to
/// be dialled again.
pub(super) fn goaway(stage: &mut Stage<'_>) -> Outcome {
    let (mut publisher, mut subscriber) = watching(stage)?;
    let deadline = stage.deadline;
    if let Some(relay) = stage.relays.first_mut() {
        relay.stop();
        for end in [&mut publisher, &mut subscriber] {
            end.wait("going-away")?;
        }
        relay.restart(deadline)?;
        publisher.wait("connected")?;
        subscriber.wait("connected")?;
        subscriber.wait(&format!("+ {PATH}"))?;
        return read_one(stage, &mut publisher, &mut subscriber);
    }
    let listener = match stage.cell.role.topology().listener {
        Some(End::Publisher) => &mut publisher,
        _ => &mut subscriber,
    };
    listener.tell("goaway - 5000")?;
    stage.check_version(listener)?;
    // What is asked on the old session while it ends has to be asked again.
    listener.wait("disconnected")?;
    read_one(stage, &mut publisher, &mut subscriber)
}

fn read_one(stage: &mut Stage<'_>, publisher: &mut Endpoint, subscriber: &mut Endpoint) -> Outcome {
    subscriber.tell(&format!("subscribe 1 {PATH} data newest 60000 127"))?;
    publisher.wait("used data")?;
    let frame = stage.payload(9, 300)?;
    let written = send(publisher, 0, std::slice::from_ref(&frame))?;
    stage.latency = Some(receive(stage, subscriber, 0, 0, &frame, written)?);
    Ok(())
}

pub(super) fn refused(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("open/**")?;
    // Whoever is not ours is the one to be refused, where there is one.
    let end = match stage.cell.role.topology().publisher {
        Side::Peer => End::Publisher,
        Side::Us => End::Subscriber,
    };
    let address = stage.address(end)?;
    let (url, fingerprint) = (&address.url, &address.fingerprint);
    let version = &stage.cell.version;
    let mut welcome = stage.endpoint(end)?;
    welcome.tell(&format!("connect {url}open {fingerprint} {version}"))?;
    stage.check_version(&mut welcome)?;
    let mut unwelcome = stage.endpoint(end)?;
    unwelcome.tell(&format!("connect {url}closed {fingerprint} {version}"))?;
    unwelcome.wait_either("refused", "disconnected")?;
    Ok(())
}

/// From the end of its track until a publisher leaves.
const LEAVING: Duration = Duration::from_millis(300);

/// How soon viewers know that their publisher is dead.
const TAKEN_OVER: Duration = Duration::from_secs(3);
