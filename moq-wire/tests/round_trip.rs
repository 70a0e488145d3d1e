//! Every message of every version survives the way to bytes and back, and cut short at any byte it
//! is never taken for a message.

mod samples;

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, Datagram, Decode, DecodeError, Encode, FrameDecoder,
    FrameEncoder, FrameHeader, GroupSequence, SubscribeId, SubscribeResponse, Version, decode_body,
    limits, put_message, split_message,
};

#[test]
fn messages_survive_and_prefixes_are_not_yet_messages() {
    for version in versions() {
        samples::each_message(version, &mut RoundTrip(version));
    }
}

#[test]
fn announcements_survive_byte_by_byte() {
    for version in versions() {
        let events = samples::announcements(version);
        let mut encoder = AnnounceEncoder::new(version);
        let stream = concat(&events, |event, buf| encoder.encode(event, buf).unwrap());
        let mut decoder = AnnounceDecoder::new(version);
        let mut rest = &stream[..];
        if version.features().announce_init {
            let (empty_list, others) = rest.split_at(2);
            assert_eq!(decoder.decode(&mut empty_list.into()), Ok(None));
            rest = others;
        }
        assert_trickles(rest, &events, |buf| decoder.decode(buf));
    }
}

#[test]
fn responses_survive_byte_by_byte() {
    for version in versions() {
        let responses = samples::responses(version);
        let stream = concat(&responses, |response, buf| {
            response.put(buf, version).unwrap();
        });
        assert_trickles(&stream, &responses, |buf| {
            SubscribeResponse::split(buf, version)
        });
    }
}

#[test]
fn frame_headers_survive_byte_by_byte() {
    for version in versions() {
        let stamp = |timestamp| version.features().timestamps.then_some(timestamp);
        let headers = [
            (0, 0),
            (180_000, 70),
            (1 << 60, 20_000),
            (7, 1 << 30),
            (7, 0),
        ]
        .map(|(timestamp, len)| FrameHeader {
            timestamp: stamp(timestamp),
            len,
        });
        let mut encoder = FrameEncoder::new(version);
        let stream = concat(&headers, |header, buf| {
            let len = usize::try_from(header.len).unwrap();
            encoder
                .header(header.timestamp.unwrap_or(99), len, buf)
                .unwrap();
        });
        let mut decoder = FrameDecoder::new(version);
        assert_trickles(&stream, &headers, |buf| decoder.header(buf));
    }
}

#[test]
fn datagrams_survive_and_a_cut_header_is_not_one() {
    for version in versions().filter(|version| version.features().datagrams) {
        for payload in [&b""[..], b"payload"] {
            let datagram = Datagram {
                subscribe_id: SubscribeId(64),
                sequence: GroupSequence(1),
                timestamp: 1 << 30,
                payload: Bytes::from_static(payload),
            };
            let bytes = concat(&[&datagram], |datagram, buf| {
                datagram.encode(buf, version).unwrap();
            });
            assert_eq!(decode_body(bytes.clone(), version), Ok(datagram));
            for cut in 0..bytes.len() - payload.len() {
                let cut = decode_body::<Datagram>(bytes.slice(..cut), version);
                assert_eq!(cut, Err(DecodeError::PastEnd));
            }
        }
    }
}

struct RoundTrip(Version);

impl samples::Visitor for RoundTrip {
    fn visit<M: Encode + Decode + PartialEq + Debug>(&mut self, message: M) {
        let Self(version) = *self;
        let body = concat(&[&message], |message, buf| {
            message.encode(buf, version).expect("in range");
        });
        assert_eq!(
            decode_body::<M>(body.clone(), version).as_ref(),
            Ok(&message),
            "{version}"
        );
        for cut in 0..body.len() {
            let result = decode_body::<M>(body.slice(..cut), version);
            assert_eq!(
                result,
                Err(DecodeError::PastEnd),
                "{version} {message:?} cut at {cut}"
            );
        }
        let longer = Bytes::from([&body[..], b"\0"].concat());
        assert_eq!(
            decode_body::<M>(longer, version),
            Err(DecodeError::Trailing)
        );

        let stream = concat(&[&message], |message, buf| {
            put_message(*message, buf, version).expect("in range");
        });
        assert_trickles(&stream, &[body], |buf| {
            split_message(buf, limits::MAX_MESSAGE, version)
        });
    }
}

/// Feeds `stream` byte by byte: an item has to appear with its last byte, and not before.
fn assert_trickles<T: PartialEq + Debug>(
    stream: &[u8],
    items: &[T],
    mut split: impl FnMut(&mut BytesMut) -> Result<Option<T>, DecodeError>,
) {
    let mut expected = items.iter();
    let mut buf = BytesMut::new();
    for byte in stream {
        buf.extend_from_slice(&[*byte]);
        let before = buf.clone();
        match split(&mut buf) {
            Ok(None) => assert_eq!(buf, before, "nothing is taken off"),
            Ok(Some(item)) => assert_eq!(Some(&item), expected.next()),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(buf.is_empty());
    assert_eq!(expected.next(), None);
}

fn concat<T>(items: &[T], mut put: impl FnMut(&T, &mut BytesMut)) -> Bytes {
    let mut buf = BytesMut::new();
    for item in items {
        put(item, &mut buf);
    }
    buf.freeze()
}

fn versions() -> impl Iterator<Item = Version> {
    Version::ALL.iter().copied()
}
