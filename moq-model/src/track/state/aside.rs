//! Leaving groups in the track until there is a stream for them: how a session serves a peer that
//! takes fewer streams than there are groups.

use super::effects::{Effects, Notify};
use super::newest::{Newest, untaken};
use super::reader::Reader;
use super::readers::ReaderId;
use super::timeline::Timeline;
use super::{TrackEnd, TrackState};
use crate::error::Abort;

/// The groups that a reader leaves in the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete by nature: there is no group, or the newest is among them, or it is not"
)]
pub enum Backlog {
    /// There is none.
    #[default]
    Empty,
    /// The newest was taken; older ones were not.
    Older,
    /// The newest is one of them.
    Newest,
}

/// Which end of a backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    Newest,
    Oldest,
}

impl<W: Notify> TrackState<W> {
    /// What a reader gets besides groups that want a stream: those that are datagrams, what is lost,
    /// and the track's end once nothing is left. Says what it leaves in the track, too.
    pub(crate) fn next_aside(
        &mut self,
        id: ReaderId,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> (Newest, Backlog) {
        let (groups, losses) = (self.groups.shown().version(), self.losses());
        let end = self.life.end();
        let Some(reader) = self.readers.get_mut(id) else {
            return (Newest::End, Backlog::Empty);
        };
        if end.is_none() && reader.is_caught_up(groups, losses) {
            reader.wait_aside(waiter, Backlog::Empty, fx);
            return (Newest::Wait, Backlog::Empty);
        }
        // One that has taken all others leaves the newest, as most do.
        let is_silent = end.is_none() && reader.told().has_seen_losses(losses);
        if is_silent && lacks_newest(reader, self.groups.shown()) {
            reader.wait_aside(waiter, Backlog::Newest, fx);
            return (Newest::Wait, Backlog::Newest);
        }
        if reader.first().is_none() && self.begin(id).is_none() {
            return (
                self.end_aside(id, Backlog::Empty, waiter, fx),
                Backlog::Empty,
            );
        }
        let next = self
            .take_datagram(id)
            .or_else(|| self.lose_oldest(id))
            .or_else(|| self.next_loss(id));
        let backlog = self.backlog(id);
        if let Some(next) = next {
            if let Newest::Lost(..) = next {
                self.note_finished(id, fx);
            }
            return (next, backlog);
        }
        (self.end_aside(id, backlog, waiter, fx), backlog)
    }

    /// How the track ended, as far as that is to be said, or the reader waits.
    fn end_aside(
        &mut self,
        id: ReaderId,
        backlog: Backlog,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Newest {
        let is_done = backlog == Backlog::Empty && !self.groups.is_awaited(0);
        match self.life.end() {
            Some(TrackEnd::Aborted(reason)) => return Newest::Failed(reason),
            Some(TrackEnd::Finished) if is_done => return Newest::End,
            _ => {}
        }
        let is_hasty = |reader: &Reader<W>| self.is_hasty(reader) && self.has_older(reader);
        let is_late = backlog != Backlog::Empty && self.readers.get(id).is_some_and(is_hasty);
        if let Some(reader) = self.readers.get_mut(id) {
            reader.wait_aside(waiter, backlog, fx);
        }
        if is_late {
            self.cut_later();
        }
        Newest::Wait
    }

    /// Takes a group that a reader left in the track, or says that it is too old by now.
    ///
    /// The reader is woken if there is more to be said aside by that.
    pub(crate) fn take(
        &mut self,
        id: ReaderId,
        take: Take,
        fx: &mut Effects<W>,
    ) -> (Option<Newest>, Backlog) {
        let is_live = self.life.end().is_none();
        if is_live && let Some(taken) = self.take_only(id) {
            return (Some(taken), Backlog::Empty);
        }
        let Some(before) = self.first(id) else {
            return (None, Backlog::Empty);
        };
        let taken = match take {
            Take::Newest => self.take_newest(id),
            Take::Oldest => self.take_oldest(id),
        };
        if let Some(Newest::Lost(..)) = taken {
            self.note_finished(id, fx);
        }
        let backlog = self.backlog(id);
        let is_told = !is_live || self.first(id) != Some(before);
        let is_due = is_told || take == Take::Oldest && self.find_expired(id).is_some();
        if let Some(reader) = self.readers.get_mut(id) {
            reader.set_backlog(backlog);
            if is_due {
                reader.wake(fx);
            }
        }
        (taken, backlog)
    }

    /// As [`Self::take`], of a reader that lacks the newest group only, as most do.
    fn take_only(&mut self, id: ReaderId) -> Option<Newest> {
        let (sequence, shown) = self.groups.shown().last()?;
        let reader = self.readers.get_mut(id)?;
        if !lacks_newest(reader, self.groups.shown()) {
            return None;
        }
        reader.set_backlog(Backlog::Empty);
        self.take_group(id, sequence, shown)
    }

    fn take_oldest(&mut self, id: ReaderId) -> Option<Newest> {
        let (lowest, shown) = self.lowest_untaken(self.readers.get(id)?)?;
        self.take_group(id, lowest, shown)
    }

    fn take_datagram(&mut self, id: ReaderId) -> Option<Newest> {
        let shown = self.groups.shown();
        if !shown.has_datagrams() {
            return None;
        }
        let reader = self.readers.get(id)?;
        let find = |wanted| shown.highest_datagram(wanted);
        let (sequence, shown) = reader.told().highest_missing(reader.wanted(), find)?;
        self.take_group(id, sequence, shown)
    }

    /// Tells a reader of the oldest group that it leaves in the track, once that is too old for it.
    fn lose_oldest(&mut self, id: ReaderId) -> Option<Newest> {
        let oldest = self.find_expired(id)?;
        let groups = oldest..oldest + 1;
        self.readers.get_mut(id)?.told_mut().insert(groups.clone());
        Some(Newest::Lost(groups, Abort::Expired))
    }

    /// The oldest group that a reader leaves in the track, if it is too old for this reader before it
    /// is for the track.
    fn find_expired(&self, id: ReaderId) -> Option<u64> {
        let reader = self.readers.get(id)?;
        let age = reader.age().filter(|_| self.is_hasty(reader))?;
        if !self.has_older(reader) {
            return None;
        }
        let (oldest, _) = self.lowest_untaken(reader)?;
        self.groups
            .shown()
            .is_expired(oldest, age)
            .then_some(oldest)
    }

    /// The oldest group that a waiting reader leaves in the track.
    pub(super) fn lowest_left(&self, reader: &Reader<W>) -> Option<u64> {
        if reader.backlog() == Backlog::Empty {
            return None;
        }
        let lowest = self.lowest_untaken(reader);
        lowest.map(|(sequence, _)| sequence)
    }

    /// Whether a reader leaves other groups in the track than the newest, as far as that is known
    /// without a search.
    fn has_older(&self, reader: &Reader<W>) -> bool {
        let shown = self.groups.shown();
        let highest = || untaken(shown, reader).map(|(sequence, _)| sequence);
        let is_newest = |sequence| shown.is_last(sequence);
        !(reader.told().lacks_one(shown.version()) && highest().is_some_and(is_newest))
    }

    /// What a reader leaves in the track.
    fn backlog(&mut self, id: ReaderId) -> Backlog {
        let shown = self.groups.shown();
        let version = shown.version();
        let Some(reader) = self.readers.get_mut(id) else {
            return Backlog::Empty;
        };
        if reader.told().has_taken_all(version) {
            return Backlog::Empty;
        }
        match untaken(shown, reader) {
            None => {
                reader.told_mut().set_taken_all(version);
                Backlog::Empty
            }
            Some((sequence, _)) if shown.is_last(sequence) => Backlog::Newest,
            Some(_) => Backlog::Older,
        }
    }
}

/// Whether the newest group, which is no datagram, is all that a reader does not know of.
fn lacks_newest<W: Notify>(reader: &Reader<W>, groups: &Timeline) -> bool {
    let told = reader.told();
    let is_next = |(last, _)| last >= told.groups().end() && reader.wants(last);
    reader.first().is_some()
        && told.lacks_one(groups.version())
        && !groups.has_datagrams()
        && groups.last().is_some_and(is_next)
}
