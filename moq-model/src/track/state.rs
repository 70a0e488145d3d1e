//! A track's groups and readers, as plain data.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;

use super::subscription::{Start, Subscription, TrackInfo};
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::group::Group;
use crate::ranges::GroupRanges;
use crate::state::Waiter;

/// How far the fastest reader may be behind before the track's input waits, in bytes.
pub(super) const SHARE: u64 = 16 << 20;
/// Groups that wait for a reader; beyond it those that were dropped are not yielded to it.
const MAX_PENDING: usize = 1_024;
/// What a held group costs besides its frames, in bytes.
const GROUP_CHARGE: u64 = (size_of::<Group>() + size_of::<Entry>() + 64) as u64;

/// Names one reader of one track; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReaderId {
    slot: usize,
    serial: u64,
}

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
    groups: BTreeMap<u64, Entry>,
    /// Sequences that were ever in use.
    seen: GroupRanges,
    /// Groups that have begun, with neither a frame nor an end so far.
    unborn: usize,
    /// Sequences that are gone or will never come.
    pub(super) lost: GroupRanges,
    /// The latest timestamp of the newest group with a frame, and that group.
    newest: Option<(u64, u64)>,
    /// Bytes of the held groups.
    held: u64,
    readers: Slab<Reader>,
    serial: u64,
    /// Tasks of the producing side: those that wait for readers to come, go or catch up.
    pub(super) producers: Slab<Waiter>,
    /// Tasks that wait for the track to be accepted.
    pub(super) watchers: Slab<Waiter>,
}

#[derive(Debug)]
struct Entry {
    group: Arc<Group>,
    first_timestamp: Option<u64>,
    bytes: u64,
}

/// A reader's cursor.
#[derive(Debug)]
struct Reader {
    serial: u64,
    subscription: Subscription,
    /// The lowest sequence it takes; unknown until there is a newest group to begin at.
    floor: Option<u64>,
    /// Groups that were offered to it.
    offered: GroupRanges,
    /// The group it began with.
    first: Option<u64>,
    /// Groups it has not taken yet, ascending.
    pending: Vec<Arc<Group>>,
    /// Groups it has taken and not let go of, with its slot in each.
    open: Vec<(Arc<Group>, usize)>,
    waiter: Waiter,
}

impl Reader {
    fn wants(&self, sequence: u64) -> bool {
        self.floor.is_some_and(|floor| sequence >= floor)
            && self.subscription.end.is_none_or(|end| sequence < end)
    }

    fn offer(&mut self, group: &Arc<Group>) {
        let at = self
            .pending
            .partition_point(|g| g.sequence < group.sequence);
        self.pending.insert(at, group.clone());
        self.offered.insert(group.sequence..group.sequence + 1);
        self.waiter.wake();
    }

    /// Keeps what it was not told of yet within bounds, where the groups themselves are gone.
    fn forget_gone(&mut self, held: &BTreeMap<u64, Entry>) {
        let oldest = self.pending.first();
        if self.pending.len() > MAX_PENDING
            && oldest.is_some_and(|g| !held.contains_key(&g.sequence))
        {
            self.pending.remove(0);
        }
    }

    /// The oldest group that it has not finished.
    fn oldest(&self) -> Option<u64> {
        let pending = self.pending.first().map(|g| g.sequence);
        let open = self.open.iter().map(|(g, _)| g.sequence).min();
        pending.into_iter().chain(open).min()
    }
}

/// What a reader gets next.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) group: Arc<Group>,
    pub(super) slot: usize,
}

/// Which of its pending groups a reader takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick {
    Newest,
    Oldest,
}

impl TrackState {
    /// Reserves the next sequence, or a given one.
    pub(super) fn reserve(&mut self, sequence: Option<u64>) -> Result<u64, WriteError> {
        if self.end.is_some() {
            return Err(WriteError::Closed);
        }
        let sequence = sequence.unwrap_or_else(|| self.seen.end());
        if self.seen.contains(sequence) {
            return Err(WriteError::Duplicate);
        }
        let after = sequence.checked_add(1).ok_or(WriteError::Closed)?;
        self.seen.insert(sequence..after);
        self.unborn += 1;
        Ok(sequence)
    }

