//! One test at least for each defect that was found in the track before it became a state machine.
//!
//! | finding | what was wrong | tests |
//! |---|---|---|
//! | M1 | empty groups defeated expiry, eviction and the budget | `empty` |
//! | M2 | reading in sequence ignored the end of a track while in a gap | `ends` |
//! | M3 | a group that lost its session before its first frame was skipped | `ends` |
//! | M4 | the budget was no bound | `budget`, `feeders` |
//! | M5 | a gap of a live track waited for ever by default | `gaps` |
//! | M6 | the reader of the latest group told wrong losses | `latest` |
//! | M7 | a local broadcast never let go of ended tracks | `lifetimes`, `tests/heap.rs` |
//! | M8 | wasm32 had no clock | `tests/wasm.rs` |
//! | M9 | a stuck reader was not cut off while the newest group grew | `latest` |
//! | M10 | code of callers ran under locks | `reentrance` |
//! | M11 | wakes that did not come, or work that was done in vain | `small` |
//! | M12, M13 | what callers could not tell apart | `face` |

mod budget;
mod empty;
mod ends;
mod face;
mod feeders;
mod gaps;
mod latest;
mod lifetimes;
mod reentrance;
mod small;

use bytes::Bytes;

use super::*;
use crate::session::RequestQueue;

/// A payload whose clones share one allocation.
fn zeros(bytes: usize) -> Bytes {
    Bytes::from(vec![0; bytes])
}

/// Writes the group `sequence` of a track that a peer feeds, with one frame.
fn feed(track: &TrackFeed, sequence: u64) {
    let mut group = track.create(sequence).unwrap();
    group.append_at(sequence, "x").unwrap();
    group.finish();
}

fn skipped(groups: std::ops::Range<u64>, cause: Abort) -> Option<TrackRead> {
    Some(TrackRead::Skipped { groups, cause })
}

/// The group of a frame.
fn group_of(read: Option<TrackRead>) -> u64 {
    match read {
        Some(TrackRead::Frame { group, .. }) => group,
        other => panic!("a frame was expected, not {other:?}"),
    }
}

/// The sequences of all groups that a reader takes now, newest first.
fn taken(reader: &mut TrackReader) -> Vec<u64> {
    std::iter::from_fn(|| next_now(reader))
        .map(|group| group.sequence())
        .collect()
}

/// A track of a source whose tracks are charged to `feeder`.
fn fed_by(feeder: crate::Feeder, name: &str) -> (TrackFeed, TrackConsumer, RequestQueue) {
    let (source, mut queue) = RequestSource::new(feeder);
    let consumer = source.track(&"room".parse().unwrap(), name);
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for")
    };
    request.track.accept(Track::new(name).info);
    request.track.set_start(0);
    (request.track, consumer, queue)
}
