//! Where a track's readers are, as plain data: the reading half of [`TrackState`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use super::state::{Entry, TrackState};
use super::subscription::{Start, Subscription};
use crate::clock::Instant;
use crate::error::GroupEnd;
use crate::group::Group;
use crate::ranges::{GroupRange, GroupRanges};
use crate::state::Waiter;

/// Groups that wait for a reader; beyond it those that were dropped are not yielded to it.
const MAX_PENDING: usize = 1_024;

/// Names one reader of one track; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReaderId {
    slot: usize,
    serial: u64,
}

/// A reader's cursor.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) serial: u64,
    pub(super) subscription: Subscription,
    /// The lowest sequence it takes; unknown until there is a newest group to begin at.
    pub(super) floor: Option<u64>,
    /// Groups that were offered to it, or that it was told not to wait for.
    pub(super) offered: GroupRanges,
    /// How many losses there were when it was told of them last.
    losses: u64,
    /// The group it began with.
    pub(super) first: Option<u64>,
    /// Groups it has not taken yet, ascending.
    pub(super) pending: VecDeque<Arc<Group>>,
    /// Groups it has taken and not let go of, with its slot in each.
    pub(super) open: Vec<(Arc<Group>, usize)>,
    /// Whether it waits for bytes that have not come, and nothing that is held is of use to it.
    is_starved: Arc<AtomicBool>,
    pub(super) waiter: Waiter,
}

impl Reader {
    pub(super) fn wants(&self, sequence: u64) -> bool {
        self.floor.is_some_and(|floor| sequence >= floor)
            && self.subscription.end.is_none_or(|end| sequence < end)
    }

    pub(super) fn offer(&mut self, group: &Arc<Group>) {
        let newest = self.pending.back();
        if newest.is_none_or(|newest| newest.sequence < group.sequence) {
            self.pending.push_back(group.clone());
        } else {
            let at = self
                .pending
                .partition_point(|g| g.sequence < group.sequence);
            self.pending.insert(at, group.clone());
        }
        self.offered.insert(group.sequence..group.sequence + 1);
        self.waiter.wake();
    }

    /// Keeps what it was not told of yet within bounds, where the groups themselves are gone.
    pub(super) fn forget_gone(&mut self, held: &BTreeMap<u64, Entry>) {
        let oldest = self.pending.front();
        if self.pending.len() > MAX_PENDING
            && oldest.is_some_and(|g| !held.contains_key(&g.sequence))
        {
            self.pending.pop_front();
        }
    }

    pub(super) fn is_starved(&self) -> bool {
        self.is_starved.load(Ordering::SeqCst)
    }

