//! Just enough moq-lite-06, written by hand: the generator must not share our own codec's faults.

use std::ops::Range;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use quinn::RecvStream;

pub(super) const ALPN: &[u8] = b"moq-lite-06";

/// Stream types of requests that a publisher gets.
pub(super) const ANNOUNCE: u64 = 1;
pub(super) const SUBSCRIBE: u64 = 2;
pub(super) const TRACK: u64 = 6;

/// What a client is going to do, as its SETUP declares it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Publisher = 1,
    Subscriber = 2,
}

/// The whole of a client's Setup stream.
pub(super) fn setup(role: Role) -> Bytes {
    let mut body = BytesMut::new();
    put_varint(&mut body, 1);
    put_varint(&mut body, ROLE);
    put_bytes(&mut body, &[role as u8]);
    message(Some(SETUP), &body)
}

/// These broadcasts, as the complete initial set.
pub(super) fn announcements(broadcasts: Range<u64>) -> Bytes {
    let mut ok = BytesMut::new();
    // A hop of its own for each publisher.
    put_varint(&mut ok, HOP + broadcasts.start);
    put_varint(&mut ok, broadcasts.end - broadcasts.start);
    let starts = broadcasts.map(|broadcast| {
        let mut start = BytesMut::new();
        put_bytes(&mut start, name(broadcast).as_bytes());
        // No hops, no cost.
        start.put_bytes(0, 3);
        message(Some(ANNOUNCE_START), &start)
    });
    let all: Vec<Bytes> = std::iter::once(message(None, &ok)).chain(starts).collect();
    all.concat().into()
}

/// Asks for all announcements.
pub(super) fn announce_request() -> Bytes {
    message(Some(ANNOUNCE), &[0])
}

/// Whether a message of this type on an Announce stream tells of another broadcast.
pub(super) fn is_announce_start(kind: u64) -> bool {
    kind == ANNOUNCE_START
}

fn name(broadcast: u64) -> String {
    format!("bench/{broadcast}")
}

/// Asks for the properties of a broadcast's track.
pub(super) fn track_request(broadcast: u64) -> Bytes {
    let mut body = BytesMut::new();
    put_bytes(&mut body, name(broadcast).as_bytes());
    put_bytes(&mut body, TRACK_NAME);
    message(Some(TRACK), &body)
}

pub(super) fn track_info() -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(PRIORITY);
    put_varint(&mut body, MAX_AGE_MS);
    put_varint(&mut body, TIMESCALE);
    message(None, &body)
}

/// Asks for the track from the oldest group that is not too old, without an end.
pub(super) fn subscription(id: u64, broadcast: u64) -> Bytes {
    let mut body = BytesMut::new();
    put_varint(&mut body, id);
    put_bytes(&mut body, name(broadcast).as_bytes());
    put_bytes(&mut body, TRACK_NAME);
    body.put_u8(PRIORITY);
    put_varint(&mut body, MAX_AGE_MS);
    // First and last group, first and last frame.
    body.put_bytes(0, 4);
    message(Some(SUBSCRIBE), &body)
}

/// Says that delivery starts with group 0.
pub(super) fn subscription_start() -> Bytes {
    message(Some(SUBSCRIBE_START), &[0])
}

/// What precedes the frames on a group stream.
pub(super) fn group_head(subscribe: u64, sequence: u64) -> Bytes {
    let mut body = BytesMut::new();
    put_varint(&mut body, subscribe);
    put_varint(&mut body, sequence);
    put_varint(&mut body, 0);
    message(Some(GROUP), &body)
}

/// A frame of `size` bytes that begins with `stamp`, `delta` milliseconds after the one before.
pub(super) fn frame(delta: u64, stamp: u64, size: usize) -> Bytes {
    let mut frame = BytesMut::with_capacity(size + 16);
    // Signed on the wire: the lowest bit is the sign.
    put_varint(&mut frame, delta << 1);
    put_varint(&mut frame, size as u64);
    frame.put_u64(stamp);
    frame.put_bytes(0, size.saturating_sub(8));
    frame.freeze()
}