    /// Whether the track is finished and readers see all groups there will ever be.
    pub(super) fn is_complete(&self) -> bool {
        self.end == Some(TrackEnd::Finished) && self.unborn == 0
    }

    /// The sequence after the highest one in use.
    pub(super) fn next_sequence(&self) -> u64 {
        self.seen.end()
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
        Ok(grown)
    }

    /// Ends a group; returns by how many bytes the track grew.
    pub(super) fn end_group(&mut self, group: &Arc<Group>, end: GroupEnd) -> u64 {
        if !group.end(end) {
            return 0;
        }
        if end != GroupEnd::Finished {
            self.unborn -= 1;
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
        self.unborn -= 1;
        for (_, reader) in &mut self.readers {
            if reader.floor.is_none() {
                reader.floor = Some(group.sequence);
            }
            if reader.wants(group.sequence) {
                reader.offer(group);
                reader.forget_gone(&self.groups);
            }
        }
        if self.end.is_some() {
            self.wake_readers();
        }
    }

    /// Notes that groups will not come.
    pub(super) fn lose(&mut self, range: Range<u64>) {
        self.lost.insert(range);
        self.wake_readers();
    }

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
    fn cut_expired(&self) {
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

    /// Ends a pause in which nobody moved: the oldest groups go until half of the share is left.
    pub(super) fn skip_stalled(&mut self) -> u64 {
        let mut released = 0;
        while self.held > SHARE / 2 {
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
    fn is_expired(&self, sequence: u64, limit: u64) -> bool {
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

    fn units(&self, age: Duration) -> u64 {
        self.info
            .map_or(u64::MAX, |info| info.timescale.from_duration(age))
    }
}

impl TrackState {
    pub(super) fn subscribe(&mut self, subscription: Subscription) -> ReaderId {
        self.serial += 1;
        let slot = self.readers.insert(Reader {
            serial: self.serial,
            subscription,
            floor: None,
            offered: GroupRanges::default(),
            first: None,
            pending: Vec::new(),
            open: Vec::new(),
            waiter: Waiter::default(),
        });
        let id = ReaderId {
            slot,
            serial: self.serial,
        };
        self.update(id, subscription);
        id
    }

    /// Replaces what a reader wants. Groups it was offered before are not offered again, and
    /// neither are those that are too old for it.
    pub(super) fn update(&mut self, id: ReaderId, subscription: Subscription) {
        let newest = self.groups.last_key_value().map(|(&sequence, _)| sequence);
        let floor = match subscription.start {
            Start::Floor(floor) => Some(floor),
            Start::Newest => newest,
        };
        let Some(reader) = self.reader_mut(id) else {
            return;
        };
        reader.subscription = subscription;
        reader.floor = floor;
        if let Some(floor) = floor {
            self.offer_from(id, floor);
        }
        if let Some(reader) = self.reader_mut(id) {
            let mut pending = std::mem::take(&mut reader.pending);
            pending.retain(|group| reader.wants(group.sequence));
            reader.pending = pending;
        }
        self.wake_producers();
    }

    /// Offers the groups that are held to a reader, unless they are too old for it or were offered
    /// before.
    fn offer_from(&mut self, id: ReaderId, floor: u64) {
        let Some(reader) = self.reader(id) else {
            return;
        };
        let limit = self.units(reader.subscription.max_age);
        let wanted = self.groups.range(floor..).map(|(_, entry)| &entry.group);
        let wanted = wanted.filter(|g| reader.wants(g.sequence));
        let wanted = wanted.filter(|g| !reader.offered.contains(g.sequence));
        let wanted = wanted.filter(|g| !self.is_expired(g.sequence, limit));
        let wanted: Vec<_> = wanted.cloned().collect();
        if let Some(reader) = self.reader_mut(id) {
            for group in &wanted {
                reader.offer(group);
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, id: ReaderId) {
        if self.reader(id).is_some() {
            self.readers.remove(id.slot);
            self.wake_producers();
        }
    }

    /// Takes a group for a reader, once it is clear where reading begins. One that is too old for
    /// it, or gone, is yielded too: with that as its end.
    pub(super) fn take(&mut self, id: ReaderId, pick: Pick) -> Option<Taken> {
        self.begin(id)?;
        let limit = self.units(self.reader(id)?.subscription.max_age);
        let reader = self.reader_mut(id)?;
        let group = match pick {
            Pick::Newest => reader.pending.pop()?,
            Pick::Oldest if reader.pending.is_empty() => return None,
            Pick::Oldest => reader.pending.remove(0),
        };
        let slot = group.attach();
        reader.open.push((group.clone(), slot));
        if self.is_expired(group.sequence, limit) {
            group.cut(slot, GroupEnd::Expired);
        }
        Some(Taken { group, slot })
    }

    /// The group that a reader begins with: the first that the track yields, that it wants, and
    /// that was not gone before it came. Unknown until a group is there and the track says where
    /// it begins, because groups come in any order.
    pub(super) fn begin(&mut self, id: ReaderId) -> Option<u64> {
        let reader = self.reader(id)?;
        if reader.first.is_some() {
            return reader.first;
        }
        let lowest = reader.pending.first()?.sequence;
        let start = self.start.or(self.end.is_some().then_some(lowest))?;
        let wanted = start.max(reader.floor.unwrap_or(lowest));
        let first = Some(self.lost.first_missing_from(wanted).min(lowest));
        self.reader_mut(id)?.first = first;
        first
    }

    /// The group a reader began with, once it began.
    pub(super) fn first(&self, id: ReaderId) -> Option<u64> {
        self.reader(id)?.first
    }

    /// Leaves out what comes too late for a reader in order.
    pub(super) fn skip_below(&mut self, id: ReaderId, sequence: u64) {
        if let Some(reader) = self.reader_mut(id) {
            reader.pending.retain(|group| group.sequence >= sequence);
        }
    }

    /// The lowest sequence that waits for a reader.
    pub(super) fn lowest_pending(&self, id: ReaderId) -> Option<u64> {
        self.reader(id)?.pending.first().map(|g| g.sequence)
    }

    pub(super) fn close_group(&mut self, id: ReaderId, sequence: u64) {
        if let Some(reader) = self.reader_mut(id) {
            reader.open.retain(|(g, _)| g.sequence != sequence);
        }
    }

    pub(super) fn register_reader(&mut self, id: ReaderId, cx: &std::task::Context<'_>) {
        if let Some(reader) = self.reader_mut(id) {
            reader.waiter.register(cx);
        }
    }

    /// Whether the input of group `sequence` has to wait: all readers are behind it by the share.
    pub(super) fn is_paused(&self, sequence: u64) -> bool {
        self.held >= SHARE
            && !self.readers.is_empty()
            && self
                .readers
                .iter()
                .all(|(_, reader)| self.lead(reader, sequence) >= SHARE)
    }

    /// Bytes between the oldest group that a reader has not finished and the end of `sequence`.
    fn lead(&self, reader: &Reader, sequence: u64) -> u64 {
        match reader.oldest() {
            Some(oldest) if oldest < sequence => self
                .groups
                .range(oldest + 1..=sequence)
                .map(|(_, entry)| entry.bytes)
                .sum(),
            _ => 0,
        }
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.readers.iter().map(|(_, reader)| &reader.subscription)
    }

    fn reader(&self, id: ReaderId) -> Option<&Reader> {
        self.readers.get(id.slot).filter(|r| r.serial == id.serial)
    }

    fn reader_mut(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.readers
            .get_mut(id.slot)
            .filter(|r| r.serial == id.serial)
    }

    pub(super) fn wake_readers(&mut self) {
        for (_, reader) in &mut self.readers {
            reader.waiter.wake();
        }
    }

    pub(super) fn wake_producers(&mut self) {
        for (_, waiter) in &mut self.producers {
            waiter.wake();
        }
    }

    pub(super) fn wake_watchers(&mut self) {
        for (_, waiter) in &mut self.watchers {
            waiter.wake();
        }
    }
}
