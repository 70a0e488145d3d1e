//! Sets of group sequences.

use std::ops::Range;

/// Group sequences from `start` up to, not including, `end`.
pub type GroupRange = Range<u64>;

/// Gaps kept apart in one set; beyond it the lowest are closed.
const MAX_RANGES: usize = 1_024;

/// A set of group sequences, compact where they are contiguous.
///
/// Holds at most 1 024 ranges: a peer that leaves more gaps has the oldest ones counted as members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRanges {
    /// Ascending, never empty, never touching.
    ranges: Vec<GroupRange>,
}

impl GroupRanges {
    /// Whether `sequence` is a member.
    #[must_use]
    pub fn contains(&self, sequence: u64) -> bool {
        let after = self.ranges.partition_point(|r| r.start <= sequence);
        after
            .checked_sub(1)
            .is_some_and(|i| sequence < self.ranges[i].end)
    }

    /// The first sequence at or above `sequence` that is not a member.
    #[must_use]
    pub fn first_missing_from(&self, sequence: u64) -> u64 {
        let after = self.ranges.partition_point(|r| r.start <= sequence);
        match after.checked_sub(1) {
            Some(i) if sequence < self.ranges[i].end => self.ranges[i].end,
            _ => sequence,
        }
    }

    /// The first member at or above `sequence`.
    #[must_use]
    pub fn first_from(&self, sequence: u64) -> Option<u64> {
        let at = self.ranges.partition_point(|r| r.end <= sequence);
        self.ranges.get(at).map(|r| r.start.max(sequence))
    }

    /// Whether all members are one run that begins at `sequence` or below.
    pub(crate) fn is_run_from(&self, sequence: u64) -> bool {
        matches!(self.ranges.as_slice(), [run] if run.start <= sequence)
    }

    /// The run of members around `sequence`, if that is one.
    pub(crate) fn run_at(&self, sequence: u64) -> Option<GroupRange> {
        let after = self.ranges.partition_point(|r| r.start <= sequence);
        let run = self.ranges.get(after.checked_sub(1)?)?;
        run.contains(&sequence).then(|| run.clone())
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The sequence after the highest member; 0 when empty.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.ranges.last().map_or(0, |r| r.end)
    }

    /// Adds a range; an empty one changes nothing.
    pub fn insert(&mut self, range: GroupRange) {
        if range.is_empty() {
            return;
        }
        // Most sets grow at their end.
        if let Some(last) = self.ranges.last_mut()
            && last.end == range.start
        {
            last.end = range.end;
            return;
        }
        let first = self.ranges.partition_point(|r| r.end < range.start);
        let last = self.ranges.partition_point(|r| r.start <= range.end);
        let merged = match (
            self.ranges.get(first),
            last.checked_sub(1).and_then(|i| self.ranges.get(i)),
        ) {
            (Some(low), Some(high)) if first < last => {
                range.start.min(low.start)..range.end.max(high.end)
            }
            _ => range,
        };
        self.ranges.splice(first..last, [merged]);
        if self.ranges.len() > MAX_RANGES {
            self.ranges[1].start = self.ranges[0].start;
            self.ranges.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_merge_when_they_touch() {
        let mut set = GroupRanges::default();
        set.insert(5..6);
        set.insert(1..2);
        set.insert(3..4);
        assert_eq!(set.ranges, [1..2, 3..4, 5..6]);
        set.insert(2..3);
        assert_eq!(set.ranges, [1..4, 5..6]);
        set.insert(0..9);
        assert_eq!(set.ranges.as_slice(), std::slice::from_ref(&(0..9)));
        assert_eq!(set.end(), 9);
        set.insert(4..4);
        assert_eq!(set.first_missing_from(3), 9);
        assert_eq!(set.first_missing_from(12), 12);
    }

    #[test]
    fn agrees_with_a_plain_set() {
        let mut seed = 7u64;
        let mut set = GroupRanges::default();
        let mut plain = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let start = seed % 300;
            let range = start..start + (seed >> 32) % 4;
            plain.extend(range.clone());
            set.insert(range);
            let probe = (seed >> 16) % 310;
            assert_eq!(set.contains(probe), plain.contains(&probe));
        }
    }

    #[test]
    fn gaps_are_bounded() {
        let mut set = GroupRanges::default();
        for i in 0..5_000 {
            set.insert(i * 2..i * 2 + 1);
        }
        assert_eq!(set.ranges.len(), MAX_RANGES);
        assert!(set.contains(1), "the oldest gaps are closed");
        assert!(!set.contains(9_997));
    }
}
