//! What comes into a track: groups, frames, ends, and news of what will not come.

use std::ops::Range;

use super::arena::GroupId;
use super::cursor::{Batch, Frames};
use super::effects::{Effects, Notify};
use super::phase::{Kind, Phase};
use super::{Cursor, TrackEnd, TrackState};
use crate::clock::Instant;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::track::info::TrackInfo;

impl<W: Notify> TrackState<W> {
    /// Settles the properties of a track that was asked for; later calls change nothing.
    pub(crate) fn accept(&mut self, info: TrackInfo, fx: &mut Effects<W>) {
        self.life.accept(info, fx);
        self.age_readers();
        self.readers.wake_all(fx);
        self.expire(fx);
    }

    /// Begins a group with the next sequence, or a given one. It is charged for.
    pub(crate) fn begin_group(
        &mut self,
        sequence: Option<u64>,
        kind: Kind,
        now: Instant,
        fx: &mut Effects<W>,
    ) -> Result<GroupId, WriteError> {
        self.check_begin(sequence)?;
        let id = self.groups.begin(sequence, kind, now)?;
        if self.past.run_at(self.sequence(id)).is_some() {
            // Readers may wait to learn what becomes of a group that was given up before.
            self.readers.wake_all(fx);
        }
        if self.life.is_local() {
            self.life.lower_start(self.sequence(id));
        }
        Ok(id)
    }

    /// Whether a group can begin with the next sequence, or a given one.
    pub(crate) fn check_begin(&self, sequence: Option<u64>) -> Result<(), WriteError> {
        if self.life.end().is_some() {
            return Err(WriteError::Closed);
        }
        self.groups.check_begin(sequence)
    }

    /// Whether a group takes further frames.
    pub(crate) fn check_group(&self, id: GroupId) -> Result<(), WriteError> {
        let group = self.groups.get(id).ok_or(WriteError::Dropped)?;
        group.check_writable()
    }

    /// A group's sequence; 0 for one that is forgotten.
    pub(crate) fn sequence(&self, id: GroupId) -> u64 {
        self.groups.get(id).map_or(0, |group| group.sequence())
    }

    /// Charges a group for bytes of a frame that is still arriving.
    pub(crate) fn arrive(&mut self, id: GroupId, bytes: u64) -> Result<(), WriteError> {
        self.groups.arrive(id, bytes)
    }

    /// Appends a frame, which is charged for but for what has arrived of it before.
    pub(crate) fn append(
        &mut self,
        id: GroupId,
        frame: Frame,
        fx: &mut Effects<W>,
    ) -> Result<(), WriteError> {
        let grown = frame.charge();
        let (before, kind, sequence) = self.groups.push(id, frame, fx)?;
        if let Kind::Fetched { .. } = kind {
            return Ok(());
        }
        if before == Phase::Announced {
            self.note_shown(sequence, kind, fx);
        } else {
            self.expire_in_time(fx);
        }
        self.note_grown(sequence, grown, fx);
        Ok(())
    }

    /// Gives the bytes of a frame back that has arrived for nothing.
    pub(crate) fn forget_arriving(&mut self, id: GroupId, fx: &mut Effects<W>) {
        self.groups.forget_arriving(id, fx);
    }

    /// Drops a group that cannot get a frame which it lacks.
    pub(crate) fn give_up_group(&mut self, id: GroupId, cause: Abort, fx: &mut Effects<W>) {
        let Some(group) = self
            .groups
            .get(id)
            .filter(|group| !group.phase().has_ended())
        else {
            return;
        };
        match (group.kind(), group.sequence()) {
            (Kind::Fetched { .. }, _) => self.groups.discard_fetched(id, cause, fx),
            (Kind::Live | Kind::Datagram, sequence) => self.discard(sequence, cause, fx),
        }
    }

    /// Ends a group.
    pub(crate) fn end_group(&mut self, id: GroupId, end: GroupEnd, fx: &mut Effects<W>) {
        let sequence = self.sequence(id);
        let end = self.end_of_group(end);
        let Some((Phase::Announced, kind @ (Kind::Live | Kind::Datagram))) =
            self.groups.finish(id, end, fx)
        else {
            return self.note_ended(fx);
        };
        match end {
            GroupEnd::Finished => self.note_shown(sequence, kind, fx),
            GroupEnd::Aborted(cause) => {
                self.discard(sequence, cause, fx);
                self.note_ended(fx);
            }
        }
    }

