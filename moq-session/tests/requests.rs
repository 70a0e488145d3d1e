//! First messages on bidirectional streams, well formed and not.

mod common;

use common::scripts::{enter, settle, subscribe, track, track_info};
use common::{finished, for_each_version};
use moq_session::testing::{Peer, Script};
use moq_session::{OriginProducer, Version};
use moq_wire::code::stream::{CANCELLED, INTERNAL, NOT_FOUND, UNROUTABLE};
use moq_wire::{BiStream, Goaway, Subscribe, Track, TrackInfo, code};

// spec: Section 6.2, "FIN together with TRACK or FETCH"
#[test]
fn a_track_request_is_answered_though_it_was_ended() {
    for_each_version(|version| async move {
        if !version.features().track_stream {
            return;
        }
        let origin = OriginProducer::new();
        let broadcast = finished(&[]);
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, _session) = enter(version, &origin).await;
        let mut stream = peer.request(BiStream::Track, &track("room", "data")).await;
        stream.finish();
        assert_eq!(stream.expect::<TrackInfo>().await, track_info());
        stream.expect_fin().await;
    });
}

async fn ask(peer: &mut Peer, broadcast: &str, name: &str) -> Vec<Script> {
    let wish = subscribe(peer.version(), 7, broadcast, name);
    let mut asked = vec![peer.request(BiStream::Subscribe, &wish).await];
    if peer.version().features().track_stream {
        let wish = track(broadcast, name);
        asked.push(peer.request(BiStream::Track, &wish).await);
    }
    asked
}

// spec: Section 6.2, "path covered by no route"
// spec: Section 6.2, "unknown track"
#[test]
fn what_is_not_there_is_refused_with_its_reason() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let broadcast = finished(&[]);
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, _session) = enter(version, &origin).await;
        let cases = [
            ("hall", "data", UNROUTABLE),
            ("room/below", "data", UNROUTABLE),
            ("room", "other", NOT_FOUND),
        ];
        for (broadcast, name, reason) in cases {
            for mut stream in ask(&mut peer, broadcast, name).await {
                stream.expect_reset(reason).await;
            }
        }
        peer.expect_alive().await;
    });
}

// spec: Section 6.1, "second GOAWAY"
#[test]
fn a_second_goaway_closes_the_session() {
    for_each_version(|version| async move {
        let (mut peer, session) = enter(version, &OriginProducer::new()).await;
        let goaway = Goaway {
            uri: "https://elsewhere".to_owned(),
        };
        if !version.features().goaway {
            let mut unknown = peer.request(BiStream::Goaway, &goaway).await;
            unknown.expect_reset(CANCELLED).await;
            let mut unknown = peer.request(BiStream::Goaway, &goaway).await;
            unknown.expect_reset(CANCELLED).await;
            assert!(session.is_open());
            return;
        }
        let mut malformed = peer.open_bi(BiStream::Goaway).await;
        malformed.send_bytes([2, 9, 9]).await;
        malformed.expect_reset(CANCELLED).await;
        let mut first = peer.request(BiStream::Goaway, &goaway).await;
        first.expect_reset(CANCELLED).await;
        peer.expect_alive().await;
        assert!(session.is_open());
        let _second = peer.request(BiStream::Goaway, &goaway).await;
        peer.expect_close(code::session::PROTOCOL_VIOLATION).await;
    });
}

/// Sends `code` from the publisher of a track through a relay, and says what its subscriber gets.
async fn relay(version: Version, code: u32, passed: u32) {
    let origin = OriginProducer::new();
    let (mut publisher, _first) = enter(version, &origin).await;
    let (mut subscriber, _second) = enter(version, &origin).await;
    let mut announce = publisher.expect_bi(BiStream::Announce).await;
    common::announce::tell(&mut announce, 1, &["room"]).await;
    settle().await;

    let wish = subscribe(version, 0, "room", "data");
    let mut answer = subscriber.request(BiStream::Subscribe, &wish).await;
    let mut refused = if version.features().track_stream {
        publisher.expect_request::<Track>(BiStream::Track).await.1
    } else {
        publisher
            .expect_request::<Subscribe>(BiStream::Subscribe)
            .await
            .1
    };
    refused.reset(code);
    answer.expect_reset(passed).await;
}

// spec: Section 3.14, "A relay passes registered stream codes and application codes through"
#[test]
fn a_refusal_passes_through_a_relay() {
    for_each_version(|version| async move {
        let cases = [
            (code::application(0), 64),
            (code::application(u16::MAX), 64 + 65_535),
            (NOT_FOUND, NOT_FOUND),
            (code::stream::NO_CAPACITY, code::stream::NO_CAPACITY),
            (0x77_7777, INTERNAL),
            (40, INTERNAL),
        ];
        for (code, passed) in cases {
            relay(version, code, passed).await;
        }
    });
}

// spec: Section 6.2, "RESET of the request half"
#[test]
fn a_cancelled_request_is_reset_back() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let broadcast = moq_session::BroadcastProducer::new();
        let live = broadcast.create(moq_session::Track::new("data")).unwrap();
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, session) = enter(version, &origin).await;
        let wish = subscribe(version, 0, "room", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        live.used().await;
        stream.reset(CANCELLED);
        stream.expect_reset(CANCELLED).await;
        live.unused().await;
        assert_eq!(session.outstanding().subscriptions, 0);
    });
}
