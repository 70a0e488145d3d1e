//! What a peer may take at most: one less, as much, and one more.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::fetch::{stage, wish};
use common::heard::own;
use common::limits::{around, enter, reached};
use common::scripts::{path, settle, subscribe};
use common::{finished, for_each_version, for_each_with};
use moq_session::testing::Script;
use moq_session::{BroadcastProducer, Limit, Limits, OriginProducer, Rate, Session, Track};
use moq_wire::code::stream::{CANCELLED, CONTROL_TIMEOUT, NO_CAPACITY};
use moq_wire::{BiStream, varint};
use tokio::time::Instant;

/// The code for more than this end takes.
const TOO_MUCH: u32 = 64 + 0x30;

#[test]
fn subscriptions_are_bounded() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let origin = OriginProducer::new();
            let broadcast = BroadcastProducer::new();
            let _track = broadcast.create(Track::new("data")).unwrap();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            let mut limits = Limits::default();
            limits.subscriptions = 3;
            let (mut peer, session) = enter(version, &origin, limits).await;
            let mut streams = Vec::new();
            for id in 0..count {
                let wish = subscribe(version, id, "room", "data");
                streams.push(peer.request(BiStream::Subscribe, &wish).await);
            }
            settle().await;
            if is_over {
                streams.pop().unwrap().expect_reset(NO_CAPACITY).await;
            }
            peer.expect_alive().await;
            let served = session.outstanding().subscriptions as u64;
            assert_eq!(served, count.min(3));
            reached(&session, Limit::Subscriptions, u64::from(is_over));
        }
    });
}

#[test]
fn fetches_are_bounded() {
    for_each_with(
        |features| features.fetch,
        |version| async move {
            for (count, is_over) in around(3) {
                let (live, _growing) = stage(version).await;
                let mut limits = Limits::default();
                limits.fetches = 3;
                let (mut peer, session) = enter(version, &live.origin, limits).await;
                let mut streams = Vec::new();
                for _ in 0..count {
                    streams.push(peer.request(BiStream::Fetch, &wish(1)).await);
                }
                settle().await;
                if is_over {
                    streams.pop().unwrap().expect_reset(NO_CAPACITY).await;
                }
                assert_eq!(session.outstanding().fetches as u64, count.min(3));
                reached(&session, Limit::Fetches, u64::from(is_over));
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
            for n in 0..count {
                teller.tell(&own(version, &format!("room/{n}"))).await;
            }
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
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.announce_rate = Rate::new(3, Duration::from_secs(10));
            let origin = OriginProducer::new();
            let (mut peer, session) = enter(version, &origin, limits).await;
            let stream = peer.expect_bi(BiStream::Announce).await;
            let mut teller = Teller::new(stream, 9, 0).await;
            let begin = Instant::now();
            for n in 0..count {
                teller.tell(&own(version, &format!("room/{n}"))).await;
            }
            let last = format!("room/{}", count - 1);
            let mut announced = origin.consume().announced(&last.parse().unwrap());
            while !matches!(
                announced.next().await,
                moq_session::AnnouncedEvent::Start(..)
            ) {}
            let waited = begin.elapsed();
            assert_eq!(waited >= Duration::from_secs(10), is_over, "{waited:?}");
            reached(&session, Limit::AnnounceRate, u64::from(is_over));
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
            peer.expect_alive().await;
            let is_late = begin.elapsed() >= Duration::from_secs(5);
            assert_eq!(is_late, is_over);
            let waited = session.reached(Limit::Headerless);
            assert_eq!(waited, u64::from(is_over));
            for mut stream in silent {
                stream.expect_reset(CONTROL_TIMEOUT).await;
            }
            assert_eq!(session.reached(Limit::HeaderTime), count - 1);
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
            for n in 1..=count {
                let mut stream = peer.open_bi(BiStream::Subscribe).await;
                if n > 3 {
                    stream.finish();
                } else {
                    malformed(&mut stream).await;
                }
            }
            if is_over {
                let reason = peer.expect_close(TOO_MUCH).await;
                assert_eq!(reason, "more than 3 streams that break the protocol");
            } else {
                peer.expect_alive().await;
            }
            reached(&session, Limit::Strikes, u64::from(is_over));
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
            limits.resets = Rate::new(3, Duration::from_secs(10));
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
            let begin = Instant::now();
            peer.expect_alive().await;
            let is_late = begin.elapsed() >= Duration::from_secs(10);
            assert_eq!(is_late, is_over);
            reached(&session, Limit::Resets, u64::from(is_over));
        }
    });
}

