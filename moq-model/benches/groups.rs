//! How many instructions groups take on their way from a producer to readers.
//!
//! `cargo xtask bench micro` runs this, and compares it with what was counted before.

#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the macros that declare benchmarks write neither docs nor short paths"
)]

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group, main};
use moq_model::{
    BroadcastProducer, Budget, GroupConsumer, GroupProducer, NextGroup, OrderedReader, Ready,
    Start, Subscription, Track, TrackProducer, TrackReader,
};
use tokio::runtime::{Builder, Runtime};

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
    // The first groups make the room that those after them use again.
    for _ in 0..3 {
        fan_out(&mut stage);
    }
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
    let next = stage.readers[0].poll_next(&cx);
    let Poll::Ready(Ok(Some(NextGroup::Group(reader)))) = next else {
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

/// Writes a group of one frame.
fn write_group(track: &TrackProducer) {
    if let Ok(mut group) = track.append() {
        let _ = group.append(payload());
        group.finish();
    }
}

/// Writes a group of one frame, which all readers read.
fn fan_out(stage: &mut Stage) {
    let cx = Context::from_waker(Waker::noop());
    write_group(&stage.track);
    for reader in &mut stage.readers {
        let next = reader.poll_next(&cx);
        if let Poll::Ready(Ok(Some(NextGroup::Group(mut group)))) = next {
            read(&mut group, 1);
        }
        // It waits for the next one.
        let _ = black_box(reader.poll_next(&cx).is_pending());
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

/// A reader in order that is far behind, and inputs that wait for it.
struct Pause {
    reader: OrderedReader,
    _inputs: Vec<Pin<Box<Ready>>>,
    _stage: Stage,
    _timers: Runtime,
}

fn pause(inputs: u64) -> Pause {
    let stage = stage(0);
    let all = Subscription::default().with_start(Start::OLDEST);
    let reader = stage.track.consume().subscribe(all).ordered();
    for _ in 0..2_000 {
        write_group(&stage.track);
    }
    let timers = Builder::new_current_thread().enable_time().build();
    let timers = timers.expect("a runtime");
    let entered = timers.enter();
    let cx = &mut Context::from_waker(Waker::noop());
    let inputs = (0..inputs).map(|input| Box::pin(stage.track.ready_for(1_400 + input)));
    let mut inputs: Vec<_> = inputs.collect();
    for input in &mut inputs {
        assert!(input.as_mut().poll(cx).is_pending(), "it has to wait");
    }
    drop(entered);
    Pause {
        reader,
        _inputs: inputs,
        _stage: stage,
        _timers: timers,
    }
}

#[library_benchmark]
#[bench::inputs_1(pause(1))]
#[bench::inputs_64(pause(64))]
#[bench::inputs_512(pause(512))]
fn read_while_paused(mut pause: Pause) -> Pause {
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..64 {
        black_box(pin!(pause.reader.next()).poll(cx).is_ready());
    }
    pause
}

/// An open group behind others, and 64 readers that have read all and wait. Every other one has an
/// age beyond which groups are too old for it.
fn held(groups: u64) -> (Stage, GroupProducer) {
    let broadcast = BroadcastProducer::new();
    let track = Track::new("data").with_max_age(Duration::MAX);
    let track = broadcast.create(track).expect("a new track");
    for at in 1..groups {
        write_group_at(&track, at);
    }
    let mut group = track.append().expect("a new group");
    group.append_at(groups, payload()).expect("a frame");
    let consumer = track.consume();
    let aged = Subscription::default().with_max_age(Duration::from_secs(1));
    let wanted = [Subscription::default(), aged].into_iter().cycle();
    let readers = wanted.map(|wanted| consumer.subscribe(wanted));
    let mut readers: Vec<_> = readers.take(64).collect();
    let cx = Context::from_waker(Waker::noop());
    for reader in &mut readers {
        while let Poll::Ready(Ok(Some(_))) = reader.poll_next(&cx) {}
        assert!(reader.poll_next(&cx).is_pending(), "it waits");
    }
    let stage = Stage {
        track,
        readers,
        _broadcast: broadcast,
    };
    (stage, group)
}

/// Writes a group of one frame with a timestamp.
fn write_group_at(track: &TrackProducer, timestamp: u64) {
    if let Ok(mut group) = track.append() {
        let _ = group.append_at(timestamp, payload());
        group.finish();
    }
}

// How much is held makes no difference, which `cargo xtask bench micro` checks.
#[library_benchmark]
#[bench::groups_10(held(10))]
#[bench::groups_10000(held(10_000))]
fn append_where_held((stage, mut group): (Stage, GroupProducer)) -> (Stage, GroupProducer) {
    for at in 0..32 {
        black_box(group.append_at(20_000 + at, payload())).expect("a frame");
    }
    (stage, group)
}

/// Tracks that fill their budget to the last byte, with groups of one frame each.
struct Full {
    tracks: Vec<TrackProducer>,
    /// The timestamp of the next group.
    next: u64,
    budget: Budget,
    _broadcast: BroadcastProducer,
}

impl Full {
    const GROUPS: u64 = 4;

    fn new(tracks: u64) -> Self {
        let probe = Self::with(Budget::default(), 1);
        write_group_at(&probe.tracks[0], 0);
        let charge = probe.budget.used();
        let mut full = Self::with(Budget::new(charge * tracks * Self::GROUPS), tracks);
        // What is written beyond the limit evicts, which the first time puts all tracks in order.
        for _ in 0..Self::GROUPS * tracks + 64 {
            full.write();
        }
        assert_eq!(full.budget.used(), full.budget.limit(), "it is full");
        full
    }

    fn with(budget: Budget, tracks: u64) -> Self {
        let broadcast = BroadcastProducer::with_budget(budget.clone());
        let create = |number: u64| {
            let track = Track::new(number.to_string()).with_max_age(Duration::MAX);
            broadcast.create(track).expect("a new track")
        };
        Self {
            tracks: (0..tracks).map(create).collect(),
            next: 0,
            budget,
            _broadcast: broadcast,
        }
    }

    /// Writes a group to the track whose turn it is.
    fn write(&mut self) {
        let track = self.next as usize % self.tracks.len();
        write_group_at(&self.tracks[track], self.next);
        self.next += 1;
    }
}

// Each group evicts another one.
#[library_benchmark]
#[bench::tracks_10(Full::new(10))]
#[bench::tracks_10000(Full::new(10_000))]
fn append_at_limit(mut full: Full) -> Full {
    for _ in 0..64 {
        full.write();
    }
    full
}

library_benchmark_group!(
    name = groups,
    benchmarks = [
        one_by_one,
        by_32,
        to_readers,
        read_while_paused,
        append_where_held,
        append_at_limit
    ]
);

main!(library_benchmark_groups = groups);
