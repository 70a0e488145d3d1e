//! How many instructions groups take on their way from a producer to readers.
//!
//! `cargo xtask bench micro` runs this, and compares it with what was counted before.

#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the macros that declare benchmarks write neither docs nor short paths"
)]

use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group, main};
use moq_model::{
    BroadcastProducer, GroupConsumer, GroupProducer, Subscription, Track, TrackProducer,
    TrackReader,
};

/// A track, and those who read it.
struct Stage {
    track: TrackProducer,
    readers: Vec<TrackReader>,
    _broadcast: BroadcastProducer,
}

fn stage(readers: usize) -> Stage {
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data")).expect("a new track");
    let consumer = broadcast.consume().track("data").expect("the track");
    let mut stage = Stage {
        track,
        readers: (0..readers)
            .map(|_| consumer.subscribe(Subscription::default()))
            .collect(),
        _broadcast: broadcast,
    };
    // The first group is another case than those after it.
    fan_out(&mut stage);
    stage
}

fn payload() -> Bytes {
    Bytes::from_static(&[7; 64])
}

/// An open group, and somebody who reads it.
fn group() -> (Stage, GroupProducer, GroupConsumer) {
    let mut stage = stage(1);
    let mut group = stage.track.append().expect("a new group");
    // Readers see a group from its first frame on.
    group.append(payload()).expect("a frame");
    let cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(Some(reader))) = stage.readers[0].poll_next_group(&cx) else {
        panic!("the group is there");
    };
    (stage, group, reader)
}

fn read(reader: &mut GroupConsumer, batch: usize) -> usize {
    let cx = Context::from_waker(Waker::noop());
    let mut frames = 0;
    while let Poll::Ready(None) = reader.poll_frames(&cx, batch, |frame| {
        frames += 1;
        black_box(frame);
    }) {}
    frames
}

fn write_and_read(
    (stage, mut group, mut reader): (Stage, GroupProducer, GroupConsumer),
    frames: usize,
    batch: usize,
) -> (Stage, usize) {
    let mut count = 0;
    for _ in 0..frames / batch {
        for _ in 0..batch {
            let _ = black_box(group.append(payload()));
        }
        count += read(&mut reader, batch);
    }
    group.finish();
    (stage, count + read(&mut reader, batch))
}

#[library_benchmark]
#[bench::frames_4(group(), 4)]
#[bench::frames_512(group(), 512)]
fn one_by_one(group: (Stage, GroupProducer, GroupConsumer), frames: usize) -> (Stage, usize) {
    write_and_read(group, frames, 1)
}

#[library_benchmark]
#[bench::frames_512(group(), 512)]
#[bench::frames_8192(group(), 8_192)]
fn by_32(group: (Stage, GroupProducer, GroupConsumer), frames: usize) -> (Stage, usize) {
    write_and_read(group, frames, 32)
}

/// Writes a group of one frame, which all readers read.
fn fan_out(stage: &mut Stage) {
    let cx = Context::from_waker(Waker::noop());
    if let Ok(mut group) = stage.track.append() {
        let _ = group.append(payload());
        group.finish();
    }
    for reader in &mut stage.readers {
        if let Poll::Ready(Ok(Some(mut group))) = reader.poll_next_group(&cx) {
            read(&mut group, 1);
        }
        // It waits for the next one.
        let _ = black_box(reader.poll_next_group(&cx).is_pending());
    }
}

#[library_benchmark]
#[bench::readers_1(stage(1))]
#[bench::readers_8(stage(8))]
#[bench::readers_64(stage(64))]
#[bench::readers_512(stage(512))]
fn to_readers(mut stage: Stage) -> Stage {
    fan_out(&mut stage);
    stage
}

library_benchmark_group!(name = groups, benchmarks = [one_by_one, by_32, to_readers]);

main!(library_benchmark_groups = groups);
