//! What is written can be read and says the same: an encoder refuses what a decoder would refuse, and
//! leaves out only what the draft has no field for.

mod carried;
mod generate;
#[path = "../random/mod.rs"]
mod random;

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use carried::Carried;
use generate::Generate;
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, ClientSetup,
    Datagram, Decode, DecodeError, Encode, EncodeError, Fetch, FrameDecoder, FrameEncoder, Goaway,
    GroupHeader, Probe, ServerSetup, SessionInfo, Setup, Subscribe, SubscribeResponse,
    SubscribeUpdate, Track, TrackInfo, Version, decode_body, limits, put_message, split_message,
};
use random::Random;

#[test]
fn a_message_is_refused_or_read_as_it_was_meant() {
    let mut seen = Seen::default();
    for version in versions() {
        seen.messages::<Setup>(version);
        seen.messages::<AnnounceRequest>(version);
        seen.messages::<AnnounceOk>(version);
        seen.messages::<Subscribe>(version);
        seen.messages::<SubscribeUpdate>(version);
        seen.messages::<Track>(version);
        seen.messages::<TrackInfo>(version);
        seen.messages::<Fetch>(version);
        seen.messages::<Probe>(version);
        seen.messages::<Goaway>(version);
        seen.messages::<GroupHeader>(version);
        seen.messages::<SessionInfo>(version);
    }
}

#[test]
fn an_answer_is_refused_or_read_as_it_was_meant() {
    let mut seen = Seen::default();
    for version in versions() {
        seen.items(
            version,
            |response: &SubscribeResponse, buf| response.put(buf, version),
            |buf| SubscribeResponse::split(buf, version),
        );
    }
}

#[test]
fn a_handshake_is_refused_or_read_as_it_was_meant() {
    let mut seen = Seen::default();
    let version = Version::Lite01;
    seen.items(version, ClientSetup::put, ClientSetup::split);
    seen.items(version, ServerSetup::put, ServerSetup::split);
}

#[test]
fn a_datagram_is_refused_or_read_as_it_was_meant() {
    let mut seen = Seen::default();
    for version in versions() {
        seen.items(
            version,
            |datagram: &Datagram, buf| {
                // What is written of a datagram that is refused goes nowhere.
                let mut whole = BytesMut::new();
                datagram.encode(&mut whole, version)?;
                buf.extend_from_slice(&whole);
                Ok(())
            },
            |buf| decode_body(buf.split().freeze(), version).map(Some),
        );
    }
}

#[test]
fn an_announcement_is_refused_or_read_as_it_was_meant() {
    let mut seen = Seen::default();
    for version in versions() {
        let start = |event: &AnnounceEvent, buf: &mut BytesMut| {
            AnnounceEncoder::new(version).encode(event, buf)
        };
        let read = |buf: &mut BytesMut| AnnounceDecoder::new(version).decode(buf);
        seen.items(version, start, read);
        let listed = |event: &AnnounceEvent, buf: &mut BytesMut| {
            let events = [event.clone()];
            AnnounceEncoder::with_initial(version, &events, buf).map(|_| ())
        };
        if !version.features().announce_init {
            seen.items(version, listed, read);
        }
    }
}

#[test]
fn a_frame_is_refused_or_read_as_it_was_meant() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for version in versions() {
        let (mut encoder, mut decoder) = (FrameEncoder::new(version), FrameDecoder::new(version));
        let (mut written, mut refused) = (0, 0);
        for _ in 0..ROUNDS {
            let (timestamp, len) = (generate::number(&mut random), generate::number(&mut random));
            let mut buf = BytesMut::new();
            let len = usize::try_from(len).unwrap();
            if encoder.header(timestamp, len, &mut buf).is_err() {
                assert!(buf.is_empty());
                refused += 1;
                continue;
            }
            written += 1;
            let header = decoder.header(&mut buf).unwrap().expect("whole");
            let told = version.features().timestamps.then_some(timestamp);
            assert_eq!((header.timestamp, header.len), (told, len as u64));
            assert!(buf.is_empty());
        }
        assert!(written > 0 && refused > 0, "{written}, {refused}");
    }
}

/// Generates messages, and judges what becomes of them.
struct Seen {
    random: Random,
    /// How many of each type were written, and how many refused.
    counts: BTreeMap<&'static str, (u32, u32)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            random: Random(0x9e37_79b9_7f4a_7c15),
            counts: BTreeMap::new(),
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        for (name, (written, refused)) in &self.counts {
            let is_both = *written > 0 && *refused > 0;
            let is_judged = is_both || std::thread::panicking();
            assert!(is_judged, "{name}: {written} written, {refused} refused");
        }
    }
}

impl Seen {
    fn messages<M>(&mut self, version: Version)
    where
        M: Encode + Decode + Generate + Carried + PartialEq + Debug,
    {
        self.items(
            version,
            |message: &M, buf| put_message(message, buf, version),
            |buf| {
                let body = split_message(buf, limits::MAX_MESSAGE, version)?;
                body.map(|body: Bytes| decode_body(body, version))
                    .transpose()
            },
        );
    }

    fn items<M: Generate + Carried + PartialEq + Debug>(
        &mut self,
        version: Version,
        put: impl Fn(&M, &mut BytesMut) -> Result<(), EncodeError>,
        split: impl Fn(&mut BytesMut) -> Result<Option<M>, DecodeError>,
    ) {
        let (written, refused) = self.counts.entry(type_name::<M>()).or_default();
        for _ in 0..ROUNDS {
            let message = M::generate(&mut self.random);
            let mut buf = BytesMut::from(&b"before"[..]);
            if put(&message, &mut buf).is_err() {
                assert_eq!(buf, b"before"[..], "{version}: nothing is left of it");
                *refused += 1;
                continue;
            }
            *written += 1;
            let mut stream = buf.split_off(6);
            let read = split(&mut stream).map(|read| read.expect("whole"));
            assert_eq!(read, Ok(message.carried(version)), "{version}");
            assert!(stream.is_empty());
        }
    }
}

fn versions() -> impl Iterator<Item = Version> {
    Version::ALL.iter().copied()
}

const ROUNDS: usize = 400;
