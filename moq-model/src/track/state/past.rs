//! The groups that are gone, and why.

use std::ops::Range;

use crate::error::Abort;

/// Runs of groups that are told apart; beyond it the lowest are forgotten.
const MAX_RUNS: usize = 1_024;

/// What is remembered of groups that are gone or will never come: runs of sequences with one
/// cause each, at most 1 024.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Ascending, never empty, never overlapping.
    runs: Vec<Run>,
    /// Below it nothing is remembered.
    floor: u64,
    /// Changes with each group that is added.
    version: u64,
}

/// Neighbouring groups that are gone for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) groups: Range<u64>,
    pub(super) cause: Abort,
}

impl Past {
    /// Adds groups; those that are known already keep their cause.
    pub(super) fn insert(&mut self, groups: Range<u64>, cause: Abort) {
        let mut from = groups.start.max(self.floor);
        self.version += 1;
        while from < groups.end {
            let at = self.runs.partition_point(|run| run.groups.end <= from);
            let known = self.runs.get(at).map(|run| run.groups.clone());
            let until = known.as_ref().map_or(groups.end, |known| known.start);
            if from < until {
                self.insert_gap(at, from..until.min(groups.end), cause);
            }
            from = known.map_or(groups.end, |known| known.end);
        }
        while self.runs.len() > MAX_RUNS {
            self.floor = self.runs.remove(0).groups.end;
        }
    }

    /// Adds groups of which none is known, before the run `at`.
    fn insert_gap(&mut self, at: usize, groups: Range<u64>, cause: Abort) {
        let (start, end) = (groups.start, groups.end);
        // Groups that are gone up to no end stay apart: they tell no end.
        let is_same = |run: &Run| run.cause == cause && end < u64::MAX && run.groups.end < u64::MAX;
        let follows = |run: &Run| run.groups.end == start && is_same(run);
        let leads = |run: &Run| run.groups.start == end && is_same(run);
        let before = at.checked_sub(1).filter(|&at| follows(&self.runs[at]));
        let after = self.runs.get(at).is_some_and(leads);
        match (before, after) {
            (Some(before), true) => {
                self.runs[before].groups.end = self.runs[at].groups.end;
                self.runs.remove(at);
            }
            (Some(before), false) => self.runs[before].groups.end = end,
            (None, true) => self.runs[at].groups.start = start,
            (None, false) => self.runs.insert(at, Run { groups, cause }),
        }
    }

    /// The run of a group that is gone, from that group on. Of groups below those that are
    /// remembered no cause is known.
    pub(super) fn run_at(&self, sequence: u64) -> Option<Run> {
        if sequence < self.floor {
            return Some(Run {
                groups: sequence..self.floor,
                cause: Abort::Internal,
            });
        }
        let run = self.run_from(sequence)?;
        (run.groups.start == sequence).then_some(run)
    }

    /// The first run with groups at or above `sequence`, cut off below it.
    pub(super) fn run_from(&self, sequence: u64) -> Option<Run> {
        let at = self.runs.partition_point(|run| run.groups.end <= sequence);
        let run = self.runs.get(at)?;
        Some(Run {
            groups: run.groups.start.max(sequence)..run.groups.end,
            cause: run.cause,
        })
    }

    /// The first group at or above `sequence` that is not gone for good: it is here, or may come, or
    /// was lost with its session only.
    pub(super) fn first_alive_from(&self, sequence: u64) -> u64 {
        let mut at = sequence;
        while let Some(run) = self.run_at(at) {
            if run.cause == Abort::SessionClosed || run.groups.end == u64::MAX {
                break;
            }
            at = run.groups.end;
        }
        at
    }

    /// Whether groups are gone up to no end.
    pub(super) fn is_endless(&self) -> bool {
        self.runs
            .last()
            .is_some_and(|run| run.groups.end == u64::MAX)
    }

    /// The sequence after the last group that is gone. Groups that are gone up to no end do not
    /// count: they say nothing of where the track was to end.
    pub(super) fn end(&self) -> u64 {
        let ends = self.runs.iter().rev().map(|run| run.groups.end);
        let mut ends = ends.filter(|&end| end < u64::MAX);
        ends.next().unwrap_or(self.floor)
    }

    /// Changes with each group that is added.
    pub(super) fn version(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn runs(past: &Past) -> Vec<(Range<u64>, Abort)> {
        let runs = past.runs.iter();
        runs.map(|run| (run.groups.clone(), run.cause)).collect()
    }

    #[test]
    fn the_first_cause_of_a_group_stays() {
        let mut past = Past::default();
        past.insert(3..5, Abort::Expired);
        past.insert(0..9, Abort::Evicted);
        let evicted = |groups| (groups, Abort::Evicted);
        assert_eq!(
            runs(&past),
            [evicted(0..3), (3..5, Abort::Expired), evicted(5..9)]
        );
        assert_eq!(past.first_alive_from(1), 9);
        assert_eq!(past.run_at(4).unwrap().groups, 4..5);
        assert_eq!(past.run_at(9), None);
        past.insert(9..10, Abort::SessionClosed);
        assert_eq!(
            past.first_alive_from(1),
            9,
            "it may come of another session"
        );
    }

    #[test]
    fn agrees_with_a_plain_map() {
        let mut seed = 7u64;
        let (mut past, mut plain) = (Past::default(), BTreeMap::new());
        for _ in 0..2_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let start = seed % 300;
            let groups = start..start + (seed >> 32) % 5;
            let cause = [Abort::Expired, Abort::Evicted][(seed >> 40) as usize % 2];
            for group in groups.clone() {
                plain.entry(group).or_insert(cause);
            }
            past.insert(groups, cause);
            let probe = (seed >> 16) % 310;
            let known = past.run_at(probe).map(|run| run.cause);
            assert_eq!(known, plain.get(&probe).copied());
        }
        assert!(runs(&past).len() < 300);
    }

    #[test]
    fn the_oldest_of_too_many_runs_are_unknown() {
        let mut past = Past::default();
        for n in 0..5_000 {
            past.insert(n * 2..n * 2 + 1, Abort::Expired);
        }
        assert_eq!(past.runs.len(), MAX_RUNS);
        assert_eq!(past.run_at(1).unwrap().cause, Abort::Internal);
        assert_eq!(past.run_at(9_997), None, "it may still come");
        past.insert(0..2, Abort::Evicted);
        assert_eq!(past.runs.len(), MAX_RUNS, "nothing is added below");
    }

    #[test]
    fn what_is_gone_up_to_no_end_tells_no_end() {
        let mut past = Past::default();
        past.insert(2..4, Abort::Expired);
        past.insert(9..u64::MAX, Abort::Missing);
        assert_eq!(past.end(), 4);
        let mut past = Past::default();
        past.insert(2..4, Abort::Missing);
        past.insert(2..u64::MAX, Abort::Missing);
        assert_eq!(past.end(), 4, "what is known stays apart");
    }
}
