//! How many instructions a group takes beside a reader that leaves all groups in their track.
//!
//! `cargo xtask bench micro` runs this, and compares it with what was counted before.

#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the macros that declare benchmarks write neither docs nor short paths"
)]

use std::hint::black_box;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group, main};
use moq_model::{
    Backlog, BroadcastProducer, NextGroup, Start, Subscription, Track, TrackProducer, TrackReader,
};

/// Groups that are held.
const HELD: u64 = 10_000;
/// Readers that read each group at once.
const HEALTHY: usize = 16;

struct Stage {
    track: TrackProducer,
    healthy: Vec<TrackReader>,
    stuck: Vec<TrackReader>,
    _broadcast: BroadcastProducer,
}

/// A track with its readers, of which some take no group.
fn stage(stuck: usize) -> Stage {
    let broadcast = BroadcastProducer::new();
    let track = Track::new("data").with_max_age(Duration::MAX);
    let track = broadcast.create(track).expect("a new track");
    let consumer = track.consume();
    let all = Subscription::default().with_start(Start::OLDEST);
    let mut stage = Stage {
        track,
        healthy: (0..HEALTHY).map(|_| consumer.subscribe(all)).collect(),
        stuck: (0..stuck).map(|_| consumer.subscribe(all)).collect(),
        _broadcast: broadcast,
    };
    for at in 0..HELD {
        deliver(&mut stage, at);
    }
    for reader in &stage.stuck {
        assert_eq!(reader.backlog(), Backlog::Newest, "it waits");
    }
    stage
}

/// Writes a group of one frame, which the healthy readers read.
fn deliver(stage: &mut Stage, timestamp: u64) {
    let mut group = stage.track.append().expect("a new group");
    let payload = Bytes::from_static(&[7; 64]);
    group.append_at(timestamp, payload).expect("a frame");
    group.finish();
    let cx = Context::from_waker(Waker::noop());
    for reader in &mut stage.healthy {
        if let Poll::Ready(Ok(Some(NextGroup::Group(mut group)))) = reader.poll_next(&cx) {
            black_box(group.poll_next(&cx).is_ready());
        }
        assert!(reader.poll_next(&cx).is_pending(), "it waits for the next");
    }
    if timestamp < 2 {
        for reader in &mut stage.stuck {
            assert!(reader.poll_aside(&cx).is_pending(), "it leaves the group");
        }
    }
}

// One that is stuck makes no difference, which `cargo xtask bench micro` checks.
#[library_benchmark]
#[bench::stuck_0(stage(0))]
#[bench::stuck_1(stage(1))]
fn append_beside(mut stage: Stage) -> Stage {
    for at in HELD..HELD + 32 {
        deliver(&mut stage, at);
    }
    stage
}

library_benchmark_group!(name = backlog, benchmarks = append_beside);

main!(library_benchmark_groups = backlog);