    /// A group that is dropped after its track was given up went down with it.
    fn end_of_group(&self, end: GroupEnd) -> GroupEnd {
        match (end, self.life.end()) {
            (GroupEnd::Aborted(Abort::Internal), Some(TrackEnd::Aborted(reason))) => {
                GroupEnd::Aborted(reason)
            }
            _ => end,
        }
    }

    /// A group with frames has ended; readers that left it out have an end to wait for.
    fn note_ended(&mut self, fx: &mut Effects<W>) {
        if self.life.end().is_some() {
            self.readers.wake_all(fx);
        }
    }

    /// Shows readers a group that has its first frame, or ended without one.
    fn note_shown(&mut self, sequence: u64, kind: Kind, fx: &mut Effects<W>) {
        let floor = self.newest_floor(sequence);
        // Of groups that are gone up to no end, each one that is shown tells of more.
        let is_news = kind == Kind::Datagram || self.past.is_endless();
        let mut is_waited_for = false;
        for reader in self.readers.iter_mut() {
            reader.show(sequence, floor, is_news, fx);
            is_waited_for |= reader.first().is_none();
        }
        if is_waited_for {
            self.begin_all();
        }
        if self.life.end().is_some() {
            self.readers.wake_all(fx);
        }
        self.expire_before(sequence, fx);
        self.cut_expired(fx);
    }

    /// Notes that groups will not come, as the peer that feeds the track told.
    pub(crate) fn drop_groups(&mut self, groups: Range<u64>, cause: Abort, fx: &mut Effects<W>) {
        self.past.insert(groups.clone(), cause);
        self.begin_all();
        self.note_gone(groups, fx);
    }

    /// Notes where the track begins, as the peer that feeds it told.
    pub(crate) fn set_start(&mut self, sequence: u64, fx: &mut Effects<W>) {
        self.life.lower_start(sequence);
        self.begin_all();
        self.readers.wake_all(fx);
    }

    /// Notes the sequence after the last group that was to be.
    pub(crate) fn set_told_end(&mut self, sequence: u64) {
        self.life.set_told_end(sequence);
    }

    /// Ends the track; groups that have begun may go on.
    pub(crate) fn end_track(&mut self, end: TrackEnd, now: Instant, fx: &mut Effects<W>) {
        if self.life.set_end(end, now, fx) {
            self.begin_all();
            self.readers.wake_all(fx);
            self.wake_paused(fx);
        }
    }

    /// Ends the track if nobody reads it; says whether it has ended.
    ///
    /// A reader that comes after that finds the track ended, never a track that is about to.
    pub(crate) fn end_unused(&mut self, now: Instant, fx: &mut Effects<W>) -> bool {
        if self.life.end().is_none() && !self.is_read() {
            self.life.set_unused();
            self.end_track(TrackEnd::Aborted(Abort::Cancelled), now, fx);
        }
        self.life.end().is_some()
    }

    /// Hands out frames of a group, as many as `batch` takes.
    #[inline]
    pub(crate) fn read_group(
        &mut self,
        id: GroupId,
        cursor: &mut Cursor,
        batch: &mut Batch,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Frames {
        let Some(group) = self.groups.get_mut(id) else {
            return Frames::End(GroupEnd::Aborted(Abort::Internal));
        };
        let read = group.read(cursor, batch, waiter, fx);
        if matches!(read, Frames::Some(..)) && !cursor.is_fetch {
            self.paused.note_progress();
        }
        read
    }

    /// A group's end that comes before its frames are read.
    pub(crate) fn read_cut(
        &mut self,
        id: GroupId,
        slot: usize,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Option<GroupEnd> {
        let group = self.groups.get_mut(id)?;
        group.read_cut(slot, waiter, fx)
    }

    /// Whether a group takes no more frames; its producing side waits for that otherwise.
    pub(crate) fn is_group_closed(&mut self, id: GroupId, waiter: &W, fx: &mut Effects<W>) -> bool {
        let Some(group) = self
            .groups
            .get_mut(id)
            .filter(|group| !group.phase().has_ended())
        else {
            return true;
        };
        group.wait_as_producer(waiter, fx);
        false
    }
}
