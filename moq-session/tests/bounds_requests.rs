//! Requests: how many, and how fast.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::limits::{around, beyond_three, enter, is_late, limits, live, reached, three_at_once};
use common::scripts::{accept_track, asked, settle, subscribe, track};
use common::{for_each_version, for_each_with};
use moq_session::{Abort, Limit, Limits, OriginProducer, ReadError, Subscription};
use moq_wire::code::stream::{CANCELLED, CONTROL_TIMEOUT, NO_CAPACITY, UNROUTABLE};
use moq_wire::{BiStream, Datagram, TrackInfo};
use tokio::time::Instant;

const LONG: Duration = Duration::from_secs(10);

#[test]
fn so_many_tracks_are_described_at_one_time() {
    for_each_with(
        |features| features.track_stream,
        |version| async move {
            for (count, _) in around(3) {
                let origin = OriginProducer::new();
                let limits = limits(|limits| limits.tracks = 3);
                let (mut peer, session) = enter(version, &origin, limits).await;
                let mut pending = Vec::new();
                for _ in 0..count {
                    // What is missing of the request is waited for.
                    let mut stream = peer.open_bi(BiStream::Track).await;
                    stream.send_bytes([9]).await;
                    match pending.len() {
                        3 => stream.expect_reset(NO_CAPACITY).await,
                        _ => pending.push(stream),
                    }
                    settle().await;
                }
                let refused = session.reached(Limit::Tracks);
                assert_eq!(refused, beyond_three(count));
                assert!(session.is_open());
            }
        },
    );
}

#[test]
fn tracks_asked_for_too_fast_make_the_next_one_wait() {
    for_each_with(
        |features| features.track_stream,
        |version| async move {
            for (count, is_over) in around(3) {
                let limits = limits(|limits| limits.track_rate = three_at_once());
                let (mut peer, session, _live) = live(version, limits).await;
                for _ in 0..count {
                    let wish = track("room", "data");
                    let mut stream = peer.request(BiStream::Track, &wish).await;
                    let _: TrackInfo = stream.expect().await;
                    stream.expect_fin().await;
                }
                assert_eq!(is_late(&mut peer).await, is_over);
                reached(&session, Limit::TrackRate, beyond_three(count));
            }
        },
    );
}

#[test]
fn requests_that_are_refused_too_fast_make_the_next_one_wait() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let limits = limits(|limits| limits.refusals = three_at_once());
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            for id in 0..count {
                let wish = subscribe(version, id, "nowhere", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                stream.expect_reset(UNROUTABLE).await;
            }
            assert_eq!(is_late(&mut peer).await, is_over);
            reached(&session, Limit::Refusals, beyond_three(count));
        }
    });
}

#[test]
fn subscriptions_that_end_before_their_first_group_make_the_next_one_wait() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let limits = limits(|limits| limits.resets = three_at_once());
            let (mut peer, session, live) = live(version, limits).await;
            for id in 0..count {
                let wish = subscribe(version, id, "room", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                live.track.used().await;
                stream.finish();
                stream.expect_drained().await;
                live.track.unused().await;
            }
            assert_eq!(is_late(&mut peer).await, is_over);
            reached(&session, Limit::Resets, beyond_three(count));
        }
    });
}

#[test]
fn subscriptions_that_are_ended_in_service_cost_nothing() {
    for_each_version(|version| async move {
        for (has_group, wait) in [(true, Duration::ZERO), (false, LONG)] {
            let limits = limits(|limits| limits.resets = three_at_once());
            let (mut peer, session, live) = live(version, limits).await;
            let mut streams = Vec::new();
            for id in 0..40 {
                let wish = subscribe(version, id, "room", "data");
                streams.push(peer.request(BiStream::Subscribe, &wish).await);
            }
            settle().await;
            if has_group {
                live.track.append().unwrap().finish();
            }
            settle().await;
            tokio::time::sleep(wait).await;
            for (n, stream) in streams.iter_mut().enumerate() {
                match n % 2 {
                    0 => stream.finish(),
                    _ => stream.reset(CANCELLED),
                }
            }
            settle().await;
            assert_eq!(session.outstanding().subscriptions, 0);
            assert!(!is_late(&mut peer).await);
            reached(&session, Limit::Resets, 0);
        }
    });
}

