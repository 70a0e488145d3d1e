//! What a peer may take at most: one less, as much, one more, and a hundred times as much.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::fetch::{stage, wish};
use common::heard::own;
use common::limits::{INTERVAL, around, beyond_three, enter, is_late, reached, three_at_once};
use common::scripts::{settle, subscribe};
use common::{for_each_version, for_each_with};
use moq_session::testing::Script;
use moq_session::{BroadcastProducer, Limit, Limits, OriginProducer, Rate, Track};
use moq_wire::BiStream;
use moq_wire::code::stream::{CANCELLED, CONTROL_TIMEOUT, NO_CAPACITY};
use tokio::time::Instant;

/// The code for more than this end takes.
const TOO_MUCH: u32 = 64 + 0x30;

#[test]
fn subscriptions_are_bounded() {
    for_each_version(|version| async move {
        for (count, _) in around(3) {
            let origin = OriginProducer::new();
            let broadcast = BroadcastProducer::new();
            let _track = broadcast.create(Track::new("data")).unwrap();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            let mut limits = Limits::default();
            limits.subscriptions = 3;
            limits.refusals = Rate::new(300, INTERVAL);
            let (mut peer, session) = enter(version, &origin, limits).await;
            let mut streams = Vec::new();
            for id in 0..count {
                let wish = subscribe(version, id, "room", "data");
                streams.push(peer.request(BiStream::Subscribe, &wish).await);
                settle().await;
            }
            for stream in streams.iter_mut().skip(3) {
                stream.expect_reset(NO_CAPACITY).await;
            }
            peer.expect_alive().await;
            let served = session.outstanding().subscriptions as u64;
            assert_eq!(served, count.min(3));
            reached(&session, Limit::Subscriptions, beyond_three(count));
        }
    });
}

#[test]
fn fetches_are_bounded() {
    for_each_with(
        |features| features.fetch,
        |version| async move {
            for (count, _) in around(3) {
                let (live, _growing) = stage(version).await;
                let mut limits = Limits::default();
                limits.fetches = 3;
                limits.refusals = Rate::new(300, INTERVAL);
                let (mut peer, session) = enter(version, &live.origin, limits).await;
                let mut streams = Vec::new();
                for _ in 0..count {
                    streams.push(peer.request(BiStream::Fetch, &wish(1)).await);
                    settle().await;
                }
                for stream in streams.iter_mut().skip(3) {
                    stream.expect_reset(NO_CAPACITY).await;
                }
                assert_eq!(session.outstanding().fetches as u64, count.min(3));
                reached(&session, Limit::Fetches, beyond_three(count));
            }
        },
    );
}

#[test]
fn live_announcements_are_bounded() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.announces = 3;
            let origin = OriginProducer::new();
            let (mut peer, session) = enter(version, &origin, limits).await;
            let stream = peer.expect_bi(BiStream::Announce).await;
            let mut teller = Teller::new(stream, 9, 0).await;
            let starts = (0..count).map(|n| own(version, &format!("room/{n}")));
            teller.tell_all(starts).await;
            if is_over {
                let reason = peer.expect_close(TOO_MUCH).await;
                assert_eq!(reason, "more than 3 live announcements");
            } else {
                peer.expect_alive().await;
            }
            reached(&session, Limit::Announces, u64::from(is_over));
        }
    });
}

#[test]
fn announcements_that_come_too_fast_are_read_later() {
    for_each_version(|version| async move {
        for (count, _) in around(3) {
            let mut limits = Limits::default();
            limits.announce_rate = three_at_once();
            let origin = OriginProducer::new();
            let (mut peer, session) = enter(version, &origin, limits).await;
            let stream = peer.expect_bi(BiStream::Announce).await;
            let mut teller = Teller::new(stream, 9, 0).await;
            let begin = Instant::now();
            let starts = (0..count).map(|n| own(version, &format!("room/{n}")));
            teller.tell_all(starts).await;
            let last = format!("room/{}", count - 1);
            let mut announced = origin.consume().announced(&last.parse().unwrap());
            while !matches!(
                announced.next().await,
                moq_session::AnnouncedEvent::Start(..)
            ) {}
            let (waited, due) = (begin.elapsed(), INTERVAL * beyond_three(count) as u32);
            let is_in_time = (due..due + INTERVAL).contains(&waited);
            assert!(is_in_time, "{count} after {waited:?}");
            reached(&session, Limit::AnnounceRate, beyond_three(count));
        }
    });
}

#[test]
fn streams_that_keep_silent_are_bounded() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.headerless = 3;
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            settle().await;
            let mut silent = Vec::new();
            for _ in 0..count - 1 {
                silent.push(peer.open_raw_bi().await);
            }
            let begin = Instant::now();
            if count > 100 {
                // As many are waited for as at any time, and those that go away cost nothing.
                tokio::time::sleep(Duration::from_millis(5_001)).await;
                assert_eq!(session.reached(Limit::HeaderTime), 3);
                silent.clear();
            }
            peer.expect_alive().await;
            let is_late = begin.elapsed() >= Duration::from_secs(5);
            assert_eq!(is_late, is_over);
            assert_eq!(session.reached(Limit::Headerless) > 0, is_over);
            let left = silent.len() as u64;
            for mut stream in silent {
                stream.expect_reset(CONTROL_TIMEOUT).await;
            }
            if left > 0 {
                assert_eq!(session.reached(Limit::HeaderTime), left);
            }
        }
    });
}

/// A request that says nothing, at once.
async fn malformed(stream: &mut Script) {
    stream.finish();
    stream.expect_reset(CANCELLED).await;
}

#[test]
fn breaking_the_protocol_too_often_ends_the_session() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.strikes = Rate::new(3, Duration::from_secs(10));
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut streams = Vec::new();
            for _ in 0..count {
                streams.push(peer.open_bi(BiStream::Subscribe).await);
            }
            for (n, stream) in streams.iter_mut().enumerate() {
                if n < 3 {
                    malformed(stream).await;
                } else {
                    stream.finish();
                }
            }
            if is_over {
                let reason = peer.expect_close(TOO_MUCH).await;
                assert_eq!(reason, "more than 3 streams that break the protocol");
            } else {
                peer.expect_alive().await;
            }
            // The session ends once, however many more there are of them at that moment.
            assert_eq!(session.reached(Limit::Strikes) > 0, is_over);
        }
    });
}

#[test]
fn strikes_are_forgiven_in_time() {
    for_each_version(|version| async move {
        let mut limits = Limits::default();
        limits.strikes = Rate::new(3, Duration::from_secs(10));
        let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
        for _ in 0..10 {
            malformed(&mut peer.open_bi(BiStream::Subscribe).await).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        peer.expect_alive().await;
        reached(&session, Limit::Strikes, 0);
    });
}

#[test]
fn requests_taken_back_too_fast_make_the_next_one_wait() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.resets = three_at_once();
            let origin = OriginProducer::new();
            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("data")).unwrap();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            let (mut peer, session) = enter(version, &origin, limits).await;
            for id in 0..count {
                let wish = subscribe(version, id, "room", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                track.used().await;
                stream.reset(CANCELLED);
                stream.expect_reset(CANCELLED).await;
                track.unused().await;
            }
            assert_eq!(is_late(&mut peer).await, is_over);
            reached(&session, Limit::Resets, beyond_three(count));
        }
    });
}
