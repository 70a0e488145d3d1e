//! How many instructions the work of a busy session takes.
//!
//! Each benchmark does its work [`TIMES`] times, so the instructions of one are those reported,
//! divided by that. Those of its loop are among them; `varint_loop` and `frame_loop` tell how many
//! they are. "Encode" writes to a place of its final size, "append" to a buffer that may grow.
//!
//! `cargo xtask bench wire` runs this, and beside it what others take for the same integers.

#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the macros that declare benchmarks write neither docs nor short paths"
)]

mod integers;

use std::hint::black_box;

use bytes::{BufMut, BytesMut};
use gungraun::{library_benchmark, library_benchmark_group, main};
use integers::{TIMES, integers};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, Decode, Encode, FrameDecoder, FrameEncoder,
    GroupHeader, GroupSequence, GroupStart, HopId, Path, Route, Subscribe, SubscribeId, Version,
    decode_body, limits, put_message, split_message, varint,
};

/// The draft, which a session learns from its peer: the compiler must not know it.
fn version() -> Version {
    black_box(Version::Lite06)
}

/// A buffer that will not have to grow.
fn roomy() -> BytesMut {
    BytesMut::with_capacity(64 * TIMES)
}

fn encoded_integers() -> BytesMut {
    let mut buf = roomy();
    put_integers(&integers(), &mut buf);
    buf
}

fn put_integers(integers: &[u64], buf: &mut impl BufMut) {
    let version = version();
    for &integer in integers {
        if varint::put(integer, buf, version).is_err() {
            break;
        }
    }
}

/// A place for bytes that has its final size.
fn place() -> Vec<u8> {
    vec![0; 64 * TIMES]
}

// What it takes to go through the integers, which the benchmarks below do too.
#[library_benchmark]
#[bench::mix(integers())]
fn varint_loop(integers: Vec<u64>) -> Vec<u64> {
    for &integer in &integers {
        black_box(integer);
    }
    integers
}

#[library_benchmark]
#[bench::mix(integers(), place())]
fn varint_encode(integers: Vec<u64>, mut place: Vec<u8>) -> Vec<u8> {
    put_integers(&integers, &mut &mut place[..]);
    place
}

#[library_benchmark]
#[bench::mix(integers(), roomy())]
fn varint_append(integers: Vec<u64>, mut buf: BytesMut) -> BytesMut {
    put_integers(&integers, &mut buf);
    buf
}

#[library_benchmark]
#[bench::mix(encoded_integers())]
fn varint_decode(buf: BytesMut) -> (u64, BytesMut) {
    let version = version();
    let mut bytes = &buf[..];
    let mut sum = 0;
    while let Ok(Some((integer, size))) = varint::peek(bytes, version) {
        sum ^= integer;
        bytes = &bytes[size..];
    }
    (sum, buf)
}

#[library_benchmark]
#[bench::mix(encoded_integers())]
fn varint_split(mut buf: BytesMut) -> (u64, BytesMut) {
    let version = version();
    let mut sum = 0;
    while let Ok(Some(integer)) = varint::split(&mut buf, version) {
        sum ^= integer;
    }
    (sum, buf)
}

/// Timestamp and length of the frames of a video.
fn frames() -> Vec<(u64, usize)> {
    let frame = |n: usize| (180_000 + 3_000 * n as u64, 1_200 + n);
    (0..TIMES).map(frame).collect()
}

fn encoded_frame_headers() -> BytesMut {
    let mut buf = roomy();
    put_frame_headers(&frames(), &mut buf);
    buf
}

fn put_frame_headers(frames: &[(u64, usize)], buf: &mut impl BufMut) {
    let version = version();
    let mut encoder = FrameEncoder::new(version);
    for &(timestamp, len) in frames {
        if encoder.header(timestamp, len, buf).is_err() {
            break;
        }
    }
}

// What it takes to go through the frames, which the benchmarks below do too.
#[library_benchmark]
#[bench::video(frames())]
fn frame_loop(frames: Vec<(u64, usize)>) -> Vec<(u64, usize)> {
    for &(timestamp, len) in &frames {
        black_box((timestamp, len));
    }
    frames
}

#[library_benchmark]
#[bench::video(frames(), place())]
fn frame_header_encode(frames: Vec<(u64, usize)>, mut place: Vec<u8>) -> Vec<u8> {
    put_frame_headers(&frames, &mut &mut place[..]);
    place
}

