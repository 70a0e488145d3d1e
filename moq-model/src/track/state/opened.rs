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
    /// Ascending; `None` in place of a group that was let go of. The first one never is.
    places: VecDeque<(u64, Option<Open>)>,
    /// How many are there.
    count: usize,
}

impl Opened {
    pub(super) fn insert(&mut self, open: Open) {
        let place = (open.sequence, Some(open));
        self.count += 1;
        if self
            .places
            .back()
            .is_none_or(|&(last, _)| last < open.sequence)
        {
            // Most readers read one group at a time.
            if self.places.is_empty() {
                self.places.reserve_exact(1);
            }
            return self.places.push_back(place);
        }
        match self.find(open.sequence) {
            Ok(at) => self.places[at] = place,
            Err(at) => self.places.insert(at, place),
        }
    }

    pub(super) fn remove(&mut self, sequence: u64) {
        let Ok(at) = self.find(sequence) else { return };
        if self.places[at].1.take().is_some() {
            self.count -= 1;
        }
        while self.places.front().is_some_and(|(_, open)| open.is_none()) {
            self.places.pop_front();
        }
        // Each sweep is paid for by as many removals.
        if self.places.len() > 2 * self.count + FEW {
            self.places.retain(|(_, open)| open.is_some());
        }
    }

    fn find(&self, sequence: u64) -> Result<usize, usize> {
        self.places.binary_search_by_key(&sequence, |place| place.0)
    }

    /// The lowest sequence.
    pub(super) fn lowest(&self) -> Option<u64> {
        self.places.front().map(|place| place.0)
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.places.iter().filter_map(|(_, open)| open.as_ref())
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
            assert!(opened.places.len() <= 2 * plain.len() + FEW);
            let held: Vec<_> = opened.iter().map(|open| open.slot as u64).collect();
            assert!(held.iter().eq(&plain));
        }
    }
}
