//! Groups that have begun and that readers do not see yet.

use std::ops::Range;

/// Groups by sequence, with their keys. Mostly there are one or two, at the end of the track, so
/// that a sorted list is cheaper than a tree. A peer can have as many as it may have streams.
#[derive(Debug, Default)]
pub(super) struct Announced(Vec<(u64, usize)>);

impl Announced {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a group that is not in the list.
    pub(super) fn insert(&mut self, sequence: u64, key: usize) {
        let place = self.place(sequence);
        self.0.insert(place, (sequence, key));
    }

    /// Removes a group; returns its key.
    pub(super) fn remove(&mut self, sequence: u64) -> Option<usize> {
        let place = self.place(sequence);
        self.at(place, sequence)?;
        let (_, key) = self.0.remove(place);
        Some(key)
    }

    pub(super) fn get(&self, sequence: u64) -> Option<usize> {
        self.at(self.place(sequence), sequence)
    }

    /// The lowest sequence of these that is in the list.
    pub(super) fn first_in(&self, groups: Range<u64>) -> Option<u64> {
        let &(sequence, _) = self.0.get(self.place(groups.start))?;
        (sequence < groups.end).then_some(sequence)
    }

    /// The lowest and the highest sequence.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        Some((self.0.first()?.0, self.0.last()?.0))
    }

    fn at(&self, place: usize, sequence: u64) -> Option<usize> {
        let &(found, key) = self.0.get(place)?;
        (found == sequence).then_some(key)
    }

    /// Where a sequence is, or belongs.
    fn place(&self, sequence: u64) -> usize {
        match self.0.last() {
            Some(&(last, _)) if last >= sequence => {
                self.0.partition_point(|&(at, _)| at < sequence)
            }
            _ => self.0.len(),
        }
    }
}
