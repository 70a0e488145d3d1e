//! How many instructions others take for the integers that moq-wire is measured with: from a `u64` to
//! bytes, and back.
//!
//! `moq_net::VarInt` is the only codec in the public interface of its crate; messages and frames are
//! written and read inside its sessions.

#[path = "../../benches/integers/mod.rs"]
mod integers;

use bytes::{BufMut, BytesMut};
use gungraun::{library_benchmark, library_benchmark_group, main};
use integers::{TIMES, integers};
use quinn_proto::coding::Codec;

/// A buffer that will not have to grow.
fn roomy() -> BytesMut {
    BytesMut::with_capacity(64 * TIMES)
}

/// A place for bytes that has its final size.
fn place() -> Vec<u8> {
    vec![0; 64 * TIMES]
}

fn encoded() -> BytesMut {
    let mut buf = roomy();
    quinn_put(&integers(), &mut buf);
    buf
}

fn quinn_put(integers: &[u64], buf: &mut impl BufMut) {
    for &integer in integers {
        let Ok(integer) = quinn_proto::VarInt::from_u64(integer) else {
            break;
        };
        integer.encode(buf);
    }
}

fn moq_net_put(integers: &[u64], buf: &mut impl BufMut) {
    for &integer in integers {
        let encoded = moq_net::VarInt::from_u64(integer).map(|integer| integer.encode_quic(buf));
        if !matches!(encoded, Some(Ok(()))) {
            break;
        }
    }
}

#[library_benchmark]
#[bench::mix(integers(), place())]
fn quinn_varint_encode(integers: Vec<u64>, mut place: Vec<u8>) -> Vec<u8> {
    quinn_put(&integers, &mut &mut place[..]);
    place
}

#[library_benchmark]
#[bench::mix(integers(), roomy())]
fn quinn_varint_append(integers: Vec<u64>, mut buf: BytesMut) -> BytesMut {
    quinn_put(&integers, &mut buf);
    buf
}

#[library_benchmark]
#[bench::mix(encoded())]
fn quinn_varint_decode(buf: BytesMut) -> (u64, BytesMut) {
    let mut bytes = &buf[..];
    let mut sum = 0;
    while let Ok(integer) = quinn_proto::VarInt::decode(&mut bytes) {
        sum ^= integer.into_inner();
    }
    (sum, buf)
}

#[library_benchmark]
#[bench::mix(encoded())]
fn quinn_varint_split(mut buf: BytesMut) -> (u64, BytesMut) {
    let mut sum = 0;
    while let Ok(integer) = quinn_proto::VarInt::decode(&mut buf) {
        sum ^= integer.into_inner();
    }
    (sum, buf)
}

#[library_benchmark]
#[bench::mix(integers(), place())]
fn moq_net_varint_encode(integers: Vec<u64>, mut place: Vec<u8>) -> Vec<u8> {
    moq_net_put(&integers, &mut &mut place[..]);
    place
}

#[library_benchmark]
#[bench::mix(integers(), roomy())]
fn moq_net_varint_append(integers: Vec<u64>, mut buf: BytesMut) -> BytesMut {
    moq_net_put(&integers, &mut buf);
    buf
}

#[library_benchmark]
#[bench::mix(encoded())]
fn moq_net_varint_decode(buf: BytesMut) -> (u64, BytesMut) {
    let mut bytes = &buf[..];
    let mut sum = 0;
    while let Ok(integer) = moq_net::VarInt::decode_quic(&mut bytes) {
        sum ^= integer.into_inner();
    }
    (sum, buf)
}

#[library_benchmark]
#[bench::mix(encoded())]
fn moq_net_varint_split(mut buf: BytesMut) -> (u64, BytesMut) {
    let mut sum = 0;
    while let Ok(integer) = moq_net::VarInt::decode_quic(&mut buf) {
        sum ^= integer.into_inner();
    }
    (sum, buf)
}

library_benchmark_group!(
    name = peers,
    benchmarks = [
        quinn_varint_encode,
        quinn_varint_append,
        quinn_varint_decode,
        quinn_varint_split,
        moq_net_varint_encode,
        moq_net_varint_append,
        moq_net_varint_decode,
        moq_net_varint_split,
    ]
);

main!(library_benchmark_groups = peers);
