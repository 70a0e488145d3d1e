//! Announcements.

use std::time::Duration;

use super::super::cell::{End, Side};
use super::super::endpoint::{Endpoint, Outcome};
use super::super::stage::Stage;
use super::data::settle;

pub(super) fn announce(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let (mut publisher, mut subscriber) = stage.both()?;
    subscriber.tell("watch -")?;
    publish(&mut publisher, "room/alice")?;
    subscriber.wait("+ room/alice")?;
    Ok(())
}

pub(super) fn initial_set(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let paths = ["room/alice", "room/bob", "film"];
    let mut subscriber;
    if stage.cell.role.topology().listener.is_some() {
        // Without a relay nothing can be there before the session.
        let both = stage.both()?;
        subscriber = both.1;
        let mut publisher = both.0;
        for path in paths {
            publish(&mut publisher, path)?;
        }
        subscriber.tell("watch -")?;
        return seen(&mut subscriber, &paths);
    }
    let mut publisher = stage.connected(End::Publisher)?;
    for path in paths {
        publish(&mut publisher, path)?;
    }
    // They are at the relay when somebody else sees them.
    let mut first = stage.connected(End::Subscriber)?;
    first.tell("watch -")?;
    seen(&mut first, &paths)?;
    subscriber = stage.connected(End::Subscriber)?;
    subscriber.tell("watch -")?;
    seen(&mut subscriber, &paths)
}

pub(super) fn unannounce(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    let (mut publisher, mut subscriber) = stage.both()?;
    subscriber.tell("watch -")?;
    pass_initial_set(stage, &mut publisher, &mut subscriber)?;
    publish(&mut publisher, "room/alice")?;
    publish(&mut publisher, "room/bob")?;
    seen(&mut subscriber, &["room/alice", "room/bob"])?;
    publisher.tell("unannounce room/alice")?;
    subscriber.wait("- room/alice")?;
    publish(&mut publisher, "film")?;
    subscriber.wait("+ film")?;
    Ok(())
}

pub(super) fn thousand(stage: &mut Stage<'_>) -> Outcome {
    stage.start_relays("**")?;
    // Node takes half a minute for them where several of it share a core.
    stage.deadline += Duration::from_secs(80);
    let (mut publisher, mut subscriber) = stage.both()?;
    subscriber.tell("watch -")?;
    for number in 0..1_000 {
        publish(&mut publisher, &format!("many/{number}"))?;
    }
    for number in 0..1_000 {
        subscriber.wait(&format!("+ many/{number}"))?;
    }
    Ok(())
}

/// Sees to it that what is announced from here on can be taken back.
///
/// On drafts 01 and 02 there are peers that never take back what they told in ANNOUNCE_INIT. They
/// have told that once anything of theirs is seen.
pub(super) fn pass_initial_set(
    stage: &Stage<'_>,
    publisher: &mut Endpoint,
    subscriber: &mut Endpoint,
) -> Outcome {
    let topology = stage.cell.role.topology();
    let is_told_by_peer = topology.publisher == Side::Peer || topology.relays.contains(&Side::Peer);
    if is_told_by_peer && stage.cell.version.as_str() < "moq-lite-03" {
        publish(publisher, "first")?;
        subscriber.wait("+ first")?;
    }
    Ok(())
}

/// Announces a broadcast with one empty track, and waits until that is done. Some packages announce it
/// before it has the track, and never answer who asks for the track in between.
pub(super) fn publish(publisher: &mut Endpoint, path: &str) -> Outcome {
    publisher.tell(&format!("track {path} data 60000"))?;
    publisher.tell(&format!("announce {path}"))?;
    settle(publisher)
}

fn seen(subscriber: &mut Endpoint, paths: &[&str]) -> Outcome {
    for path in paths {
        subscriber.wait(&format!("+ {path}"))?;
    }
    Ok(())
}
