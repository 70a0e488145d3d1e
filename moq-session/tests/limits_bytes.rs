//! How long messages, paths and reasons may be, and how long an answer may take.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::limits::{around, enter, reached};
use common::scripts::{path, settle, subscribe};
use common::{finished, for_each_version};
use moq_session::{Limit, Limits, OriginProducer, Session};
use moq_wire::code::stream::{CANCELLED, CONTROL_TIMEOUT};
use moq_wire::{BiStream, varint};

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
        // A message has no room for a hundred times as many bytes.
        let [less, equal, more, _] = around(1_024);
        let long = [less, equal, more, (60 * 1_024, true)];
        let long = long.map(|(count, is_over)| (bytes(count), is_over));
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
