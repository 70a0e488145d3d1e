//! The groups that a reader has taken newest first and not let go of, by sequence.

use std::collections::VecDeque;

use super::arena::GroupId;

/// A group that was taken newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) group: GroupId,
    pub(super) sequence: u64,
    pub(super) slot: usize,
}

/// Groups that were taken. The lowest is known at once; one is removed in logarithmic time.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// Most readers have no other one.
    lowest: Option<Open>,
    /// Those above it, ascending; `None` in place of a group that was let go of. The first one never is.
    others: VecDeque<(u64, Option<Open>)>,
    /// How many others are there.
    count: usize,
}

impl Opened {
    #[inline]
    pub(super) fn insert(&mut self, open: Open) {
        match self.lowest {
            None => self.lowest = Some(open),
            Some(lowest) if open.sequence < lowest.sequence => {
                self.others.push_front((lowest.sequence, Some(lowest)));
                self.count += 1;
                self.lowest = Some(open);
            }
            Some(_) => self.insert_above(open),
        }
    }

    fn insert_above(&mut self, open: Open) {
        let place = (open.sequence, Some(open));
        self.count += 1;
        let last = self.others.back();
        if last.is_none_or(|&(last, _)| last < open.sequence) {
            return self.others.push_back(place);
        }
        match self.find(open.sequence) {
            Ok(at) => self.others[at] = place,
            Err(at) => self.others.insert(at, place),
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, sequence: u64) {
        let Some(lowest) = self.lowest else { return };
        if lowest.sequence != sequence {
            return self.remove_above(sequence);
        }
        self.lowest = None;
        if self.count > 0 {
            self.lowest = self.others.pop_front().and_then(|(_, open)| open);
            self.count -= 1;
            self.sweep();
        }
    }

    fn remove_above(&mut self, sequence: u64) {
        let Ok(at) = self.find(sequence) else { return };
        if self.others[at].1.take().is_some() {
            self.count -= 1;
        }
        self.sweep();
    }

    fn sweep(&mut self) {
        while self.others.front().is_some_and(|(_, open)| open.is_none()) {
            self.others.pop_front();
        }
        // Each sweep is paid for by as many removals.
        if self.others.len() > 2 * self.count + FEW {
            self.others.retain(|(_, open)| open.is_some());
        }
    }

    fn find(&self, sequence: u64) -> Result<usize, usize> {
        self.others.binary_search_by_key(&sequence, |place| place.0)
    }

    /// The lowest sequence.
    pub(super) fn lowest(&self) -> Option<u64> {
        self.lowest.map(|open| open.sequence)
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Open> {
        let others = self.others.iter().filter_map(|(_, open)| open.as_ref());
        self.lowest.iter().chain(others)
    }
}

/// Places of groups that were let go of, for which no sweep is made.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::arena::Arena;
    use super::super::phase::Kind;
    use super::*;
    use crate::clock::Instant;

    #[test]
    fn agrees_with_a_plain_set() {
        let mut arena = Arena::<std::task::Waker>::new();
        let group = arena.add(0, Kind::Live, Instant::now(), 0);
        let (mut opened, mut plain) = (Opened::default(), BTreeSet::new());
        let mut seed = 7u64;
        for _ in 0..4_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let sequence = seed % 97;
            if seed >> 40 & 1 == 0 && plain.insert(sequence) {
                let slot = usize::try_from(sequence).unwrap();
                opened.insert(Open {
                    group,
                    sequence,
                    slot,
                });
            } else if plain.remove(&sequence) {
                opened.remove(sequence);
            }
            assert_eq!(opened.lowest(), plain.first().copied());
            assert!(opened.others.len() <= 2 * plain.len() + FEW);
            let held: Vec<_> = opened.iter().map(|open| open.slot as u64).collect();
            assert!(held.iter().eq(&plain));
        }
    }
}