#[test]
fn a_message_is_bounded() {
    for_each_version(|version| async move {
        for (len, is_over) in around(64 * 1_024) {
            let limits = Limits::default();
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut stream = peer.open_bi(BiStream::Subscribe).await;
            let mut declared = bytes::BytesMut::new();
            varint::put(len, &mut declared, version).expect("it is in range");
            stream.send_bytes(declared).await;
            match is_over {
                true => stream.expect_reset(CANCELLED).await,
                false => stream.expect_silence(Duration::from_secs(1)).await,
            }
            reached(&session, Limit::Message, u64::from(is_over));
        }
    });
}

#[test]
fn a_path_is_bounded() {
    for_each_version(|version| async move {
        let segments = |count: u64| vec!["a"; count as usize].join("/");
        let bytes = |count: u64| "a".repeat(count as usize);
        let segmented = around(32).map(|(count, is_over)| (segments(count), is_over));
        let long = around(1_024).map(|(count, is_over)| (bytes(count), is_over));
        for (path, is_over) in segmented.into_iter().chain(long) {
            let limits = Limits::default();
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut stream = peer.open_bi(BiStream::Subscribe).await;
            let mut body = bytes::BytesMut::new();
            varint::put(0, &mut body, version).expect("it is in range");
            varint::put(path.len() as u64, &mut body, version).expect("it is in range");
            body.extend_from_slice(path.as_bytes());
            body.extend_from_slice(&rest_of_subscribe(version));
            let mut message = bytes::BytesMut::new();
            varint::put(body.len() as u64, &mut message, version).expect("it is in range");
            message.extend_from_slice(&body);
            stream.send_bytes(message).await;
            let code = match is_over {
                true => CANCELLED,
                false => moq_wire::code::stream::UNROUTABLE,
            };
            stream.expect_reset(code).await;
            reached(&session, Limit::Path, u64::from(is_over));
        }
    });
}

/// A SUBSCRIBE from behind its path, which is the empty one there.
fn rest_of_subscribe(version: moq_session::Version) -> Vec<u8> {
    let mut whole = bytes::BytesMut::new();
    let mut wish = subscribe(version, 0, "", "data");
    wish.broadcast = path("");
    moq_wire::Encode::encode(&wish, &mut whole, version).unwrap();
    whole[2..].to_vec()
}

#[test]
fn a_reason_is_cut_either_way() {
    for_each_version(|version| async move {
        for (len, is_over) in around(1_024) {
            let long = "x".repeat(len as usize);
            let told = &long[..long.len().min(1_024)];
            let ends = |session: &Session| reached(session, Limit::CloseReason, u64::from(is_over));
            let origin = OriginProducer::new();
            let (mut peer, session) = enter(version, &origin, Limits::default()).await;
            session.close(0, &long);
            assert_eq!(peer.expect_close(0).await, told);
            ends(&session);
            let (mut peer, session) = enter(version, &origin, Limits::default()).await;
            peer.close(0, &long);
            let moq_session::SessionError::Transport(
                moq_session::transport::TransportError::Closed { reason, .. },
            ) = session.closed().await
            else {
                panic!("no reason");
            };
            assert_eq!(reason, told);
            ends(&session);
        }
    });
}

#[test]
fn an_answer_in_time_counts_for_nothing() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let broadcast = finished(&[&["a"]]);
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, session) = enter(version, &origin, Limits::default()).await;
        let mut stream = peer.open_bi(BiStream::Subscribe).await;
        stream.send_bytes([9]).await;
        tokio::time::sleep(Duration::from_millis(9_999)).await;
        assert_eq!(session.reached(Limit::AnswerTime), 0);
        stream.expect_reset(CONTROL_TIMEOUT).await;
        settle().await;
        // The peer was asked what it announces, too.
        let unanswered = 1 + u64::from(version.features().announce_ok);
        assert_eq!(session.reached(Limit::AnswerTime), unanswered);
    });
}
