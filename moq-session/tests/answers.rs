//! Answers to this end's requests, and what is made of none.

mod common;

use std::time::Duration;

use common::ends::{malformed, rest};
use common::for_each_version;
use common::scripts::{header, settle, track_info};
use moq_session::testing::Peer;
use moq_session::{Config, Subscription};
use moq_wire::code::stream::{CANCELLED, INTERNAL};
use moq_wire::{BiStream, Track};

// spec: Section 6.2, "STOP_SENDING of your request half"
#[test]
fn a_stop_says_nothing_against_an_answer() {
    for_each_version(|version| async move {
        if !version.features().track_stream {
            return;
        }
        let (session, mut peer) = Peer::server_of(version, Config::default()).await;
        let track = session.track("room", "data").unwrap();
        let (_, mut stream) = peer.expect_request::<Track>(BiStream::Track).await;
        stream.stop(INTERNAL);
        stream.send(&track_info()).await;
        stream.finish();
        assert_eq!(track.info().await.unwrap().max_age, Duration::from_secs(5));
    });
}

// spec: Section 6.5, "TRACK answered with more than one message, or FIN before TRACK_INFO"
// spec: Section 6.4, "timescale 0"
#[test]
fn an_answer_to_track_that_is_none_fails_the_track() {
    for_each_version(|version| async move {
        if !version.features().track_stream {
            return;
        }
        let zero: &[u8] = if version.features().ordered_byte {
            &[4, 0, 0, 0, 0]
        } else {
            &[3, 0, 0, 0]
        };
        for answer in [&[][..], &[3, 127], zero] {
            let (session, mut peer) = Peer::server(version).await;
            let track = session.track("room", "data").unwrap();
            let mut stream = peer.expect_bi(BiStream::Track).await;
            let _: Track = stream.expect().await;
            stream.send_bytes(answer).await;
            stream.finish();
            let error = track.info().await.unwrap_err();
            let malformed = moq_session::Abort::Malformed;
            assert_eq!(error, moq_session::ReadError::Aborted(malformed));
            assert!(session.is_open());
        }
    });
}

// spec: Section 6.5, "TRACK answered with more than one message, or FIN before TRACK_INFO"
#[test]
fn a_second_answer_to_track_fails_the_track() {
    for_each_version(|version| async move {
        if !version.features().track_stream {
            return;
        }
        for is_at_once in [true, false] {
            let (session, mut peer) = Peer::server(version).await;
            let track = session.track("room", "data").unwrap();
            let reader = track.subscribe(Subscription::default());
            let (_, mut stream) = peer.expect_request::<Track>(BiStream::Track).await;
            stream.send(&track_info()).await;
            if !is_at_once {
                settle().await;
            }
            stream.send(&track_info()).await;
            assert_eq!(rest(&mut reader.ordered()).await.1, Some(malformed()));
            assert!(session.is_open());
            peer.expect_alive().await;
        }
    });
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        let kind = if version.features().track_stream {
            BiStream::Track
        } else {
            BiStream::Subscribe
        };
        let before = tokio::time::Instant::now();
        let (info, mut unanswered) = tokio::join!(track.info(), peer.expect_bi(kind));
        let error = info.unwrap_err();
        let timeout = moq_session::Abort::Timeout;
        assert_eq!(error, moq_session::ReadError::Aborted(timeout));
        assert_eq!(before.elapsed(), Duration::from_secs(10));
        unanswered.expect_reset(CANCELLED).await;
        let mut late = peer.group(&header(0, 0)).await;
        late.expect_stop(CANCELLED).await;
    });
}
