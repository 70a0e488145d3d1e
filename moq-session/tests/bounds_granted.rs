//! How many announcements a peer may make on all streams that a grant leads to.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::for_each_version;
use common::heard::own;
use common::scripts::{grant, pattern, settle};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastPath, Config, Established, Grant, Limit, Limits, OriginProducer, Rate,
    Session, Version,
};
use moq_wire::{AnnounceEvent, BiStream, Setup};
use tokio::time::Instant;

/// What closes a session that exceeds a limit.
const TOO_MUCH: u32 = 64 + 0x30;

/// A session whose peer may make three announcements, and the peer.
async fn enter(version: Version, origin: &OriginProducer, grant: Grant) -> (Peer, Session) {
    let mut limits = Limits::default();
    limits.announces = 3;
    enter_with(version, origin, grant, limits).await
}

async fn enter_with(
    version: Version,
    origin: &OriginProducer,
    grant: Grant,
    limits: Limits,
) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    let mut peer = Peer::new(client, version);
    let config = Config::default()
        .with_versions([version])
        .with_subscribe(origin.clone())
        .with_limits(limits);
    let setup = Setup::default();
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(server), config),
        peer.setup(&setup)
    );
    (peer, request.unwrap().accept(grant).await.unwrap())
}

/// Below `hall` and below `room`.
fn parts() -> Grant {
    grant("").publish(["hall/**", "room/**"].map(pattern))
}

async fn teller(peer: &mut Peer, active: u64) -> Teller {
    Teller::new(peer.expect_bi(BiStream::Announce).await, 9, active).await
}

async fn known(origin: &OriginProducer) -> usize {
    settle().await;
    let mut announced = origin.consume().announced(&BroadcastPath::root());
    let events = std::iter::from_fn(|| announced.try_next());
    let is_start = |event: &AnnouncedEvent| matches!(event, AnnouncedEvent::Start(..));
    events.filter(is_start).count()
}

#[test]
fn a_client_is_bounded_over_all_that_it_is_asked_for() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, session) = enter(version, &origin, parts()).await;
        let (mut hall, mut room) = (teller(&mut peer, 0).await, teller(&mut peer, 0).await);
        hall.tell(&own(version, "a")).await;
        hall.tell(&own(version, "b")).await;
        room.tell(&own(version, "a")).await;
        peer.expect_alive().await;
        assert_eq!(known(&origin).await, 3);
        room.tell(&own(version, "b")).await;
        peer.expect_close(TOO_MUCH).await;
        assert_eq!(session.reached(Limit::Announces), 1);
    });
}

#[test]
fn a_relay_has_room_for_the_same_number_over_all_that_it_is_asked_for() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, session) = enter(version, &origin, parts().for_relay()).await;
        let (mut hall, mut room) = (teller(&mut peer, 0).await, teller(&mut peer, 0).await);
        for name in ["a", "b"] {
            hall.tell(&own(version, name)).await;
            settle().await;
            room.tell(&own(version, name)).await;
            settle().await;
        }
        peer.expect_alive().await;
        assert_eq!(known(&origin).await, 3);
        assert_eq!(session.reached(Limit::Announces), 1);
    });
}

#[test]
fn what_is_told_once_more_below_a_wider_prefix_counts_once() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, session) = enter(version, &origin, parts()).await;
        let (mut hall, mut room) = (teller(&mut peer, 0).await, teller(&mut peer, 0).await);
        hall.tell(&own(version, "a")).await;
        hall.tell(&own(version, "b")).await;
        room.tell(&own(version, "a")).await;
        settle().await;
        session.renew(parts().publish([pattern("**")])).unwrap();
        let mut all = teller(&mut peer, 3).await;
        for name in ["hall/a", "hall/b", "room/a"] {
            all.tell(&own(version, name)).await;
        }
        peer.expect_alive().await;
        assert_eq!(known(&origin).await, 3);
        all.tell(&own(version, "yard")).await;
        peer.expect_close(TOO_MUCH).await;
    });
}

/// Waits until so many are known.
async fn until_known(origin: &OriginProducer, count: usize) -> Duration {
    let begin = Instant::now();
    while known(origin).await < count {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    begin.elapsed()
}

#[test]
fn all_streams_share_the_rate_of_announcements() {
    for_each_version(|version| async move {
        for (each, is_over) in [(1, false), (2, false), (3, true)] {
            let mut limits = Limits::default();
            limits.announce_rate = Rate::new(4, Duration::from_secs(10));
            let origin = OriginProducer::new();
            let (mut peer, session) = enter_with(version, &origin, parts(), limits).await;
            let (mut hall, mut room) = (teller(&mut peer, 0).await, teller(&mut peer, 0).await);
            for n in 0..each {
                hall.tell(&own(version, &format!("{n}"))).await;
                room.tell(&own(version, &format!("{n}"))).await;
            }
            let waited = until_known(&origin, 2 * each).await;
            assert_eq!(waited >= Duration::from_secs(10), is_over, "{waited:?}");
            assert_eq!(session.reached(Limit::AnnounceRate) > 0, is_over);
        }
    });
}

#[test]
fn all_initial_sets_together_may_hurry_as_far_as_announcements_may_be_live() {
    common::for_each_with(
        |features| features.announce_ok,
        |version| async move {
            let mut limits = Limits::default();
            (limits.announces, limits.announce_rate) = (4, Rate::new(1, Duration::from_secs(10)));
            let origin = OriginProducer::new();
            let (mut peer, session) = enter_with(version, &origin, parts(), limits).await;
            // A path that is replaced is no further one, and counts as one that comes.
            let (mut hall, mut room) = (teller(&mut peer, 9).await, teller(&mut peer, 2).await);
            let start = own(version, "a");
            for _ in 0..3 {
                hall.tell(&start).await;
                let suffix = common::scripts::path("a");
                hall.tell(&AnnounceEvent::End { suffix }).await;
            }
            room.tell(&own(version, "b")).await;
            room.tell(&own(version, "c")).await;
            let waited = until_known(&origin, 2).await;
            assert!(waited < Duration::from_secs(10), "{waited:?}");
            assert_eq!(session.reached(Limit::AnnounceRate), 0);
            hall.tell(&start).await;
            let waited = until_known(&origin, 3).await;
            assert!(waited >= Duration::from_secs(10), "{waited:?}");
        },
    );
}
