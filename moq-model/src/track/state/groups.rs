//! The groups of a track that are held, by sequence.

use std::collections::BTreeMap;
use std::ops::Range;

use super::announced::Announced;
use super::arena::{Arena, GroupId};
use super::charge::{Charge, GROUP_CHARGE};
use super::effects::{Effects, Notify};
use super::group::Group;
use super::phase::{Kind, Phase};
use super::timeline::{Shown, Timeline};
use crate::clock::Instant;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::ranges::GroupRanges;

#[derive(Debug)]
pub(super) struct Groups<W> {
    all: Arena<W>,
    /// Groups that have begun, with neither a frame nor an end so far.
    announced: Announced,
    /// Groups with a frame or an end: those that readers see.
    shown: Timeline,
    /// Groups that were fetched, by sequence and serial.
    fetched: BTreeMap<(u64, u64), usize>,
    /// Sequences of the live track that were ever in use.
    seen: GroupRanges,
    /// What all of them are charged for.
    charge: Charge,
}

impl<W: Notify> Groups<W> {
    pub(super) fn new() -> Self {
        Self {
            all: Arena::new(),
            announced: Announced::default(),
            shown: Timeline::default(),
            fetched: BTreeMap::new(),
            seen: GroupRanges::default(),
            charge: Charge::default(),
        }
    }

    /// Begins a group of the live track.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] if the sequence was in use before.
    pub(super) fn begin(
        &mut self,
        sequence: Option<u64>,
        kind: Kind,
        now: Instant,
    ) -> Result<GroupId, WriteError> {
        self.check_begin(sequence)?;
        let sequence = sequence.unwrap_or_else(|| self.seen.end());
        let after = sequence.checked_add(1).ok_or(WriteError::Closed)?;
        self.seen.insert(sequence..after);
        let id = self.add(sequence, kind, now);
        self.announced.insert(sequence, id.key());
        Ok(id)
    }

    /// Whether a sequence was not in use before.
    pub(super) fn check_begin(&self, sequence: Option<u64>) -> Result<(), WriteError> {
        if sequence.is_some_and(|sequence| self.seen.contains(sequence)) {
            return Err(WriteError::Duplicate);
        }
        Ok(())
    }

    /// Adds a group that is fetched.
    pub(super) fn add_fetched(&mut self, sequence: u64, kind: Kind, now: Instant) -> GroupId {
        let id = self.add(sequence, kind, now);
        self.fetched.insert((sequence, id.serial()), id.key());
        id
    }

    fn add(&mut self, sequence: u64, kind: Kind, now: Instant) -> GroupId {
        self.charge.grow(kind, GROUP_CHARGE as i64);
        self.all.add(sequence, kind, now, GROUP_CHARGE)
    }

    pub(super) fn get(&self, id: GroupId) -> Option<&Group<W>> {
        self.all.get(id)
    }

    /// A group to read from; what it is charged for is not changed by that.
    pub(super) fn get_mut(&mut self, id: GroupId) -> Option<&mut Group<W>> {
        self.all.get_mut(id)
    }

    /// Charges bytes of a frame that is still arriving.
    ///
    /// # Errors
    /// [`WriteError`] if the group takes them no more.
    pub(super) fn arrive(&mut self, id: GroupId, bytes: u64) -> Result<(), WriteError> {
        let group = self.get_mut(id).ok_or(WriteError::Dropped)?;
        let kind = group.kind();
        group.arrive(bytes)?;
        self.charge.grow(kind, bytes as i64);
        Ok(())
    }

    /// Gives the bytes of a frame back that has arrived for nothing.
    pub(super) fn forget_arriving(&mut self, id: GroupId, fx: &mut Effects<W>) {
        if let Some(group) = self.get_mut(id) {
            let (kind, unused) = (group.kind(), group.forget_arriving());
            self.note_released(kind, unused, fx);
        }
    }

    /// Notes bytes that a group is charged for no longer.
    fn note_released(&mut self, kind: Kind, bytes: u64, fx: &mut Effects<W>) {
        self.charge.grow(kind, -(bytes as i64));
        fx.release(bytes);
    }

    /// Appends a frame; says what the group was before, and its kind and sequence.
    ///
    /// # Errors
    /// [`WriteError`] if the group does not take it.
    pub(super) fn push(
        &mut self,
        id: GroupId,
        frame: Frame,
        fx: &mut Effects<W>,
    ) -> Result<(Phase, Kind, u64), WriteError> {
        let time = frame.timestamp;
        let Some(group) = self.get_mut(id) else {
            fx.drop_frames(vec![frame]);
            return Err(WriteError::Dropped);
        };
        let (before, sequence, kind) = (group.phase(), group.sequence(), group.kind());
        let grown = group.push(frame, fx)?;
        self.charge.grow(kind, grown);
        if let Kind::Fetched { .. } = kind {
            return Ok((before, kind, sequence));
        }
        self.shown.note_time(sequence, time);
        if before == Phase::Announced {
            self.show(sequence, id.key(), Some(time));
        }
        Ok((before, kind, sequence))
    }

