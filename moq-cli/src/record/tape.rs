//! Records of one broadcast, and what is recorded of each of its tracks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moq_media::recording::Record;
use moq_model::platform::clock::Instant;
use tokio::sync::mpsc;

/// Numbers of broadcasts and tracks, unique in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Arc<AtomicU32>);

impl Numbers {
    pub(super) fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Where records go.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    pub(super) numbers: Numbers,
    records: mpsc::Sender<Record>,
    start: Instant,
}

impl Tape {
    pub(super) fn new(numbers: Numbers, records: mpsc::Sender<Record>, start: Instant) -> Self {
        Self {
            numbers,
            records,
            start,
        }
    }

    /// The time since the recording's start.
    pub(super) fn at(&self) -> Duration {
        self.start.elapsed()
    }

    /// Hands a record over, waiting while earlier ones are not written yet.
    pub(super) async fn put(&self, record: Record) {
        // Without a writer the recording has ended.
        let _ = self.records.send(record).await;
    }
}

/// What is recorded of a track, over as many sessions as it takes.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) number: u32,
    /// Whether the file says what the track is.
    pub(super) is_named: bool,
    pub(super) is_ended: bool,
    /// Groups that have begun and not ended, with how many frames of them are recorded.
    open: BTreeMap<u64, usize>,
    /// Groups that have begun, without the oldest ones.
    seen: BTreeSet<u64>,
}

impl Taken {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            is_named: false,
            is_ended: false,
            open: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    /// A group comes: how many frames of it are recorded already. `None` if all of them are.
    pub(super) fn begin(&mut self, sequence: u64) -> Option<usize> {
        if !self.seen.insert(sequence) {
            return self.open.remove(&sequence);
        }
        if self.seen.len() > REMEMBERED {
            self.seen.pop_first();
        }
        Some(0)
    }

    /// The session was lost in the middle of a group.
    pub(super) fn leave(&mut self, sequence: u64, frames: usize) {
        self.open.insert(sequence, frames);
    }

    /// The first group that is not whole; `None` before there was any.
    pub(super) fn floor(&self) -> Option<u64> {
        let first = *self.seen.first()?;
        let gap = (first..).find(|sequence| !self.seen.contains(sequence))?;
        let open = self.open.first_key_value();
        Some(open.map_or(gap, |(sequence, _)| gap.min(*sequence)))
    }
}

/// More than a track has groups on their way.
const REMEMBERED: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_not_recorded_again() {
        let mut taken = Taken::new(0);
        assert_eq!(taken.floor(), None);
        for sequence in [5, 7, 6] {
            assert_eq!(taken.begin(sequence), Some(0));
        }
        assert_eq!(taken.floor(), Some(8));
        taken.leave(6, 3);
        assert_eq!(taken.floor(), Some(6));
        assert_eq!(taken.begin(5), None);
        assert_eq!(taken.begin(6), Some(3));
        assert_eq!(taken.begin(9), Some(0));
        assert_eq!(taken.floor(), Some(8), "group 8 did not come");
    }
}
