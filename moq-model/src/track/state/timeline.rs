//! The groups that readers see, in order, with when they began.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};
use std::time::Duration;

use crate::clock::Instant;

/// The groups of a track that have a frame or an end, by sequence.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    groups: BTreeMap<u64, Shown>,
    /// Those of them that are datagrams.
    datagrams: BTreeSet<u64>,
    /// The newest of them, which is asked for most.
    last: Option<(u64, Shown)>,
    /// Changes with each group that is added.
    version: u64,
    /// The newest group with a frame, and its latest timestamp.
    newest: Option<(u64, u64)>,
}

/// One group that readers see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) key: usize,
    /// When it began in media time: the first timestamp of its own or, for a group without a
    /// frame, that of a group after it. Unknown while there is none.
    pub(super) time: Option<u64>,
    /// When it began to arrive.
    pub(super) begun: Instant,
}

/// An age, for groups with a media time and for those without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    /// In units of the track's timestamps.
    pub(super) units: u64,
    /// The same as a time between arrivals.
    pub(super) wall: Duration,
}

/// When a group is too old.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// From this timestamp of the newest group on.
    pub(super) at: u64,
    /// The group after it, whose beginning tells.
    pub(super) after: u64,
}

impl Timeline {
    /// Adds a group. Those before it without a time take its, unless they took another one's.
    pub(super) fn insert(&mut self, sequence: u64, mut group: Shown, is_datagram: bool) {
        if is_datagram {
            self.datagrams.insert(sequence);
        }
        if group.time.is_none() {
            group.time = self.after(sequence).and_then(|(_, after)| after.time);
        } else if !self.follows_a_time(sequence) {
            let before = self.groups.range_mut(..sequence).rev();
            for (_, before) in before.take_while(|(_, before)| before.time.is_none()) {
                before.time = group.time;
            }
        }
        self.groups.insert(sequence, group);
        self.version += 1;
        if self.last.is_none_or(|(last, _)| last < sequence) {
            self.last = Some((sequence, group));
        }
    }

    /// Whether `sequence` is above the newest group, and that has a time.
    fn follows_a_time(&self, sequence: u64) -> bool {
        let last = self.last;
        last.is_some_and(|(last, newest)| last < sequence && newest.time.is_some())
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<Shown> {
        let removed = self.groups.remove(&sequence);
        self.datagrams.remove(&sequence);
        if self.last.is_some_and(|(last, _)| last == sequence) {
            let last = self.groups.last_key_value();
            self.last = last.map(|(&sequence, &group)| (sequence, group));
        }
        removed
    }

    /// Changes with each group that is added.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Notes a frame's timestamp.
    pub(super) fn note_time(&mut self, sequence: u64, time: u64) {
        self.newest = match self.newest {
            Some((newest, _)) if newest > sequence => self.newest,
            Some((newest, latest)) if newest == sequence => Some((newest, latest.max(time))),
            _ => Some((sequence, time)),
        };
    }

    /// The latest timestamp of the newest group that has any.
    pub(super) fn latest(&self) -> u64 {
        self.newest.map_or(0, |(_, latest)| latest)
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn get(&self, sequence: u64) -> Option<Shown> {
        self.groups.get(&sequence).copied()
    }

    /// The lowest group in `range`.
    pub(super) fn lowest(&self, range: Range<u64>) -> Option<(u64, Shown)> {
        if range.is_empty() {
            return None;
        }
        // Most groups follow each other without a gap, and a range is dearer.
        if let Some(group) = self.get(range.start) {
            return Some((range.start, group));
        }
        let lowest = self.groups.range(range).next();
        lowest.map(|(&sequence, &group)| (sequence, group))
    }

    /// The highest group in `range`.
    #[inline]
    pub(super) fn highest(&self, range: Range<u64>) -> Option<(u64, Shown)> {
        if self.last.is_some_and(|(last, _)| range.contains(&last)) {
            return self.last;
        }
        self.find_highest(range)
    }

    fn find_highest(&self, range: Range<u64>) -> Option<(u64, Shown)> {
        if range.is_empty() {
            return None;
        }
        let highest = self.groups.range(range).next_back();
        highest.map(|(&sequence, &group)| (sequence, group))
    }

    /// Whether any of them is a datagram.
    pub(super) fn has_datagrams(&self) -> bool {
        !self.datagrams.is_empty()
    }

    /// The highest group in `range` that is a datagram.
    pub(super) fn highest_datagram(&self, range: Range<u64>) -> Option<(u64, Shown)> {
        if range.is_empty() {
            return None;
        }
        let sequence = *self.datagrams.range(range).next_back()?;
        Some((sequence, self.get(sequence)?))
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.groups.first_key_value().map(|(&sequence, _)| sequence)
    }

    pub(super) fn last(&self) -> Option<(u64, Shown)> {
        self.last
    }

    /// Whether a group is the newest.
    pub(super) fn is_last(&self, sequence: u64) -> bool {
        self.last.is_some_and(|(last, _)| last == sequence)
    }

    /// The groups above `sequence`, ascending.
    pub(super) fn above(&self, sequence: u64) -> impl Iterator<Item = (u64, Shown)> {
        let above = (Bound::Excluded(sequence), Bound::Unbounded);
        let above = self.groups.range(above);
        above.map(|(&sequence, &group)| (sequence, group))
    }

    fn after(&self, sequence: u64) -> Option<(u64, Shown)> {
        self.last.filter(|&(last, _)| last > sequence)?;
        self.above(sequence).next()
    }

    /// Whether a group stopped being current at least `age` ago: when the group after it began.
    ///
    /// Ages are counted in media time, and between arrivals where no media time is known.
    pub(super) fn is_expired(&self, sequence: u64, age: Age) -> bool {
        let due = self.due(sequence, age);
        due.is_some_and(|due| due.at <= self.latest())
    }

    /// The highest group from `lowest` on that is too old. Walks all groups above it.
    pub(super) fn highest_expired(&self, lowest: u64, age: Age) -> Option<u64> {
        let latest = self.latest();
        let mut next = None;
        for (&sequence, group) in self.groups.range(lowest..).rev() {
            let at = next.and_then(|next| self.due_at(next, age));
            if at.is_some_and(|at| at <= latest) {
                return Some(sequence);
            }
            next = Some(group);
        }
        None
    }

    /// When a group is going to be too old; `None` while media time does not tell.
    pub(super) fn due(&self, sequence: u64, age: Age) -> Option<Due> {
        let (after, next) = self.after(sequence)?;
        let at = self.due_at(&next, age)?;
        Some(Due { at, after })
    }

    /// From which timestamp on the group before `next` is too old.
    fn due_at(&self, next: &Shown, age: Age) -> Option<u64> {
        match next.time {
            // Timestamps may go back from one group to the next.
            Some(_) if age.units == 0 => Some(0),
            Some(began) => began.checked_add(age.units),
            None => {
                let newest = self.last().map_or(next.begun, |(_, newest)| newest.begun);
                let is_due = newest.saturating_duration_since(next.begun) >= age.wall;
                is_due.then_some(0)
            }
        }
    }
}
