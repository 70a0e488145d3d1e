//! First messages that are cut, malformed, or of no known kind; and such as only look so.

mod common;

use bytes::BytesMut;
use common::for_each_version;
use common::scripts::{enter, kinds};
use moq_session::{OriginProducer, Version};
use moq_wire::code::stream::{CANCELLED, INTERNAL, UNROUTABLE};
use moq_wire::{BiStream, UniStream, VarIntForm, varint};

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
    varint::put(value, &mut buf, version).expect("it is in range");
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
