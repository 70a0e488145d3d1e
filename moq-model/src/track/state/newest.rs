//! Reading newest first: how a session serves a track.

use std::ops::Range;

use super::arena::GroupId;
use super::cursor::Cursor;
use super::effects::{Effects, Notify};
use super::opened::Open;
use super::reader::Reader;
use super::readers::ReaderId;
use super::timeline::{Shown, Timeline};
use super::{TrackEnd, TrackState};
use crate::error::Abort;

/// What a reader gets newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Newest {
    /// A group to read.
    Group(Taken),
    /// Groups that are not going to come, for one cause.
    Lost(Range<u64>, Abort),
    /// Every group is accounted for.
    End,
    /// The track ended before its finish.
    Failed(Abort),
    /// There is nothing new.
    Wait,
}

/// A group that was taken, with the reader's slot in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) group: GroupId,
    pub(crate) sequence: u64,
    pub(crate) slot: usize,
    pub(crate) is_datagram: bool,
}

impl<W: Notify> TrackState<W> {
    /// The newest group that a reader has not taken or, without any, what is lost to it.
    pub(crate) fn next_newest(&mut self, id: ReaderId, waiter: &W, fx: &mut Effects<W>) -> Newest {
        let (groups, losses) = (self.groups.shown().version(), self.losses());
        let is_live = self.life.end().is_none();
        let Some(reader) = self.readers.get_mut(id) else {
            return Newest::End;
        };
        if is_live && reader.is_caught_up(groups, losses) {
            reader.wait(waiter, fx);
            return Newest::Wait;
        }
        if reader.first().is_some() || self.begin(id).is_some() {
            let next = self.take_newest(id).or_else(|| self.next_loss(id));
            if let Some(Newest::Lost(..)) = next {
                self.note_finished(id, fx);
            }
            if let Some(next) = next {
                return next;
            }
        }
        match self.life.end() {
            Some(TrackEnd::Aborted(reason)) => return Newest::Failed(reason),
            Some(TrackEnd::Finished) if !self.groups.is_awaited(0) => return Newest::End,
            _ => {}
        }
        if let Some(reader) = self.readers.get_mut(id) {
            reader.wait(waiter, fx);
        }
        Newest::Wait
    }

    pub(super) fn take_newest(&mut self, id: ReaderId) -> Option<Newest> {
        let reader = self.readers.get_mut(id)?;
        let version = self.groups.shown().version();
        if reader.told().has_taken_all(version) {
            return None;
        }
        let Some((sequence, shown)) = untaken(self.groups.shown(), reader) else {
            reader.told_mut().set_taken_all(version);
            return None;
        };
        self.take_group(id, sequence, shown)
    }

    /// Takes a group that readers see, or tells that it is too old for this one.
    pub(super) fn take_group(
        &mut self,
        id: ReaderId,
        sequence: u64,
        shown: Shown,
    ) -> Option<Newest> {
        let version = self.groups.shown().version();
        let is_newest = self.groups.shown().is_last(sequence);
        let reader = self.readers.get_mut(id)?;
        // The newest is never too old.
        let age = reader.age().filter(|_| !is_newest);
        if age.is_some_and(|age| self.groups.shown().is_expired(sequence, age)) {
            let groups = sequence..sequence + 1;
            reader.told_mut().insert(groups.clone());
            return Some(Newest::Lost(groups, Abort::Expired));
        }
        let (group, is_datagram, slot) = self.groups.attach(shown)?;
        reader.open(Open {
            group,
            sequence,
            slot,
        });
        if is_newest {
            let floor = reader.wanted().start;
            reader.told_mut().take_newest(version, floor);
        } else if age.is_some() {
            self.cut_later();
        }
        Some(Newest::Group(Taken {
            group,
            sequence,
            slot,
            is_datagram,
        }))
    }

    /// The lowest group that a reader sees and has not taken.
    pub(super) fn lowest_untaken(&self, reader: &Reader<W>) -> Option<(u64, Shown)> {
        let mut wanted = reader.wanted();
        loop {
            let (sequence, shown) = self.groups.shown().lowest(wanted.clone())?;
            match reader.told().groups().run_at(sequence) {
                Some(run) => wanted.start = run.end.min(wanted.end),
                None => return Some((sequence, shown)),
            }
        }
    }