/// The subscribe id, the first field of a SUBSCRIBE body.
pub(super) fn subscribe_id(mut body: Bytes) -> anyhow::Result<u64> {
    take_varint(&mut body).context("a SUBSCRIBE without id")
}

/// Whether the prefix of an ANNOUNCE_REQUEST covers everything.
pub(super) fn asks_for_all(body: &[u8]) -> bool {
    body == [0]
}

pub(super) async fn read_varint(stream: &mut RecvStream) -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes[..1]).await?;
    let size = 1 << (bytes[0] >> 6);
    stream.read_exact(&mut bytes[1..size]).await?;
    take_varint(&mut &bytes[..size]).context("a cut integer")
}

/// The body of a length-prefixed message.
pub(super) async fn read_message(stream: &mut RecvStream) -> anyhow::Result<Bytes> {
    let size = usize::try_from(read_varint(stream).await?)?;
    anyhow::ensure!(size <= MOST_BYTES, "a message of {size} bytes");
    let mut body = vec![0; size];
    stream.read_exact(&mut body).await?;
    Ok(body.into())
}

/// A length-prefixed message, after its type or its stream's where it has one.
fn message(kind: Option<u64>, body: &[u8]) -> Bytes {
    let mut message = BytesMut::new();
    if let Some(kind) = kind {
        put_varint(&mut message, kind);
    }
    put_bytes(&mut message, body);
    message.freeze()
}

fn put_bytes(into: &mut BytesMut, bytes: &[u8]) {
    put_varint(into, bytes.len() as u64);
    into.put_slice(bytes);
}

fn put_varint(into: &mut BytesMut, value: u64) {
    match value {
        0..0x40 => into.put_u8(value as u8),
        0x40..0x4000 => into.put_u16(0x4000 | value as u16),
        0x4000..0x4000_0000 => into.put_u32(0x8000_0000 | value as u32),
        _ => into.put_u64(0xc000_0000_0000_0000 | value),
    }
}

fn take_varint(from: &mut impl Buf) -> Option<u64> {
    let size = 1 << (from.chunk().first()? >> 6);
    let value = from.try_get_uint(size).ok()?;
    Some(value & (u64::MAX >> (66 - 8 * size)))
}

/// How long groups are kept.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5);

const SETUP: u64 = 1;
const ROLE: u64 = 3;
const GROUP: u64 = 0;
const ANNOUNCE_START: u64 = 0;
const SUBSCRIBE_START: u64 = 0;

const TRACK_NAME: &[u8] = b"data";
const HOP: u64 = 0x1111;
const PRIORITY: u8 = 127;
const MAX_AGE_MS: u64 = MAX_AGE.as_millis() as u64;
/// Timestamps are milliseconds.
const TIMESCALE: u64 = 1000;

/// No request that concerns the generator is longer.
const MOST_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_value_at_every_size() {
        for value in [
            0,
            0x3f,
            0x40,
            0x3fff,
            0x4000,
            0x3fff_ffff,
            0x4000_0000,
            (1 << 62) - 1,
        ] {
            let mut bytes = BytesMut::new();
            put_varint(&mut bytes, value);
            assert_eq!(take_varint(&mut bytes), Some(value));
            assert!(bytes.is_empty());
        }
        assert_eq!(take_varint(&mut &[0x40][..]), None);
    }

    #[test]
    fn messages_are_those_of_the_draft() {
        assert_eq!(setup(Role::Subscriber)[..], [1, 4, 1, 3, 1, 2]);
        assert_eq!(track_info()[..], [5, 127, 0x53, 0x88, 0x43, 0xe8]);
        assert_eq!(group_head(0, 1)[..], [0, 3, 0, 1, 0]);
        let subscription = subscription(0, 0);
        assert_eq!(subscription[..4], [2, 21, 0, 7]);
        assert_eq!(subscription[16..], [127, 0x53, 0x88, 0, 0, 0, 0]);
        assert_eq!(announcements(0..1)[..7], [3, 0x51, 0x11, 1, 0, 11, 7]);
        let two = announcements(4..6);
        assert_eq!(two[..4], [3, 0x51, 0x15, 2]);
        assert_eq!(two.len(), 4 + 2 * 13);
    }
}
