//! Sessions: coming, going, coming back, being refused.

use std::time::Instant;

use super::super::cell::{End, Side};
use super::super::endpoint::{Endpoint, Outcome};
use super::super::stage::Stage;
use super::announce::{pass_initial_set, publish};
use super::data::{PATH, receive, send, watching};

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