    /// Groups that are lost to a reader, of those that it was not told of.
    pub(super) fn next_loss(&mut self, id: ReaderId) -> Option<Newest> {
        let is_over = self.life.end() == Some(TrackEnd::Finished) && !self.groups.is_awaited(0);
        let (past, known) = self.losses();
        let version = (past, if is_over { u64::MAX } else { known });
        let reader = self.readers.get_mut(id)?;
        if reader.told().has_seen_losses(version) {
            return None;
        }
        let last = if is_over {
            self.end_sequence()
        } else {
            self.known_end()
        };
        let found = self.find_loss(id, last, is_over);
        let reader = self.readers.get_mut(id)?;
        match &found {
            Some((groups, _)) => reader.told_mut().insert(groups.clone()),
            None => reader.told_mut().set_seen_losses(version),
        }
        found.map(|(groups, cause)| Newest::Lost(groups, cause))
    }

    /// Names what is lost by now. Of groups that are gone up to no end, more are known to be lost
    /// with each group that is there.
    pub(super) fn losses(&self) -> (u64, u64) {
        let end = if self.past.is_endless() {
            self.known_end()
        } else {
            0
        };
        (self.past.version(), end)
    }

    /// The sequence after the last group that is there, or of which it is known that it is gone.
    fn known_end(&self) -> u64 {
        let shown = self.groups.shown().last();
        shown.map_or(0, |(last, _)| last + 1).max(self.past.end())
    }

    /// The first run of groups before `last` that are gone and that a reader was not told of. Once
    /// the track `is_over`, groups that never came are gone, too. Groups that it leaves in the track
    /// are not.
    fn find_loss(&self, id: ReaderId, last: u64, is_over: bool) -> Option<(Range<u64>, Abort)> {
        let reader = self.readers.get(id)?;
        let wanted = reader.wanted();
        let last = last.min(wanted.end);
        let first = reader.first()?.max(wanted.start);
        let told = reader.told().groups();
        let mut at = told.first_missing_from(first);
        while at < last {
            // It is there or may still come, whatever was said of it.
            if self.groups.held_at(at).is_some() {
                at = told.first_missing_from(at + 1);
                continue;
            }
            let next_told = told.first_from(at).map_or(last, |next| next.min(last));
            let (groups, cause) = match self.past.run_from(at) {
                Some(run) if run.groups.start == at => (run.groups, run.cause),
                run if is_over => {
                    let end = run.map_or(last, |run| run.groups.start);
                    (at..end, Abort::Missing)
                }
                Some(run) => {
                    at = told.first_missing_from(run.groups.start);
                    continue;
                }
                None => return None,
            };
            let groups = at..groups.end.min(next_told);
            let held = self.next_held(groups.clone());
            let groups = at..held.unwrap_or(groups.end);
            // What was lost with its session may still come.
            if cause != Abort::SessionClosed || is_over {
                return Some((groups, cause));
            }
            at = told.first_missing_from(groups.end);
        }
        None
    }

    /// Lets go of a place in a group: of this sequence, where a reader took it.
    pub(crate) fn close_group(
        &mut self,
        id: Option<(ReaderId, u64)>,
        group: GroupId,
        slot: usize,
        fx: &mut Effects<W>,
    ) {
        self.groups.detach(group, slot, fx);
        if let Some((id, sequence)) = id {
            if let Some(reader) = self.readers.get_mut(id) {
                reader.close(sequence);
            }
            self.note_finished(id, fx);
        }
    }

    /// A cursor at the first frame of a group.
    pub(super) fn cursor(&mut self, group: GroupId) -> Cursor {
        let slot = self.groups.get_mut(group).map_or(0, |group| group.attach());
        Cursor {
            slot,
            next: 0,
            end: None,
            is_fetch: false,
        }
    }
}

/// The highest group that a reader sees and has not taken.
#[inline]
pub(super) fn untaken<W: Notify>(groups: &Timeline, reader: &Reader<W>) -> Option<(u64, Shown)> {
    let (told, wanted) = (reader.told(), reader.wanted());
    // Most readers have taken all before the last.
    match groups.last() {
        Some(last) if last.0 >= told.groups().end() && wanted.contains(&last.0) => Some(last),
        _ => told.highest_missing(wanted, |wanted| groups.highest(wanted)),
    }
}