    /// The oldest group that it has not finished.
    pub(super) fn oldest(&self) -> Option<u64> {
        let pending = self.pending.front().map(|g| g.sequence);
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
    pub(super) fn subscribe(&mut self, subscription: Subscription) -> ReaderId {
        self.serial += 1;
        if self.readers.is_empty() {
            self.readers.reserve_exact(1);
        }
        let slot = self.readers.insert(Reader {
            serial: self.serial,
            subscription,
            floor: None,
            offered: GroupRanges::default(),
            losses: 0,
            first: None,
            pending: VecDeque::new(),
            open: Vec::new(),
            is_starved: Arc::default(),
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
        self.wake_demand();
        self.move_line();
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
            self.wake_demand();
            self.move_line();
        }
    }

    /// Takes a group for a reader, once it is clear where reading begins. One that is too old for
    /// it, or gone, is yielded too: with that as its end.
    pub(super) fn take(&mut self, id: ReaderId, pick: Pick) -> Option<Taken> {
        self.begin(id)?;
        let limit = self.units(self.reader(id)?.subscription.max_age);
        let reader = self.reader_mut(id)?;
        let group = match pick {
            Pick::Newest => reader.pending.pop_back()?,
            Pick::Oldest => reader.pending.pop_front()?,
        };
        let slot = group.attach();
        reader.open.push((group.clone(), slot));
        if self.is_expired(group.sequence, limit) {
            group.cut(slot, GroupEnd::Expired);
        }
        Some(Taken { group, slot })
    }

    /// The group that a reader begins with: the first that the track yields, that it wants, and
    /// that was not gone or too old before it came. Unknown until a group is there and the track says where
    /// it begins, because groups come in any order.
    pub(super) fn begin(&mut self, id: ReaderId) -> Option<u64> {
        let reader = self.reader(id)?;
        if reader.first.is_some() {
            return reader.first;
        }
        let lowest = reader.pending.front()?.sequence;
        let start = self
            .start
            .or_else(|| self.end.is_some().then_some(lowest))?;
        let wanted = start.max(reader.floor.unwrap_or(lowest));
        let limit = self.units(reader.subscription.max_age);
        let mut first = self.lost.first_missing_from(wanted);
        // What is held and was not offered had been too old.
        while first < lowest && self.groups.contains_key(&first) && self.is_expired(first, limit) {
            first = self.lost.first_missing_from(first + 1);
        }
        let first = Some(first.min(lowest));
        self.reader_mut(id)?.first = first;
        first
    }

    /// Groups that a reader is not going to get, of those that were lost since it asked last.
    pub(super) fn take_lost(&mut self, id: ReaderId) -> Vec<GroupRange> {
        let (losses, mut found) = (self.losses, Vec::new());
        let Some(reader) = self.reader(id).filter(|reader| reader.losses != losses) else {
            return found;
        };
        let Some(first) = reader.first else {
            return found;
        };
        // What is lost up to no end is told by the end of the track.
        for run in self.lost.runs_from(first).filter(|run| run.end < u64::MAX) {
            let mut at = reader.offered.first_missing_from(run.start);
            while at < run.end {
                let end = reader
                    .offered
                    .first_from(at)
                    .map_or(run.end, |next| next.min(run.end));
                found.push(at..end);
                at = reader.offered.first_missing_from(end);
            }
        }
        if let Some(reader) = self.reader_mut(id) {
            reader.losses = losses;
            for run in &found {
                reader.offered.insert(run.clone());
            }
        }
        found
    }

    /// The group a reader began with, once it began.
    pub(super) fn first(&self, id: ReaderId) -> Option<u64> {
        self.reader(id)?.first
    }

    /// Leaves out what comes too late for a reader in order.
    pub(super) fn skip_below(&mut self, id: ReaderId, sequence: u64) {
        if let Some(reader) = self.reader_mut(id) {
            let late = reader.pending.partition_point(|g| g.sequence < sequence);
            reader.pending.drain(..late);
        }
        self.note_finished(id);
    }

    /// The lowest sequence that waits for a reader.
    pub(super) fn lowest_pending(&self, id: ReaderId) -> Option<u64> {
        self.reader(id)?.pending.front().map(|g| g.sequence)
    }

    /// When the first of the groups that wait for a reader began, whichever that was.
    pub(super) fn pending_since(&self, id: ReaderId) -> Option<Instant> {
        self.reader(id)?.pending.iter().map(|g| g.begun).min()
    }

    pub(super) fn close_group(&mut self, id: ReaderId, sequence: u64) {
        if let Some(reader) = self.reader_mut(id) {
            reader.open.retain(|(g, _)| g.sequence != sequence);
        }
        self.note_finished(id);
    }

    pub(super) fn register_reader(&mut self, id: ReaderId, cx: &Context<'_>) {
        if let Some(reader) = self.reader_mut(id) {
            reader.waiter.register(cx);
        }
    }

    /// Where a reader in order says whether it is starved; without a word it is not.
    pub(super) fn starved_flag(&self, id: ReaderId) -> Arc<AtomicBool> {
        let reader = self.reader(id);
        reader.map_or_else(Arc::default, |reader| reader.is_starved.clone())
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.readers.iter().map(|(_, reader)| &reader.subscription)
    }

    pub(super) fn reader(&self, id: ReaderId) -> Option<&Reader> {
        self.readers.get(id.slot).filter(|r| r.serial == id.serial)
    }

    fn reader_mut(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.readers
            .get_mut(id.slot)
            .filter(|r| r.serial == id.serial)
    }
}