#[test]
fn subscriptions_that_brought_a_datagram_cost_nothing() {
    for_each_with(
        |features| features.datagrams,
        |version| async move {
            let limits = limits(|limits| limits.resets = three_at_once());
            let (mut peer, session, live) = live(version, limits).await;
            for id in 0..40 {
                let wish = subscribe(version, id, "room", "data");
                let mut stream = peer.request(BiStream::Subscribe, &wish).await;
                live.track.used().await;
                settle().await;
                live.track.append_datagram(id, "x").unwrap();
                // The newest one of those before may come first.
                while peer.expect_datagram::<Datagram>().await.timestamp != id {}
                stream.finish();
                stream.expect_drained().await;
                live.track.unused().await;
            }
            assert!(!is_late(&mut peer).await);
            reached(&session, Limit::Resets, 0);
        },
    );
}

#[test]
fn a_flood_of_requests_that_are_taken_back_hardly_reaches_the_publisher() {
    for_each_version(|version| async move {
        let (mut peer, session, live) = live(version, Limits::default()).await;
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = asked.clone();
        let watch = tokio::spawn(async move {
            loop {
                live.track.used().await;
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                live.track.unused().await;
            }
        });
        let begin = Instant::now();
        for id in 0..1_000 {
            let wish = subscribe(version, id, "room", "data");
            let mut stream = peer.request(BiStream::Subscribe, &wish).await;
            if id % 2 == 0 {
                settle().await;
            }
            stream.finish();
            stream.expect_drained().await;
        }
        let allowed = 200.0 + 50.0 * begin.elapsed().as_secs_f64() + 64.0;
        let asked = asked.load(std::sync::atomic::Ordering::Relaxed);
        assert!(asked as f64 <= allowed, "{asked} of {allowed}");
        assert!(session.reached(Limit::Resets) > 0);
        watch.abort();
    });
}

#[test]
fn a_request_that_the_peer_does_not_take_ends_with_an_error() {
    for_each_version(|version| async move {
        let (session, mut peer) = asked(version, &OriginProducer::new()).await;
        let _announce = peer.expect_bi(BiStream::Announce).await;
        peer.allow_bytes(0);
        let begin = Instant::now();
        let first = session.track("room", "data").unwrap();
        let _reader = first.subscribe(Subscription::default());
        let failed = first.info().await;
        assert!(
            matches!(failed, Err(ReadError::Aborted(Abort::Timeout))),
            "{failed:?}"
        );
        assert!(begin.elapsed() <= LONG + Duration::from_secs(1));
        assert!(session.reached(Limit::WriteTime) > 0);
        drop(peer.expect_raw_bi().await);
        // A later reader is asked for anew.
        peer.allow_bytes(1_000);
        let second = session.track("room", "data").unwrap();
        let _reader = second.subscribe(Subscription::default());
        let (info, _accepted) = tokio::join!(second.info(), accept_track(&mut peer));
        assert!(info.is_ok(), "{info:?}");
    });
}

#[test]
fn an_answer_that_the_peer_does_not_take_is_given_up() {
    for_each_version(|version| async move {
        let features = version.features();
        if !features.subscribe_ok && !features.track_stream {
            return;
        }
        let (mut peer, session, _live) = live(version, Limits::default()).await;
        peer.allow_bytes(0);
        let mut stream = match features.track_stream {
            true => peer.request(BiStream::Track, &track("room", "data")).await,
            false => {
                let wish = subscribe(version, 0, "room", "data");
                peer.request(BiStream::Subscribe, &wish).await
            }
        };
        stream.expect_reset(CONTROL_TIMEOUT).await;
        settle().await;
        assert!(session.reached(Limit::WriteTime) > 0);
        assert_eq!(session.outstanding().subscriptions, 0);
        assert!(session.is_open());
    });
}
