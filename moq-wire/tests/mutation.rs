//! Damaged bytes never panic, and what still decodes means the same once encoded again.

mod random;
mod samples;

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, Datagram, Decode, Encode, FrameDecoder, SubscribeResponse,
    Version, decode_body, limits, put_message, split_message, varint,
};
use random::Random;

#[test]
fn damaged_messages_are_refused_or_stable() {
    let mut mutate = Mutate {
        version: Version::Lite06,
        random: Random(0x9e37_79b9_7f4a_7c15),
    };
    for version in Version::ALL.iter().copied() {
        mutate.version = version;
        samples::each_message(version, &mut mutate);
    }
}

#[test]
fn damaged_announcements_do_not_panic() {
    each_damaged(announce_stream, |bytes, version| {
        let mut decoder = AnnounceDecoder::new(version);
        let mut encoder = AnnounceEncoder::new(version);
        let mut buf = BytesMut::from(bytes);
        while let Ok(Some(event)) = decoder.decode(&mut buf) {
            assert_eq!(
                encoder.encode(&event, &mut BytesMut::new()),
                Ok(()),
                "{event:?}"
            );
        }
    });
}

#[test]
fn damaged_responses_do_not_panic() {
    each_damaged(response_stream, |bytes, version| {
        let mut buf = BytesMut::from(bytes);
        while let Ok(Some(response)) = SubscribeResponse::split(&mut buf, version) {
            let mut again = BytesMut::new();
            assert_eq!(response.put(&mut again, version), Ok(()));
            assert_eq!(
                SubscribeResponse::split(&mut again, version),
                Ok(Some(response))
            );
        }
    });
}

#[test]
fn noise_does_not_panic() {
    let noise = |_| Bytes::from_static(&[0x80, 5, 0x7e, 0x40, 5, 0, 0xff, 1, 3, 0x57, 0x70, 0]);
    each_damaged(noise, |bytes, version| {
        let mut decoder = FrameDecoder::new(version);
        let mut buf = BytesMut::from(bytes);
        while let Ok(Some(header)) = decoder.header(&mut buf) {
            assert!(
                header
                    .timestamp
                    .is_none_or(|timestamp| timestamp <= varint::MAX)
            );
        }
        let _datagram = decode_body::<Datagram>(Bytes::copy_from_slice(bytes), version);
        let mut buf = BytesMut::from(bytes);
        while let Ok(Some(_)) = split_message(&mut buf, limits::MAX_MESSAGE, version) {}
        let mut buf = BytesMut::from(bytes);
        while let Ok(Some(_)) = varint::split(&mut buf, version) {}
    });
}

struct Mutate {
    version: Version,
    random: Random,
}

impl samples::Visitor for Mutate {
    fn visit<M: Encode + Decode + PartialEq + Debug>(&mut self, message: M) {
        let mut body = BytesMut::new();
        assert_eq!(message.encode(&mut body, self.version), Ok(()));
        for _ in 0..ROUNDS {
            let damaged = self.random.damage(&body);
            let Ok(decoded) = decode_body::<M>(damaged.into(), self.version) else {
                continue;
            };
            let mut again = BytesMut::new();
            assert_eq!(put_message(&decoded, &mut again, self.version), Ok(()));
            let body = split_message(&mut again, usize::MAX, self.version)
                .ok()
                .flatten();
            assert_eq!(decode_body(body.expect("whole"), self.version), Ok(decoded));
        }
    }
}

fn each_damaged(stream: impl Fn(Version) -> Bytes, mut judge: impl FnMut(&[u8], Version)) {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for version in Version::ALL.iter().copied() {
        let bytes = stream(version);
        for _ in 0..ROUNDS * 4 {
            judge(&random.damage(&bytes), version);
        }
    }
}

fn announce_stream(version: Version) -> Bytes {
    let mut encoder = AnnounceEncoder::new(version);
    let mut buf = BytesMut::new();
    for event in samples::announcements(version) {
        encoder
            .encode(&event, &mut buf)
            .expect("samples do not contradict themselves");
    }
    buf.freeze()
}

fn response_stream(version: Version) -> Bytes {
    let mut buf = BytesMut::new();
    for response in samples::responses(version) {
        assert_eq!(response.put(&mut buf, version), Ok(()));
    }
    buf.freeze()
}

const ROUNDS: usize = 2_000;
