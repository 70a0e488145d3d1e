//! A track without history: what all readers have read is dropped.

use super::TrackState;
use super::effects::{Effects, Notify};
use super::readers::ReaderId;
use crate::error::Abort;

/// Who keeps the oldest group, so that not every read has to look at all readers.
#[derive(Debug, Default)]
pub(super) struct History {
    keeper: Option<ReaderId>,
}

impl<W: Notify> TrackState<W> {
    /// Drops the groups that have ended and lie before all that readers have still to read, but for
    /// the newest.
    pub(crate) fn evict_read(&mut self, fx: &mut Effects<W>) {
        let Some((newest, _)) = self.groups.shown().last() else {
            return;
        };
        let mut at = 0;
        while let Some((sequence, shown)) = self.groups.shown().lowest(at..newest) {
            if self.is_kept(sequence) {
                return;
            }
            at = sequence + 1;
            let group = self.groups.get(self.groups.id(shown.key));
            if group.is_some_and(|group| group.phase().has_ended()) {
                self.discard(sequence, Abort::Evicted, fx);
            }
        }
    }

    /// Whether some reader has still to read a group, or one before it.
    fn is_kept(&mut self, sequence: u64) -> bool {
        let keeps = |id: ReaderId| {
            let reader = self.readers.get(id);
            let unread = reader.and_then(|reader| self.oldest_of(reader));
            unread.is_some_and(|unread| unread <= sequence)
        };
        if self.history.keeper.is_some_and(keeps) {
            return true;
        }
        self.history.keeper = self.readers.find(keeps);
        self.history.keeper.is_some()
    }
}
