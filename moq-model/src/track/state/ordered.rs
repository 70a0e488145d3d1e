//! Reading in sequence.

use std::ops::Range;

use super::arena::GroupId;
use super::effects::{Effects, Notify};
use super::phase::Phase;
use super::reader::{Current, Reader};
use super::readers::ReaderId;
use super::{Fate, Step, TrackEnd, TrackState};
use crate::clock::Instant;
use crate::error::{Abort, GroupEnd};
use crate::track::info::Start;
use crate::track::read::TrackRead;

/// Whether a reader has something, or looks again.
pub(super) enum Flow {
    Again,
    Done(Step),
}

impl<W: Notify> TrackState<W> {
    /// The next frame in sequence, or what is missing before it. Most are there, and need no time:
    /// without `now`, [`Step::Clock`] asks for it.
    ///
    /// What is known to be missing is told at once. What may still come is waited for, as long as
    /// the reader's patience goes, from when a group behind it arrived.
    pub(crate) fn next_in_order(
        &mut self,
        id: ReaderId,
        now: Option<Instant>,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Step {
        let step = loop {
            let current = self.readers.get(id).and_then(Reader::current);
            let flow = match current {
                Some(current) => self.read_on(id, current, now, waiter, fx),
                None => self.seek(id, now, waiter, fx),
            };
            if let Flow::Done(step) = flow {
                break step;
            }
        };
        if step != Step::Clock {
            self.set_starved(id, matches!(step, Step::Wait(_)), fx);
        }
        step
    }

    /// Notes whether a reader in sequence lacks bytes that have not come: the input must not wait
    /// for it then.
    pub(crate) fn set_starved(&mut self, id: ReaderId, is_starved: bool, fx: &mut Effects<W>) {
        let reader = self.readers.get_mut(id);
        if reader.is_some_and(|reader| reader.set_starved(is_starved)) && is_starved {
            self.move_line(fx);
        }
    }

    /// Reads the group that was begun.
    fn read_on(
        &mut self,
        id: ReaderId,
        current: Current,
        now: Option<Instant>,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Flow {
        if let Some(read) = self.next_frame(id, current) {
            return Flow::Done(Step::Read(read));
        }
        let sequence = current.sequence;
        let cause = match self.phase(current.group) {
            Phase::Open if self.is_too_old(id, sequence) => Abort::Expired,
            Phase::Announced | Phase::Open => {
                if let Some(group) = self.groups.get_mut(current.group) {
                    group.wait(current.cursor.slot, waiter, fx);
                }
                return Flow::Done(Step::Wait(None));
            }
            Phase::Ended(GroupEnd::Finished) => {
                self.leave(id, sequence + 1, fx);
                return Flow::Again;
            }
            Phase::Gone { .. } if self.is_finished_whole(current) => {
                self.leave(id, sequence + 1, fx);
                return Flow::Again;
            }
            Phase::Ended(GroupEnd::Aborted(cause)) | Phase::Gone { cause, .. } => cause,
        };
        self.give_up(id, sequence..sequence + 1, cause, now, waiter, fx)
    }

    /// Whether a group that lacks frames is too old for a reader, whose own max age is less than the
    /// track's.
    fn is_too_old(&self, id: ReaderId, sequence: u64) -> bool {
        let reader = self.readers.get(id);
        let hasty = reader.filter(|reader| self.is_hasty(reader));
        let age = hasty.and_then(Reader::age);
        age.is_some_and(|age| self.groups.shown().is_expired(sequence, age))
    }

    /// The next frame of a group that was begun, if it is there.
    pub(super) fn next_frame(&mut self, id: ReaderId, current: Current) -> Option<TrackRead> {
        let index = current.cursor.next;
        let frame = self.groups.get(current.group)?.frame(index)?.clone();
        self.paused.note_progress();
        self.readers.get_mut(id)?.step();
        let group = current.sequence;
        Some(TrackRead::Frame {
            group,
            index,
            frame,
        })
    }

    pub(super) fn phase(&self, group: GroupId) -> Phase {
        let gone = Phase::Gone {
            cause: Abort::Internal,
            ended: None,
        };
        self.groups.get(group).map_or(gone, |group| group.phase())
    }

    pub(super) fn is_read_whole(&self, current: Current) -> bool {
        let group = self.groups.get(current.group);
        group.is_some_and(|group| current.cursor.next >= group.appended())
    }

    /// Is done with all groups before `next`.
    pub(super) fn leave(&mut self, id: ReaderId, next: u64, fx: &mut Effects<W>) {
        let Some(reader) = self.readers.get_mut(id) else {
            return;
        };
        let current = reader.current();
        reader.advance(next);
        self.paused.note_progress();
        if let Some(current) = current {
            self.groups.detach(current.group, current.cursor.slot, fx);
        }
        self.note_finished(id, fx);
    }

    /// Finds the next group, or what became of it.
    fn seek(
        &mut self,
        id: ReaderId,
        now: Option<Instant>,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Flow {
        let first = self.begin(id);
        let Some(reader) = self.readers.get(id) else {
            return Flow::Done(Step::End);
        };
        let wanted = reader.wanted();
        let Some(next) = reader.next().or(first) else {
            return self.before_first(id, waiter, fx);
        };
        if next >= wanted.end && reader.subscription().end.is_some() {
            return Flow::Done(Step::End);
        }
        match self.fate(next) {
            Fate::Shown(group) => self.begin_group_of(id, group, next, fx),
            Fate::Gone { end, cause } => {
                self.give_up(id, next..end.min(wanted.end), cause, now, waiter, fx)
            }
            Fate::Over(TrackEnd::Finished) => Flow::Done(Step::End),
            Fate::Over(TrackEnd::Aborted(reason)) => Flow::Done(Step::Failed(reason)),
            Fate::Open => Flow::Done(self.wait_for(id, next..wanted.end, now, waiter, fx)),
        }
    }

    /// Begins with a group, unless it is too old for the reader.
    fn begin_group_of(
        &mut self,
        id: ReaderId,
        group: GroupId,
        sequence: u64,
        fx: &mut Effects<W>,
    ) -> Flow {
        let Some(reader) = self.readers.get(id) else {
            return Flow::Done(Step::End);
        };
        let mut end = sequence;
        if let Some(age) = reader.age() {
            let shown = self.groups.shown();
            let is_expired = |at: u64| shown.get(at).is_some() && shown.is_expired(at, age);
            while end < reader.wanted().end && is_expired(end) {
                end += 1;
            }
        }
        if end > sequence {
            self.leave(id, end, fx);
            return Flow::Done(skipped(sequence..end, Abort::Expired));
        }
        if reader.age().is_some() {
            self.cut_later();
        }
        let cursor = self.cursor(group);
        if let Some(reader) = self.readers.get_mut(id) {
            reader.begin(Current {
                group,
                sequence,
                cursor,
            });
        }
        Flow::Again
    }

    /// Waits for the group `groups.start`, or says that it is missing if a later one has been there
    /// for too long.
    fn wait_for(
        &mut self,
        id: ReaderId,
        groups: Range<u64>,
        now: Option<Instant>,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Step {
        // A group after all that is wanted tells as much.
        let later = self.groups.shown().lowest(groups.start..u64::MAX);
        let patience = self.patience(id);
        let Some(reader) = self.readers.get_mut(id) else {
            return Step::End;
        };
        // From when a later group was there first, whatever became of that.
        let since = later.map(|(_, later)| reader.waits_since(later.begun));
        let until = since.and_then(|since| since.checked_add(patience));
        if until.is_some() && now.is_none() {
            return Step::Clock;
        }
        if let (Some((later, _)), Some(until)) = (later, until)
            && now.is_some_and(|now| until <= now)
        {
            let end = self.unknown_until(groups.start..later.min(groups.end));
            self.leave(id, end, fx);
            return skipped(groups.start..end, Abort::Missing);
        }
        if let Some(reader) = self.readers.get_mut(id) {
            reader.wait(waiter, fx);
        }
        Step::Wait(until)
    }

    /// The first of `groups`, after the first, of which it is known what became of it.
    fn unknown_until(&self, groups: Range<u64>) -> u64 {
        let mut at = groups.start + 1;
        while at < groups.end {
            // It may still come, whatever was said of it.
            if self.groups.is_announced(at) {
                at += 1;
                continue;
            }
            match self.past.run_from(at) {
                Some(run) if run.groups.start == at => return at,
                Some(run) => at = run.groups.start.min(groups.end),
                None => break,
            }
        }
        groups.end
    }

    /// No group was there yet for a reader.
    fn before_first(&mut self, id: ReaderId, waiter: &W, fx: &mut Effects<W>) -> Flow {
        let Some(reader) = self.readers.get_mut(id) else {
            return Flow::Done(Step::End);
        };
        match self.life.end() {
            None => {}
            Some(TrackEnd::Finished) if self.groups.is_awaited(0) => {}
            Some(TrackEnd::Aborted(reason)) => return Flow::Done(Step::Failed(reason)),
            Some(TrackEnd::Finished) => {
                let start = self.life.start();
                let next = match reader.subscription().start {
                    Start::Floor(floor) => start.map(|start| start.max(floor)),
                    Start::Newest => None,
                };
                let Some(next) = next.filter(|_| reader.next().is_none()) else {
                    return Flow::Done(Step::End);
                };
                reader.advance(next);
                return Flow::Again;
            }
        }
        reader.wait(waiter, fx);
        Flow::Done(Step::Wait(None))
    }
}

pub(super) fn skipped(groups: Range<u64>, cause: Abort) -> Step {
    Step::Read(TrackRead::Skipped { groups, cause })
}