#[library_benchmark]
#[bench::video(frames(), roomy())]
fn frame_header_append(frames: Vec<(u64, usize)>, mut buf: BytesMut) -> BytesMut {
    put_frame_headers(&frames, &mut buf);
    buf
}

#[library_benchmark]
#[bench::video(FrameDecoder::new(version()), encoded_frame_headers())]
fn frame_header_decode(mut decoder: FrameDecoder, mut buf: BytesMut) -> (u64, BytesMut) {
    let mut sum = 0;
    while let Ok(Some(header)) = decoder.header(&mut buf) {
        sum += header.len;
    }
    (sum, buf)
}

fn group_header() -> GroupHeader {
    GroupHeader {
        subscribe_id: SubscribeId(7),
        sequence: GroupSequence(1_000),
        frame_start: 0,
    }
}

fn subscribe() -> Subscribe {
    Subscribe {
        id: SubscribeId(7),
        broadcast: path("room/alice"),
        track: "video".into(),
        priority: 5,
        max_age: std::time::Duration::from_millis(1500),
        start: GroupStart::Floor(GroupSequence(0)),
        last: None,
        frame_start: 0,
        frame_last: None,
    }
}

fn encode<M: Encode>(message: &M, mut buf: BytesMut) -> BytesMut {
    let version = version();
    for _ in 0..TIMES {
        let _ = put_message(black_box(message), &mut buf, version);
    }
    buf
}

fn decode<M: Decode>(mut buf: BytesMut) -> BytesMut {
    let version = version();
    while let Ok(Some(body)) = split_message(&mut buf, limits::MAX_MESSAGE, version) {
        let _ = black_box(decode_body::<M>(body, version));
    }
    buf
}

#[library_benchmark]
#[bench::one(group_header(), roomy())]
fn group_header_encode(message: GroupHeader, buf: BytesMut) -> BytesMut {
    encode(&message, buf)
}

#[library_benchmark]
#[bench::one(encode(&group_header(), roomy()))]
fn group_header_decode(buf: BytesMut) -> BytesMut {
    decode::<GroupHeader>(buf)
}

#[library_benchmark]
#[bench::one(subscribe(), roomy())]
fn subscribe_encode(message: Subscribe, buf: BytesMut) -> BytesMut {
    encode(&message, buf)
}

#[library_benchmark]
#[bench::one(encode(&subscribe(), roomy()))]
fn subscribe_decode(buf: BytesMut) -> BytesMut {
    decode::<Subscribe>(buf)
}

/// Announcements that come and go in turn.
fn announcements() -> [AnnounceEvent; 2] {
    let start = AnnounceEvent::Start {
        suffix: path("room/alice"),
        route: Route {
            hops: vec![HopId(0x1111), HopId(0x2222)],
            warm_cost: 1,
            cold_cost: 2,
        },
    };
    let end = AnnounceEvent::End {
        suffix: path("room/alice"),
    };
    [start, end]
}

#[library_benchmark]
#[bench::start_end(AnnounceEncoder::new(version()), announcements(), roomy())]
fn announce_encode(
    mut encoder: AnnounceEncoder,
    events: [AnnounceEvent; 2],
    mut buf: BytesMut,
) -> BytesMut {
    for event in events.iter().cycle().take(TIMES) {
        let _ = black_box(encoder.encode(black_box(event), &mut buf));
    }
    buf
}

fn announce_stream() -> BytesMut {
    let mut encoder = AnnounceEncoder::new(version());
    let mut buf = roomy();
    for event in announcements().iter().cycle().take(TIMES) {
        let _ = encoder.encode(event, &mut buf);
    }
    buf
}

#[library_benchmark]
#[bench::start_end(AnnounceDecoder::new(version()), announce_stream())]
fn announce_decode(mut decoder: AnnounceDecoder, mut buf: BytesMut) -> BytesMut {
    while let Ok(Some(event)) = decoder.decode(&mut buf) {
        black_box(event);
    }
    buf
}

fn path(path: &str) -> Path {
    Path::new(path).expect("a valid path")
}

library_benchmark_group!(
    name = wire,
    benchmarks = [
        varint_loop,
        varint_encode,
        varint_append,
        varint_decode,
        varint_split,
        frame_loop,
        frame_header_encode,
        frame_header_append,
        frame_header_decode,
        group_header_encode,
        group_header_decode,
        subscribe_encode,
        subscribe_decode,
        announce_encode,
        announce_decode,
    ]
);

main!(library_benchmark_groups = wire);
