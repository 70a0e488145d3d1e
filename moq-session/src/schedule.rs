//! The order in which streams are sent.

use std::collections::{BTreeSet, VecDeque};

/// Send order of a stream of media, higher first: 8 bits of priority, 24 of recency.
///
/// Control streams are at `i32::MAX`, above all of them.
pub(crate) fn send_order(priority: u8, recency: u32) -> i32 {
    let key = u32::from(priority) << 24 | recency.min(FIRST);
    (key ^ 0x8000_0000).cast_signed()
}

/// Recency of what goes before all others of its priority.
pub(crate) const FIRST: u32 = 0x00ff_fffe;
/// Recency of what goes after all others of its priority.
pub(crate) const LAST: u32 = 0;

/// Where the first group stands. Below it is room for groups that come after newer ones.
const MIDDLE: u32 = 1 << 22;
/// How far a newest group stands above the one before it, so that there is room between them.
const STEP: u32 = 256;

/// The recency of a subscription's groups: the higher a group's number, the higher its recency,
/// whatever the numbers are.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    /// Numbers of groups with their recency, both ascending.
    rungs: VecDeque<(u64, u32)>,
}

impl Ladder {
    /// Finds a place for a group. `open` says how many groups need theirs, and `list` which; of
    /// those below all of them the places are forgotten.
    ///
    /// Returns its recency, and whether the other groups have moved.
    #[must_use]
    pub(crate) fn add(
        &mut self,
        group: u64,
        open: usize,
        list: impl FnOnce() -> BTreeSet<u64>,
    ) -> (u32, bool) {
        let (highest, top) = self.rungs.back().copied().unwrap_or((group, MIDDLE));
        if highest <= group {
            while self.rungs.len() > open {
                self.rungs.pop_front();
            }
            let is_crowded = top >= FIRST - STEP;
            let mut recency = top + STEP;
            if is_crowded {
                self.spread();
                recency = self.rungs.back().map_or(MIDDLE, |rung| rung.1) + STEP;
            }
            self.rungs.push_back((group, recency));
            return (recency, is_crowded);
        }
        if self.rungs.len() > 2 * open + FEW {
            let open = list();
            let newest = highest;
            self.rungs
                .retain(|(group, _)| *group == newest || open.contains(group));
        }
        let is_crowded = self.room_below(group).is_none();
        if is_crowded {
            self.spread();
        }
        // Below the next newer one, because most come from the newest to the oldest.
        let (at, recency) = self.room_below(group).unwrap_or((0, LAST));
        self.rungs.insert(at, (group, recency));
        (recency, is_crowded)
    }

    /// Where a group belongs that is not the newest, and the recency that is free there.
    fn room_below(&self, group: u64) -> Option<(usize, u32)> {
        let at = self.rungs.partition_point(|rung| rung.0 < group);
        let below = at.checked_sub(1).map_or(LAST, |below| self.rungs[below].1);
        let recency = self.rungs.get(at)?.1.checked_sub(1)?;
        (recency > below).then_some((at, recency))
    }

    /// Has the groups stand apart again.
    fn spread(&mut self) {
        // Half of the room stays for newer ones, so that they need no other spread at once.
        let count = u32::try_from(self.rungs.len()).unwrap_or(u32::MAX);
        let step = ((FIRST - STEP - MIDDLE) / 2 / count.max(1)).clamp(1, STEP);
        let mut at = MIDDLE;
        for (_, recency) in &mut self.rungs {
            *recency = at;
            at = (at + step).min(FIRST - STEP);
        }
    }

    /// The recency of a group that was added.
    pub(crate) fn recency(&self, group: u64) -> u32 {
        match self.rungs.binary_search_by_key(&group, |rung| rung.0) {
            Ok(at) => self.rungs[at].1,
            // It was forgotten, and is older than all that were not.
            Err(at) => self.rungs.get(at).map_or(LAST, |rung| rung.1 - 1),
        }
    }
}

/// Places that are kept beyond those that are needed.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds groups that all stay open; says how often others have moved.
    fn add(ladder: &mut Ladder, groups: impl IntoIterator<Item = u64>) -> usize {
        let groups = groups.into_iter();
        let moved = groups.filter(|&group| ladder.add(group, usize::MAX / 4, BTreeSet::new).1);
        moved.count()
    }

    fn assert_ascending(ladder: &Ladder, groups: &BTreeSet<u64>) {
        let recencies: Vec<_> = groups.iter().map(|&group| ladder.recency(group)).collect();
        assert!(recencies.is_sorted_by(|a, b| a < b), "{recencies:?}");
        assert!(
            recencies
                .iter()
                .all(|recency| (LAST + 1..FIRST).contains(recency))
        );
    }

    #[test]
    fn priority_goes_before_recency() {
        assert!(send_order(6, LAST) > send_order(5, FIRST));
        assert!(send_order(128, LAST) > send_order(127, FIRST));
        assert!(send_order(5, 8) > send_order(5, 7));
        assert!(send_order(255, u32::MAX) < i32::MAX);
    }

    #[test]
    fn newer_groups_stand_higher_whatever_their_numbers_are() {
        for step in [1, 90_000, 1 << 25, 1 << 56] {
            let groups: Vec<_> = (0..100).map(|n| 7 + n * step).collect();
            let (mut up, mut down, mut mixed) = Default::default();
            add(&mut up, groups.iter().copied());
            add(&mut down, groups.iter().rev().copied());
            add(&mut mixed, (0..100).map(|n| groups[n * 37 % 100]));
            let groups = groups.into_iter().collect();
            for ladder in [&up, &down, &mixed] {
                assert_ascending(ladder, &groups);
            }
        }
    }

    #[test]
    fn a_track_without_end_and_a_long_way_down_stay_in_order() {
        let mut ladder = Ladder::default();
        for group in 0..1_000_000 {
            let _ = ladder.add(group, 4, || unreachable!());
            assert!(ladder.rungs.len() <= 5);
        }
        assert_ascending(&ladder, &(999_996..1_000_000).collect());
        let mut ladder = Ladder::default();
        assert_eq!(add(&mut ladder, (0..1_000).map(|n| u64::MAX - n)), 0);
        let moved = add(&mut ladder, (1..2_000).rev().chain([0]));
        assert!(moved <= 1, "{moved} times for 2 000 groups");
    }

    #[test]
    fn groups_between_two_neighbours_find_room() {
        let mut ladder = Ladder::default();
        let groups: BTreeSet<u64> = (0..1_000).chain([100_000]).collect();
        let moved = add(
            &mut ladder,
            [0, 100_000].into_iter().chain((1..1_000).rev()),
        );
        assert!(
            moved <= 1_000 / usize::try_from(STEP).unwrap() + 1,
            "{moved}"
        );
        assert_ascending(&ladder, &groups);
    }

    #[test]
    fn what_is_forgotten_is_the_oldest_or_not_open() {
        let mut ladder = Ladder::default();
        add(&mut ladder, 0..10);
        let _ = ladder.add(10, 3, BTreeSet::new);
        assert_ascending(&ladder, &(6..11).collect());
        for group in (1_000..1_200).rev() {
            let _ = ladder.add(group, 2, || [1_199, group + 1].into());
        }
        assert!(ladder.rungs.len() <= 2 * 2 + FEW + 1);
        assert_ascending(&ladder, &[1_000, 1_001, 1_199].into());
    }
}
