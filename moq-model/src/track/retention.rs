//! What a track lets go of: what is too old, what is too much, and what nobody is going to read.

use super::pause::{LEAST, SHARE};
use super::readers::Reader;
use super::state::TrackState;
use crate::error::{Abort, GroupEnd};

impl TrackState {
    /// Drops groups that are too old for the track. Returns the bytes let go.
    pub(super) fn expire(&mut self) -> u64 {
        let Some(limit) = self.info.map(|info| self.units(info.max_age)) else {
            return 0;
        };
        let mut released = 0;
        while let Some((&oldest, _)) = self.groups.first_key_value() {
            if !self.is_expired(oldest, limit) {
                break;
            }
            released += self.discard(oldest, GroupEnd::Expired);
        }
        released
    }

    /// Ends open groups for readers whose own limit is shorter than the track's.
    pub(super) fn cut_expired(&self) {
        let Some(info) = self.info else { return };
        for (_, reader) in &self.readers {
            if reader.subscription.max_age < info.max_age {
                let limit = self.units(reader.subscription.max_age);
                for (group, slot) in &reader.open {
                    if self.is_expired(group.sequence, limit) {
                        group.cut(*slot, GroupEnd::Expired);
                    }
                }
            }
        }
    }

    /// Drops the oldest group, unless it is the newest with a frame. Returns the bytes let go.
    pub(super) fn evict_oldest(&mut self, why: GroupEnd) -> Option<u64> {
        let (&oldest, _) = self.groups.first_key_value()?;
        if self.newest.is_none_or(|(newest, _)| oldest >= newest) {
            return None;
        }
        Some(self.discard(oldest, why))
    }

    /// Drops the groups that have ended and lie before all that readers have still to read, unless it
    /// is the newest with a frame. Returns the bytes let go.
    pub(super) fn discard_read(&mut self) -> u64 {
        let newest = self.newest.map_or(0, |(newest, _)| newest);
        let readers = self.readers.iter().map(|(_, reader)| reader);
        let unread = readers.filter_map(Reader::oldest).min();
        let first = unread.map_or(newest, |unread| unread.min(newest));
        let read = self.groups.range(..first);
        let read = read.filter(|(_, entry)| entry.group.has_ended());
        let read: Vec<_> = read.map(|(&sequence, _)| sequence).collect();
        let released = read
            .into_iter()
            .map(|sequence| self.discard(sequence, GroupEnd::Expired));
        released.sum()
    }

    /// Ends a pause in which nobody moved: the oldest groups go until half of the share is left.
    pub(super) fn skip_stalled(&mut self) -> u64 {
        let mut released = 0;
        while self.held > SHARE / 2 || self.groups.len() as u64 > SHARE / LEAST / 2 {
            let Some(bytes) = self.evict_oldest(GroupEnd::Aborted(Abort::TooFarBehind)) else {
                break;
            };
            released += bytes;
        }
        released
    }

    fn discard(&mut self, sequence: u64, why: GroupEnd) -> u64 {
        let Some(entry) = self.groups.remove(&sequence) else {
            return 0;
        };
        entry.group.discard(why);
        self.held -= entry.bytes;
        self.lost.insert(sequence..sequence + 1);
        entry.bytes
    }

    /// Lets go of everything. Returns the bytes.
    pub(super) fn clear(&mut self) -> u64 {
        self.groups.clear();
        std::mem::take(&mut self.held)
    }

    /// Whether a group's content stopped being current at least `limit` units ago.
    pub(super) fn is_expired(&self, sequence: u64, limit: u64) -> bool {
        let Some((newest, latest)) = self.newest else {
            return false;
        };
        if sequence >= newest {
            return false;
        }
        let successor = self.groups.range(sequence + 1..).next();
        let reach = successor.and_then(|(_, entry)| entry.first_timestamp);
        reach.is_some_and(|reach| latest.saturating_sub(reach) >= limit)
    }
}
