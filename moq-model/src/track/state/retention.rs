//! What a track lets go of: what is too old, what is too much, and what nobody is going to read.

use std::ops::Range;

use super::TrackState;
use super::effects::{Effects, Notify};
use super::opened::Open;
use super::pause::{LEAST, SHARE};
use super::reader::Reader;
use super::timeline::Due;
use crate::clock::Instant;
use crate::error::Abort;

/// When to look for groups that are too old, so that not every frame has to.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// When the oldest group is too old for the track.
    due: Option<Due>,
    /// Whether groups get too old for some reader before they do for the track.
    is_hasty: bool,
    /// The timestamp at which a group that somebody reads is too old for that reader.
    cuts_at: Option<u64>,
    /// Groups below it are too old for the track, those that never began included.
    expired_before: u64,
}

/// What a track has that could give way to something else, from what goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Nothing.
    Nothing,
    /// Its newest group.
    Newest,
    /// Groups that were fetched.
    Fetched,
    /// Groups before the newest.
    Older,
}

impl<W: Notify> TrackState<W> {
    /// Drops groups that are too old for the track.
    pub(super) fn expire(&mut self, fx: &mut Effects<W>) {
        let Some(info) = self.life.info() else { return };
        let age = self.age(info.max_age);
        let mut gone: Option<Range<u64>> = None;
        let latest = self.groups.shown().latest();
        loop {
            let oldest = self.groups.shown().first();
            let due = oldest.and_then(|oldest| self.groups.shown().due(oldest, age));
            self.retention.due = due;
            let is_due = due.is_some_and(|due| due.at <= latest);
            let Some(oldest) = oldest.filter(|_| is_due) else {
                break;
            };
            let from = self.expire_up_to(oldest, fx);
            gone = Some(gone.map_or(from, |gone| gone.start)..oldest + 1);
        }
        if let Some(gone) = gone {
            self.note_gone(gone, fx);
        }
    }

    /// Drops the oldest group that readers see. Groups below it that never began are too old, too.
    /// Returns the first group that is gone by that.
    fn expire_up_to(&mut self, oldest: u64, fx: &mut Effects<W>) -> u64 {
        self.groups.discard(oldest, Abort::Expired, fx);
        let first = self.retention.expired_before.min(oldest);
        let mut from = first;
        while let Some(announced) = self.groups.first_announced(from..oldest) {
            self.past.insert(from..announced, Abort::Expired);
            from = announced + 1;
        }
        self.past.insert(from..oldest + 1, Abort::Expired);
        self.retention.expired_before = first.max(oldest + 1);
        first
    }

    /// As [`Self::expire`] and [`Self::cut_expired`], when a timestamp has come that asks for it.
    pub(super) fn expire_in_time(&mut self, fx: &mut Effects<W>) {
        let latest = self.groups.shown().latest();
        if self.retention.due.is_some_and(|due| due.at <= latest) {
            self.expire(fx);
        }
        if self.retention.cuts_at.is_some_and(|at| at <= latest) {
            self.cut_expired(fx);
        }
    }

    /// As [`Self::expire`], after a group was shown.
    pub(super) fn expire_before(&mut self, sequence: u64, fx: &mut Effects<W>) {
        let latest = self.groups.shown().latest();
        // How old the oldest group is depends on the one after it.
        let due = self.retention.due;
        if due.is_none_or(|due| sequence <= due.after || due.at <= latest) {
            self.expire(fx);
        }
    }

    /// Ends groups for those of their readers whose own limit is shorter than the track's, and wakes
    /// readers that left such a group in the track.
    pub(super) fn cut_expired(&mut self, fx: &mut Effects<W>) {
        if self.life.info().is_none() || !self.retention.is_hasty {
            return;
        }
        let latest = self.groups.shown().latest();
        let mut next: Option<u64> = None;
        let (mut cut, mut late) = (Vec::new(), Vec::new());
        for (id, reader) in self.readers.entries() {
            let Some(age) = reader.age().filter(|_| self.is_hasty(reader)) else {
                continue;
            };
            let current = reader.current().map(|current| Open {
                group: current.group,
                sequence: current.sequence,
                slot: current.cursor.slot,
            });
            let is_expired = |sequence| self.groups.shown().is_expired(sequence, age);
            let mut keep = |sequence| {
                let due = self.groups.shown().due(sequence, age);
                next = next.into_iter().chain(due.map(|due| due.at)).min();
            };
            for open in reader.opened().iter().copied().chain(current) {
                if is_expired(open.sequence) {
                    cut.push(open);
                } else {
                    keep(open.sequence);
                }
            }
            match self.lowest_left(reader) {
                Some(lowest) if is_expired(lowest) => late.push(id),
                Some(lowest) => keep(lowest),
                None => {}
            }
        }
        for open in cut {
            if let Some(group) = self.groups.get_mut(open.group) {
                group.cut(open.slot, Abort::Expired, fx);
            }
        }
        for id in late {
            if let Some(reader) = self.readers.get_mut(id) {
                reader.wake(fx);
            }
        }
        self.retention.cuts_at = next.filter(|&at| at > latest);
    }

