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

impl Timeline {
    /// Adds a group. Those before it without a time take its, unless they took another one's.
    pub(super) fn insert(&mut self, sequence: u64, mut group: Shown, is_datagram: bool) {
        if is_datagram {
            self.datagrams.insert(sequence);
        }
        if group.time.is_some() {
            let before = self.groups.range_mut(..sequence).rev();
            for (_, before) in before.take_while(|(_, before)| before.time.is_none()) {
                before.time = group.time;
            }
        } else {
            group.time = self.after(sequence).and_then(|(_, after)| after.time);
        }
        self.groups.insert(sequence, group);
        self.version += 1;
        if self.last.is_none_or(|(last, _)| last < sequence) {
            self.last = Some((sequence, group));
        }
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
        let lowest = self.groups.range(range).next();
        lowest.map(|(&sequence, &group)| (sequence, group))
    }

    /// The highest group in `range`.
    pub(super) fn highest(&self, range: Range<u64>) -> Option<(u64, Shown)> {
        if self.last.is_some_and(|(last, _)| range.contains(&last)) {
            return self.last;
        }
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
        let next = self.after(sequence);
        next.is_some_and(|(_, next)| self.is_past(next, age))
    }

    /// Whether a group began at least `age` ago.
    fn is_past(&self, next: Shown, age: Age) -> bool {
        if let Some(began) = next.time {
            return self.latest().saturating_sub(began) >= age.units;
        }
        let newest = self.last().map_or(next.begun, |(_, newest)| newest.begun);
        newest.saturating_duration_since(next.begun) >= age.wall
    }

    /// The timestamp of the newest group at which a group is going to be expired, or 0 if it is; `None`
    /// while media time does not tell.
    pub(super) fn due_at(&self, sequence: u64, age: Age) -> Option<u64> {
        let (_, next) = self.after(sequence)?;
        if self.is_past(next, age) {
            return Some(0);
        }
        Some(next.time?.saturating_add(age.units))
    }

    /// The timestamp of the newest group at which a group is going to be expired; `None` while
    /// media time does not tell.
    pub(super) fn expires_at(&self, sequence: u64, units: u64) -> Option<u64> {
        let (_, next) = self.after(sequence)?;
        Some(next.time?.saturating_add(units))
    }
}
