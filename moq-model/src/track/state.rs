//! A track's groups and readers, as plain data.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use slab::Slab;

use super::pause::Paused;
use super::readers::Reader;
use super::subscription::{Start, TrackInfo};
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::group::{Group, Kind};
use crate::ranges::GroupRanges;
use crate::state::Waiter;

/// What a held group costs besides its frames, in bytes.
const GROUP_CHARGE: u64 = (size_of::<Group>() + size_of::<Entry>() + 64) as u64;

/// How a track ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrackEnd {
    Finished,
    Aborted(Abort),
}

#[derive(Debug, Default)]
pub(super) struct TrackState {
    /// Unknown until the track is accepted.
    pub(super) info: Option<TrackInfo>,
    pub(super) end: Option<TrackEnd>,
    /// The first group that this track will ever yield, once known. A track that is fed by a peer
    /// is told, any other begins with its first group.
    pub(super) start: Option<u64>,
    pub(super) is_local: bool,
    /// Groups with a frame or an end, as long as they are held.
    pub(super) groups: BTreeMap<u64, Entry>,
    /// Sequences that were ever in use.
    pub(super) seen: GroupRanges,
    /// Groups that have begun, with neither a frame nor an end so far.
    pub(super) unborn: BTreeMap<u64, Arc<Group>>,
    /// Groups that somebody fetched and still reads, by sequence.
    pub(super) fetched: BTreeMap<u64, Vec<Weak<Group>>>,
    /// Sequences that are gone or will never come.
    pub(super) lost: GroupRanges,
    /// How often groups were lost, other than by age or for memory.
    pub(super) losses: u64,
    /// The sequence after the last group that was to be, as told by the peer that feeds the track.
    pub(super) told_end: Option<u64>,
    /// The latest timestamp of the newest group with a frame, and that group.
    pub(super) newest: Option<(u64, u64)>,
    /// Bytes of the held groups.
    pub(super) held: u64,
    pub(super) readers: Slab<Reader>,
    pub(super) serial: u64,
    /// Tasks of the producing side that wait for readers to come or go.
    pub(super) demand: Slab<Waiter>,
    pub(super) paused: Paused,
    /// Tasks that wait for the track to be accepted.
    pub(super) watchers: Slab<Waiter>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) group: Arc<Group>,
    pub(super) first_timestamp: Option<u64>,
    pub(super) bytes: u64,
}

impl TrackState {
    /// Begins a group with the next sequence, or a given one.
    pub(super) fn begin_group(
        &mut self,
        sequence: Option<u64>,
        kind: Kind,
    ) -> Result<Arc<Group>, WriteError> {
        if self.end.is_some() {
            return Err(WriteError::Closed);
        }
        let sequence = sequence.unwrap_or_else(|| self.seen.end());
        if self.seen.contains(sequence) {
            return Err(WriteError::Duplicate);
        }
        let after = sequence.checked_add(1).ok_or(WriteError::Closed)?;
        self.seen.insert(sequence..after);
        if self.is_local {
            self.start = Some(self.start.map_or(sequence, |start| start.min(sequence)));
        }
        let group = Group::new(sequence, kind);
        self.unborn.insert(sequence, group.clone());
        Ok(group)
    }

    /// Whether the track is finished and readers see all groups there will ever be.
    pub(super) fn is_complete(&self) -> bool {
        self.end == Some(TrackEnd::Finished) && self.unborn.is_empty()
    }

    /// The sequence after the highest one in use.
    pub(super) fn next_sequence(&self) -> u64 {
        self.seen.end()
    }

    /// The sequence after the last group that there was or was to be.
    ///
    /// Without a word on that, groups that are lost up to no end say nothing of it.
    pub(super) fn end_sequence(&self) -> u64 {
        let lost = Some(self.lost.end()).filter(|end| *end < u64::MAX);
        let to_be = self.told_end.or(lost).unwrap_or_default();
        self.seen.end().max(to_be)
    }

    /// Appends a frame; returns by how many bytes the track grew.
    pub(super) fn append(&mut self, group: &Arc<Group>, frame: Frame) -> Result<u64, WriteError> {
        let (timestamp, mut grown) = (frame.timestamp, frame.charge());
        let is_first = group.push(frame)?;
        if is_first {
            grown += GROUP_CHARGE;
            self.show(group, Some(timestamp));
        }
        if let Some(entry) = self.groups.get_mut(&group.sequence) {
            entry.bytes += grown;
            self.held += grown;
        }
        self.newest = match self.newest {
            Some((sequence, _)) if sequence > group.sequence => self.newest,
            Some((sequence, latest)) if sequence == group.sequence => {
                Some((sequence, latest.max(timestamp)))
            }
            _ => Some((group.sequence, timestamp)),
        };
        if is_first {
            self.cut_expired();
        }
        self.note_grown(group.sequence, grown);
        Ok(grown)
    }

    /// Ends a group; returns by how many bytes the track grew.
    pub(super) fn end_group(&mut self, group: &Arc<Group>, end: GroupEnd) -> u64 {
        if !group.end(end) {
            return 0;
        }
        if end != GroupEnd::Finished {
            self.unborn.remove(&group.sequence);
            self.lose(group.sequence..group.sequence + 1);
            return 0;
        }
        self.show(group, None);
        if let Some(entry) = self.groups.get_mut(&group.sequence) {
            entry.bytes += GROUP_CHARGE;
            self.held += GROUP_CHARGE;
        }
        GROUP_CHARGE
    }

    /// Lets readers see a group, which has its first frame or ended without one.
    fn show(&mut self, group: &Arc<Group>, first_timestamp: Option<u64>) {
        let entry = Entry {
            group: group.clone(),
            first_timestamp,
            bytes: 0,
        };
        self.groups.insert(group.sequence, entry);
        self.unborn.remove(&group.sequence);
        let floor = self.newest_floor(group.sequence);
        for (_, reader) in &mut self.readers {
            reader.floor.get_or_insert(floor);
            if reader.wants(group.sequence) {
                reader.offer(group);
                reader.forget_gone(&self.groups);
            }
        }
        if self.end.is_some() {
            self.wake_readers();
        }
    }

    /// Where those begin who asked for the newest group before there was one, and now `first` is
    /// there.
    ///
    /// A peer that was asked for nothing older sends nothing older, but not always in order; if it
    /// does not say where it begins, that is seen from what comes. If it does, what it skips before
    /// the first group is not waited for.
    fn newest_floor(&self, first: u64) -> u64 {
        let mut wanted = self.readers.iter().map(|(_, reader)| &reader.subscription);
        let is_known = self.is_local || self.start.is_some();
        let is_mixed = wanted.any(|wanted| wanted.start != Start::Newest);
        if is_known || is_mixed { first } else { 0 }
    }

    /// Notes that groups will not come.
    pub(super) fn lose(&mut self, range: Range<u64>) {
        self.lost.insert(range);
        self.losses += 1;
        self.wake_readers();
    }

    pub(super) fn units(&self, age: Duration) -> u64 {
        self.info
            .map_or(u64::MAX, |info| info.timescale.from_duration(age))
    }

    pub(super) fn wake_readers(&mut self) {
        for (_, reader) in &mut self.readers {
            reader.waiter.wake();
        }
    }

    pub(super) fn wake_demand(&mut self) {
        for (_, waiter) in &mut self.demand {
            waiter.wake();
        }
    }

    pub(super) fn wake_watchers(&mut self) {
        for (_, waiter) in &mut self.watchers {
            waiter.wake();
        }
    }
}
