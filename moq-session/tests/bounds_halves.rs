//! Messages that are half here: how much of them, and for how long.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use bytes::BytesMut;
use common::announce::tell;
use common::limits::{enter, is_late, limits, live, reached};
use common::scripts::{settle, subscribe};
use common::{for_each_version, for_each_with};
use moq_session::{BroadcastProducer, Limit, Limits, OriginProducer, Rate, Track, Version};
use moq_wire::code::stream::{CONTROL_TIMEOUT, NO_CAPACITY};
use moq_wire::{BiStream, varint};

const LONG: Duration = Duration::from_secs(10);

/// The beginning of a message of this length.
fn half(version: Version, len: usize) -> BytesMut {
    let mut buf = BytesMut::new();
    varint::put(len as u64, &mut buf, version).unwrap();
    buf.resize(len / 2, 0);
    buf
}

#[test]
fn half_sent_requests_that_are_refused_make_nothing_wait() {
    for_each_version(|version| async move {
        let limits = limits(|limits| {
            limits.buffered = 16 * 1_024;
            limits.refusals = Rate::new(3, LONG);
        });
        let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
        for _ in 0..10 {
            let mut stream = peer.open_bi(BiStream::Subscribe).await;
            stream.send_bytes(half(version, 60_000)).await;
            stream.expect_reset(NO_CAPACITY).await;
        }
        assert!(!is_late(&mut peer).await);
        reached(&session, Limit::Buffered, 10);
    });
}

#[test]
fn half_sent_requests_are_bounded_together() {
    for_each_version(|version| async move {
        for kind in [BiStream::Subscribe, BiStream::Announce] {
            // Each takes at least as much as arrives, and at most twice that.
            let limits = limits(|limits| limits.buffered = 16 * 256 * 1_024);
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut streams = Vec::new();
            for _ in 0..16 {
                let mut stream = peer.open_bi(kind).await;
                stream.send_bytes(half(version, 60_000)).await;
                settle().await;
                streams.push(stream);
            }
            let refused = session.reached(Limit::Buffered);
            assert!((7..=12).contains(&refused), "{refused} of 16");
            for stream in &mut streams[16 - usize::try_from(refused).unwrap()..] {
                stream.expect_reset(NO_CAPACITY).await;
            }
            // The others may take their time, which ends.
            let mut first = streams.remove(0);
            first.expect_reset(CONTROL_TIMEOUT).await;
            settle().await;
            let mut stream = peer.open_bi(kind).await;
            stream.send_bytes(half(version, 60_000)).await;
            settle().await;
            assert_eq!(session.reached(Limit::Buffered), refused);
            assert_eq!(session.reached(Limit::Strikes), 0);
            assert!(session.is_open());
        }
    });
}

#[test]
fn half_an_update_has_a_deadline() {
    for_each_with(
        |features| features.subscribe_range,
        |version| async move {
            for rest in [false, true] {
                let (mut peer, session, live) = live(version, Limits::default()).await;
                let wish = subscribe(version, 0, "room", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                live.track.used().await;
                let mut update = BytesMut::new();
                let message = common::live::update(1, 1_000, common::live::start_at(0));
                moq_wire::put_message(&message, &mut update, version).unwrap();
                stream.send_bytes(&update[..2]).await;
                tokio::time::sleep(LONG - Duration::from_millis(2)).await;
                if rest {
                    stream.send_bytes(&update[2..]).await;
                }
                tokio::time::sleep(LONG).await;
                if !rest {
                    stream.expect_reset(CONTROL_TIMEOUT).await;
                }
                assert_eq!(session.outstanding().subscriptions, usize::from(rest));
                reached(&session, Limit::WriteTime, 0);
                // The peer does not say what it announces either.
                let unanswered = u64::from(version.features().announce_ok) + u64::from(!rest);
                assert_eq!(session.reached(Limit::AnswerTime), unanswered);
            }
        },
    );
}

#[test]
fn half_sent_updates_are_bounded_as_well() {
    for_each_with(
        |features| features.subscribe_range,
        |version| async move {
            for is_served in [false, true] {
                let limits = limits(|limits| limits.buffered = 16 * 4_096);
                let origin = OriginProducer::new();
                let broadcast = BroadcastProducer::new();
                let _track = broadcast.create(Track::new("data")).unwrap();
                let room = "room".parse().unwrap();
                let _own = is_served.then(|| origin.publish(&room, broadcast.consume()));
                // It answers nothing that it is asked for.
                let (mut publisher, _other) = enter(version, &origin, Limits::default()).await;
                let mut announces = publisher.expect_bi(BiStream::Announce).await;
                tell(&mut announces, 9, if is_served { &[] } else { &["room"] }).await;
                let (mut peer, session) = enter(version, &origin, limits).await;
                let wish = subscribe(version, 0, "room", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                settle().await;
                stream.send_bytes(half(version, 30_000)).await;
                stream.expect_reset(NO_CAPACITY).await;
                settle().await;
                assert_eq!(session.reached(Limit::Buffered), 1);
                assert_eq!(session.outstanding().subscriptions, 0);
                assert!(session.is_open());
            }
        },
    );
}