    /// Whether groups get too old for a reader before they do for the track, whose properties are
    /// known.
    pub(super) fn is_hasty(&self, reader: &Reader<W>) -> bool {
        let info = self.life.info();
        info.is_some_and(|info| reader.subscription().max_age < info.max_age)
    }

    /// Notes whether groups get too old for some reader before they do for the track.
    pub(super) fn note_hasty(&mut self) {
        let max_age = self.life.max_age();
        let is_any_hasty = self.subscriptions().any(|wanted| wanted.max_age < max_age);
        self.retention.is_hasty = is_any_hasty;
    }

    /// Has the next frame look for readers whose groups are too old for them.
    pub(super) fn cut_later(&mut self) {
        self.retention.cuts_at = Some(0);
    }

    /// What the track has that could give way, from what goes first.
    pub(crate) fn tier(&self) -> Tier {
        match self.groups.live_count() {
            2.. => Tier::Older,
            _ if self.groups.first_fetched().is_some() => Tier::Fetched,
            1 => Tier::Newest,
            _ => Tier::Nothing,
        }
    }

    /// Drops one group for memory: one that was fetched while those have more than a quarter of the
    /// bytes, then the oldest, then one that was fetched, then the newest. Returns which it was.
    pub(crate) fn evict(&mut self, fx: &mut Effects<W>) -> Tier {
        let tier = match self.tier() {
            Tier::Older if self.groups.charge().is_fetched_too_much() => Tier::Fetched,
            tier => tier,
        };
        match tier {
            Tier::Older | Tier::Newest => {
                if let Some((oldest, _)) = self.groups.ends() {
                    self.discard(oldest, Abort::Evicted, fx);
                }
            }
            Tier::Fetched => {
                if let Some(id) = self.groups.first_fetched() {
                    self.groups.discard_fetched(id, Abort::Evicted, fx);
                }
            }
            Tier::Nothing => {}
        }
        tier
    }

    /// Ends a pause in which nobody moved: the oldest groups go until half of the share is left.
    pub(super) fn skip_stalled(&mut self, fx: &mut Effects<W>) {
        let mut gone: Option<Range<u64>> = None;
        while self.groups.charge().live() > SHARE / 2
            || self.groups.shown().len() as u64 > SHARE / LEAST / 2
        {
            let Some((oldest, newest)) = self.groups.ends() else {
                break;
            };
            if oldest == newest {
                break;
            }
            self.let_go(oldest, Abort::TooFarBehind, fx);
            gone = Some(gone.map_or(oldest, |gone| gone.start)..oldest + 1);
        }
        if let Some(gone) = gone {
            self.note_gone(gone, fx);
        }
    }

    /// Lets go of a group, remembers why, and tells those whom it concerns.
    pub(super) fn discard(&mut self, sequence: u64, cause: Abort, fx: &mut Effects<W>) {
        self.let_go(sequence, cause, fx);
        self.note_gone(sequence..sequence + 1, fx);
    }

    fn let_go(&mut self, sequence: u64, cause: Abort, fx: &mut Effects<W>) {
        self.groups.discard(sequence, cause, fx);
        self.past.insert(sequence..sequence + 1, cause);
    }

    /// Groups are gone that readers may wait for, or that held up the input.
    pub(super) fn note_gone(&mut self, groups: Range<u64>, fx: &mut Effects<W>) {
        // After the track's end, its last group may have been waited for.
        let has_ended = self.life.end().is_some();
        for reader in self.readers.iter_mut() {
            if has_ended || reader.lacks(&groups) {
                reader.wake(fx);
            }
        }
        self.move_line(fx);
        self.expire_anew();
    }

    /// Finds out when the oldest group is too old: at once, perhaps, where the one before it was
    /// dropped for memory.
    fn expire_anew(&mut self) {
        let timeline = self.groups.shown();
        let age = self.age(self.life.max_age());
        let oldest = timeline.first();
        self.retention.due = oldest.and_then(|oldest| timeline.due(oldest, age));
    }

    /// When a track that has ended is let go of, if nobody reads it.
    pub(crate) fn release_at(&self) -> Option<Instant> {
        self.life.release_at().filter(|_| !self.is_read())
    }

    /// Lets go of everything if the track has ended, nobody reads it, and its max age has passed
    /// since; says whether it did.
    pub(crate) fn release(&mut self, now: Instant, fx: &mut Effects<W>) -> bool {
        if self.release_at().is_none_or(|at| at > now) {
            return false;
        }
        while let Some((oldest, _)) = self.groups.ends() {
            self.discard(oldest, Abort::Expired, fx);
        }
        true
    }
}
