//! Reading the newest group, and leaving it for a newer one.

use super::effects::{Effects, Notify};
use super::ordered::skipped;
use super::phase::Phase;
use super::reader::{Current, Reader};
use super::readers::ReaderId;
use super::{Fate, Step, TrackEnd, TrackState};
use crate::error::{Abort, GroupEnd};

impl<W: Notify> TrackState<W> {
    /// The next frame of the newest group, or what is left out for it.
    pub(crate) fn next_of_latest(&mut self, id: ReaderId, waiter: &W, fx: &mut Effects<W>) -> Step {
        loop {
            if let Some(skipped) = self.jump(id, fx) {
                return skipped;
            }
            let current = self.readers.get(id).and_then(Reader::current);
            let Some(current) = current else {
                return self.after_latest(id, waiter, fx);
            };
            if let Some(read) = self.next_frame(id, current) {
                return Step::Read(read);
            }
            let sequence = current.sequence;
            match self.phase(current.group) {
                Phase::Announced | Phase::Open => {
                    if let Some(group) = self.groups.get_mut(current.group) {
                        group.wait(current.cursor.slot, waiter, fx);
                    }
                    return self.wait_for_newer(id, waiter, fx);
                }
                Phase::Ended(GroupEnd::Finished) => self.leave(id, sequence + 1, fx),
                Phase::Gone { .. } if self.is_finished_whole(current) => {
                    self.leave(id, sequence + 1, fx);
                }
                Phase::Ended(GroupEnd::Aborted(cause)) | Phase::Gone { cause, .. } => {
                    if let Some(step) = self.went_down(id, cause, waiter, fx) {
                        return step;
                    }
                    self.leave(id, sequence + 1, fx);
                    return skipped(sequence..sequence + 1, cause);
                }
            }
        }
    }

    /// A group that went down with its session is told only if the track has outlived that: a newer
    /// one, or the track's end, tells.
    fn went_down(
        &mut self,
        id: ReaderId,
        cause: Abort,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Option<Step> {
        if cause != Abort::SessionClosed {
            return None;
        }
        match self.life.end() {
            None => Some(self.wait_for_newer(id, waiter, fx)),
            Some(TrackEnd::Aborted(reason)) => Some(Step::Failed(reason)),
            Some(TrackEnd::Finished) => None,
        }
    }

    /// Begins with a group that is newer than the current one, if there is any; says what is left
    /// out for it.
    fn jump(&mut self, id: ReaderId, fx: &mut Effects<W>) -> Option<Step> {
        self.begin(id)?;
        let reader = self.readers.get(id)?;
        let current = reader.current();
        let after = current.map(|current| current.sequence + 1);
        let next = after.or_else(|| reader.next());
        let mut wanted = reader.wanted();
        wanted.start = wanted.start.max(next.unwrap_or(0)).min(wanted.end);
        let (sequence, shown) = self.groups.shown().highest(wanted)?;
        // What was read to its end is not left out.
        let left = match current {
            Some(current) if !self.is_finished_whole(current) => Some(current.sequence),
            _ => next,
        };
        self.leave(id, sequence, fx);
        let group = self.groups.id(shown.key);
        let cursor = self.cursor(group);
        self.readers.get_mut(id)?.begin(Current {
            group,
            sequence,
            cursor,
        });
        let left = left.filter(|&left| left < sequence)?;
        Some(skipped(left..sequence, Abort::Expired))
    }

    /// Whether a group that was begun is finished, and has been read to its end.
    pub(super) fn is_finished_whole(&self, current: Current) -> bool {
        let is_finished = match self.phase(current.group) {
            Phase::Ended(end) => end == GroupEnd::Finished,
            Phase::Gone { ended, .. } => ended == Some(GroupEnd::Finished),
            Phase::Announced | Phase::Open => false,
        };
        is_finished && self.is_read_whole(current)
    }

    /// The newest group has been read: waits for a newer one, or for the end of the track.
    fn after_latest(&mut self, id: ReaderId, waiter: &W, fx: &mut Effects<W>) -> Step {
        let Some(reader) = self.readers.get(id) else {
            return Step::End;
        };
        let (next, wanted_end) = (reader.next(), reader.wanted().end);
        if next.is_some_and(|next| next >= wanted_end) && reader.subscription().end.is_some() {
            return Step::End;
        }
        let is_awaited = self.groups.is_awaited(next.unwrap_or(0));
        match self.life.end() {
            Some(TrackEnd::Aborted(reason)) => return Step::Failed(reason),
            Some(TrackEnd::Finished) if !is_awaited => {
                let fate = next.map(|next| (next, self.fate(next)));
                if let Some((next, Fate::Gone { end, cause })) = fate {
                    let end = end.min(wanted_end);
                    self.leave(id, end, fx);
                    return skipped(next..end, cause);
                }
                return Step::End;
            }
            _ => {}
        }
        self.wait_for_newer(id, waiter, fx)
    }

    fn wait_for_newer(&mut self, id: ReaderId, waiter: &W, fx: &mut Effects<W>) -> Step {
        if let Some(reader) = self.readers.get_mut(id) {
            reader.wait(waiter, fx);
        }
        Step::Wait(None)
    }
}