    /// Ends a group; says what it was before.
    pub(super) fn finish(
        &mut self,
        id: GroupId,
        end: GroupEnd,
        fx: &mut Effects<W>,
    ) -> Option<(Phase, Kind)> {
        let group = self.get_mut(id)?;
        let (before, sequence, kind) = (group.phase(), group.sequence(), group.kind());
        let unused = group.finish(end, fx)?;
        self.note_released(kind, unused, fx);
        let is_live = !matches!(kind, Kind::Fetched { .. });
        if is_live && before == Phase::Announced && end == GroupEnd::Finished {
            self.show(sequence, id.key(), None);
        }
        if !is_live && self.get(id).is_some_and(|group| !group.is_read()) {
            self.discard_fetched(id, Abort::Cancelled, fx);
        }
        Some((before, kind))
    }

    /// Lets readers see a group.
    fn show(&mut self, sequence: u64, key: usize, time: Option<u64>) {
        self.announced.remove(sequence);
        if let Some(group) = self.all.at(key) {
            let begun = group.begun();
            let is_datagram = group.kind() == Kind::Datagram;
            let shown = Shown { key, time, begun };
            self.shown.insert(sequence, shown, is_datagram);
        }
    }

    /// Lets go of a group of the live track that is held; returns whether it was.
    pub(super) fn discard(&mut self, sequence: u64, cause: Abort, fx: &mut Effects<W>) -> bool {
        let shown = self.shown.remove(sequence).map(|group| group.key);
        let Some(key) = shown.or_else(|| self.announced.remove(sequence)) else {
            return false;
        };
        self.empty(key, cause, fx);
        true
    }

    /// Lets go of a group that was fetched.
    pub(super) fn discard_fetched(&mut self, id: GroupId, cause: Abort, fx: &mut Effects<W>) {
        let Some(group) = self.get(id) else { return };
        let place = (group.sequence(), id.serial());
        if self.fetched.remove(&place).is_some() {
            self.empty(id.key(), cause, fx);
        }
    }

    fn empty(&mut self, key: usize, cause: Abort, fx: &mut Effects<W>) {
        let Some(group) = self.all.at_mut(key) else {
            return;
        };
        let (kind, charged) = (group.kind(), group.discard(cause, fx));
        self.note_released(kind, charged, fx);
        self.all.sweep(key);
    }

    /// Makes a place for a reader in a group that readers see; says whether it is a datagram, too.
    pub(super) fn attach(&mut self, shown: Shown) -> Option<(GroupId, bool, usize)> {
        let id = self.all.id(shown.key);
        let group = self.all.at_mut(shown.key)?;
        let is_datagram = group.kind() == Kind::Datagram;
        Some((id, is_datagram, group.attach()))
    }

    /// Gives a reader's place in a group up.
    pub(super) fn detach(&mut self, id: GroupId, slot: usize, fx: &mut Effects<W>) {
        let Some(group) = self.get_mut(id) else {
            return;
        };
        group.detach(slot, fx);
        let is_fetched = matches!(group.kind(), Kind::Fetched { .. });
        if group.is_void() {
            self.all.sweep(id.key());
        } else if is_fetched && group.phase().has_ended() && !group.is_read() {
            self.discard_fetched(id, Abort::Cancelled, fx);
        }
    }

    /// What all groups are charged for.
    pub(super) fn charge(&self) -> &Charge {
        &self.charge
    }

    /// The groups that readers see.
    pub(super) fn shown(&self) -> &Timeline {
        &self.shown
    }

    /// How many groups of the live track are held.
    pub(super) fn live_count(&self) -> usize {
        self.announced.len() + self.shown.len()
    }

    /// Whether a group has begun that readers do not see.
    pub(super) fn is_announced(&self, sequence: u64) -> bool {
        self.announced.get(sequence).is_some()
    }

    /// Whether groups have begun, from this one on, that readers do not see.
    pub(super) fn is_awaited(&self, from: u64) -> bool {
        self.announced.first_in(from..u64::MAX).is_some()
    }

    /// The first group in `groups` that has begun and that readers do not see.
    pub(super) fn first_announced(&self, groups: Range<u64>) -> Option<u64> {
        self.announced.first_in(groups)
    }

    /// The sequence after the highest one that was ever in use.
    pub(super) fn next_sequence(&self) -> u64 {
        self.seen.end()
    }

    /// A group of the live track that is held, seen by readers or not.
    pub(super) fn held_at(&self, sequence: u64) -> Option<GroupId> {
        let shown = self.shown.get(sequence).map(|group| group.key);
        let key = shown.or_else(|| self.announced.get(sequence))?;
        Some(self.id(key))
    }

    /// The groups of this sequence that were fetched.
    pub(super) fn fetched_at(&self, sequence: u64) -> impl Iterator<Item = GroupId> {
        let all = self.fetched.range((sequence, 0)..=(sequence, u64::MAX));
        all.map(|(_, &key)| self.id(key))
    }

    /// The group that was fetched with the lowest sequence.
    pub(super) fn first_fetched(&self) -> Option<GroupId> {
        self.fetched.first_key_value().map(|(_, &key)| self.id(key))
    }

    /// The name of a group that readers see.
    pub(super) fn id(&self, key: usize) -> GroupId {
        self.all.id(key)
    }

    /// What a group that readers see is charged for, in bytes.
    pub(super) fn charge_of(&self, group: Shown) -> u64 {
        self.all.at(group.key).map_or(0, |group| group.charged())
    }

    /// The lowest and the highest sequence that is held.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        let shown = self.shown.first().zip(self.shown.last());
        let shown = shown.map(|(first, (last, _))| (first, last));
        let both = shown.into_iter().chain(self.announced.ends());
        both.reduce(|(low, high), (first, last)| (low.min(first), high.max(last)))
    }
}
