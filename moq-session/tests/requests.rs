//! First messages on bidirectional streams, well formed and not.

mod common;

use bytes::BytesMut;
use common::scripts::{enter, kinds, settle, subscribe, track, track_info};
use common::{finished, for_each_version};
use moq_session::testing::{Peer, Script};
use moq_session::{OriginProducer, Version};
use moq_wire::code::stream::{CANCELLED, INTERNAL, NOT_FOUND, UNROUTABLE};
use moq_wire::{
    BiStream, Goaway, Subscribe, Track, TrackInfo, UniStream, VarIntForm,
    code, varint,
};

// spec: Section 6.2, "FIN before the message is complete"
#[test]
fn a_request_that_ends_early_is_reset() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        for kind in kinds(version) {
            for part in [&[][..], &[9], &[9, 4, b'r', b'o']] {
                let mut stream = peer.open_bi(kind).await;
                stream.send_bytes(part).await;
                stream.finish();
                stream.expect_reset(CANCELLED).await;
            }
        }
        let mut stream = peer.open_raw_bi().await;
        stream.finish();
        stream.expect_reset(CANCELLED).await;
        peer.expect_alive().await;
    });
}

fn integer(value: u64, version: Version) -> BytesMut {
    let mut buf = BytesMut::new();
    varint::put(value, &mut buf, version);
    buf
}

// spec: Section 6.2, "declared length far above what has arrived"
// spec: Section 6.2, "trailing bytes in the body, field past the end, bad UTF-8, 33 segments"
#[test]
fn a_malformed_request_is_reset_and_costs_only_itself() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let (mut other, _other) = enter(version, &origin).await;
        for kind in kinds(version).filter(|kind| *kind != BiStream::Goaway) {
            let id: &[u8] = match kind {
                BiStream::Subscribe => &[0],
                _ => &[],
            };
            let bodies: [Vec<u8>; 4] = [
                vec![0; 12],
                [id, &[9, b'a', b'b']].concat(),
                [id, &[2, 0xc3, 0x28], &[0; 9]].concat(),
                // The path and its length.
                [id, &integer(65, version), &b"a/".repeat(32), b"a", &[0; 9]].concat(),
            ];
            let whole = |body: &Vec<u8>| [&integer(body.len() as u64, version), &body[..]].concat();
            let too_long = integer(64 * 1_024 + 1, version).to_vec();
            for message in bodies.iter().map(whole).chain([too_long]) {
                let mut stream = peer.open_bi(kind).await;
                stream.send_bytes(message).await;
                stream.expect_reset(CANCELLED).await;
            }
        }
        peer.expect_alive().await;
        other.expect_alive().await;
    });
}

// spec: Section 6.1, "unknown stream type"
// spec: Section 6.1, "type of another version, including bidi 0x0"
#[test]
fn an_unknown_stream_type_costs_that_stream() {
    for_each_version(|version| async move {
        let (mut peer, session) = enter(version, &OriginProducer::new()).await;
        let foreign = (0..0x40).filter(|code| BiStream::from_code(*code, version).is_none());
        for kind in foreign {
            let mut stream = peer.open_raw_bi().await;
            stream.send_varint(kind).await;
            stream.expect_reset(CANCELLED).await;
            stream.expect_stop(INTERNAL).await;
        }
        for kind in (0..0x40).filter(|code| UniStream::from_code(*code, version).is_none()) {
            let mut stream = peer.open_raw_uni().await;
            stream.send_varint(kind).await;
            stream.expect_stop(INTERNAL).await;
        }
        assert!(session.is_open());
    });
}

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
    let wish = subscribe(7, broadcast, name);
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

    let wish = subscribe(0, "room", "data");
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

// spec: Section 6.2, "padded (non-minimal) varints"
#[test]
fn padded_integers_are_read() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        let mut stream = peer.open_raw_bi().await;
        let features = version.features();
        // The first bytes of integers of two and of four bytes.
        let (two, four) = match features.varint {
            VarIntForm::LeadingOnes => (0x80, 0xe0),
            _ => (0x40, 0x80),
        };
        stream.send_bytes([two, 2]).await;
        let fields = if features.frame_bounds {
            6
        } else if features.subscribe_range {
            5
        } else {
            1
        };
        let body = [
            &[four, 0, 0, 9, two, 1, b'a', 1, b't'][..],
            &[0; 6][..fields],
        ]
        .concat();
        let len = u8::try_from(body.len()).unwrap();
        stream.send_bytes([four, 0, 0, len]).await;
        stream.send_bytes(body).await;
        stream.expect_reset(UNROUTABLE).await;
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
        let wish = subscribe(0, "room", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        live.used().await;
        stream.reset(CANCELLED);
        stream.expect_reset(CANCELLED).await;
        live.unused().await;
        assert_eq!(session.outstanding().subscriptions, 0);
    });
}
