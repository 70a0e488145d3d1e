//! A track's readers: who comes and goes, and where each begins.

use slab::Slab;

use super::TrackState;
use super::effects::{Effects, Notify};
use super::reader::Reader;
use super::timeline::Age;
use crate::track::info::{Start, Subscription};

/// Names one reader of one track; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReaderId {
    key: usize,
    serial: u64,
}

#[derive(Debug)]
pub(super) struct Readers<W> {
    all: Slab<(u64, Reader<W>)>,
    serial: u64,
}

impl<W: Notify> Readers<W> {
    pub(super) fn new() -> Self {
        Self {
            all: Slab::new(),
            serial: 0,
        }
    }

    fn add(&mut self, reader: Reader<W>) -> ReaderId {
        self.serial += 1;
        let serial = self.serial;
        // Most tracks have one reader.
        if self.all.is_empty() {
            self.all.reserve_exact(1);
        }
        let key = self.all.insert((serial, reader));
        ReaderId { key, serial }
    }

    fn remove(&mut self, id: ReaderId) -> Option<Reader<W>> {
        self.get(id)?;
        Some(self.all.remove(id.key).1)
    }

    pub(super) fn get(&self, id: ReaderId) -> Option<&Reader<W>> {
        let (serial, reader) = self.all.get(id.key)?;
        (*serial == id.serial).then_some(reader)
    }

    pub(super) fn get_mut(&mut self, id: ReaderId) -> Option<&mut Reader<W>> {
        let (serial, reader) = self.all.get_mut(id.key)?;
        (*serial == id.serial).then_some(reader)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reader<W>> {
        self.all.iter().map(|(_, (_, reader))| reader)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Reader<W>> {
        self.all.iter_mut().map(|(_, (_, reader))| reader)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (ReaderId, &Reader<W>)> {
        let all = self.all.iter();
        all.map(|(key, &(serial, ref reader))| (ReaderId { key, serial }, reader))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ReaderId> + use<W> {
        let ids: Vec<_> = self.entries().map(|(id, _)| id).collect();
        ids.into_iter()
    }

    /// A reader for which this holds.
    pub(super) fn find(&self, is_it: impl Fn(ReaderId) -> bool) -> Option<ReaderId> {
        let ids = self.all.iter();
        let mut ids = ids.map(|(key, &(serial, _))| ReaderId { key, serial });
        ids.find(|&id| is_it(id))
    }

    pub(super) fn wake_all(&mut self, fx: &mut Effects<W>) {
        for reader in self.iter_mut() {
            reader.wake(fx);
        }
    }
}

impl<W: Notify> TrackState<W> {
    /// Adds a reader.
    pub(crate) fn subscribe(
        &mut self,
        subscription: Subscription,
        fx: &mut Effects<W>,
    ) -> ReaderId {
        let id = self.readers.add(Reader::new(subscription));
        let floor = self.floor_of(&subscription);
        self.place(id, subscription, floor, fx);
        self.note_hasty();
        self.life.wake_demand(fx);
        self.move_line(fx);
        id
    }

    /// Replaces what a reader wants. Groups that it was told of before are not told again.
    pub(crate) fn update(&mut self, id: ReaderId, subscription: Subscription, fx: &mut Effects<W>) {
        let Some(reader) = self.readers.get(id) else {
            return;
        };
        let floor = if reader.is_moved_by(&subscription) {
            self.floor_of(&subscription)
        } else {
            reader.floor()
        };
        self.place(id, subscription, floor, fx);
        if let Some(reader) = self.readers.get_mut(id) {
            reader.wake(fx);
        }
        self.note_hasty();
        self.cut_later();
        self.life.wake_demand(fx);
        self.move_line(fx);
    }

    /// The lowest group that a reader takes who wants this now: none that is too old already.
    /// Unknown while there is no newest group to begin at.
    fn floor_of(&self, subscription: &Subscription) -> Option<u64> {
        let shown = self.groups.shown();
        let floor = match subscription.start {
            Start::Floor(floor) => floor,
            Start::Newest => return shown.last().map(|(sequence, _)| sequence),
        };
        let Some(age) = self.age_of(subscription) else {
            return Some(floor);
        };
        let expired = shown.highest_expired(floor, age);
        Some(expired.map_or(floor, |expired| expired + 1))
    }

    /// Has a reader want this from `floor` on, and shows it what is there.
    fn place(
        &mut self,
        id: ReaderId,
        subscription: Subscription,
        floor: Option<u64>,
        fx: &mut Effects<W>,
    ) {
        let age = self.age_of(&subscription);
        let Some(reader) = self.readers.get_mut(id) else {
            return;
        };
        reader.update(subscription, floor);
        reader.set_age(age);
        let lowest = self.groups.shown().lowest(reader.wanted());
        if let Some((lowest, _)) = lowest {
            reader.show(lowest, lowest, true, fx);
        }
        self.begin(id);
    }

    /// Removes a reader; groups that it took newest first can be read on.
    pub(crate) fn unsubscribe(&mut self, id: ReaderId, fx: &mut Effects<W>) {
        let Some(mut reader) = self.readers.remove(id) else {
            return;
        };
        reader.forget_waiter(fx);
        if let Some(current) = reader.current() {
            self.groups.detach(current.group, current.cursor.slot, fx);
        }
        self.life.wake_demand(fx);
        self.move_line(fx);
    }

    /// Finds the group that a reader begins with: the first that the track yields, that it wants,
    /// and that was not gone before it came. Unknown until it was shown a group and the track says
    /// where it begins, because groups come in any order.
    pub(super) fn begin(&mut self, id: ReaderId) -> Option<u64> {
        let reader = self.readers.get(id)?;
        if let Some(first) = reader.first() {
            return Some(first);
        }
        let lowest = reader.lowest()?;
        let is_over = self.life.end().is_some();
        let start = self.life.start().or_else(|| is_over.then_some(lowest))?;
        let wanted = start.max(reader.wanted().start);
        let first = self.past.first_alive_from(wanted).min(lowest);
        // One that has begun may still come, whatever was said of it.
        let announced = self.groups.first_announced(wanted.min(first)..first);
        let first = announced.unwrap_or(first);
        self.readers.get_mut(id)?.set_first(first);
        Some(first)
    }

    /// Looks again where readers begin, after something was learned of that.
    pub(super) fn begin_all(&mut self) {
        for id in self.readers.ids() {
            self.begin(id);
        }
    }

    /// Where readers begin that asked for the newest group before there was one, when `first` is
    /// the first group to be shown.
    ///
    /// A peer that was asked for nothing older sends nothing older, but not always in order: unless
    /// the peer says where it begins, the lowest group that comes tells.
    pub(super) fn newest_floor(&self, first: u64) -> u64 {
        if self.life.is_local() || self.life.start().is_some() {
            return first;
        }
        let mut wanted = self.readers.iter().map(Reader::subscription);
        let is_mixed = wanted.any(|wanted| wanted.start != Start::Newest);
        if is_mixed { first } else { 0 }
    }

    /// The age at which groups are too old for a subscription; `None` for any age.
    pub(super) fn age_of(&self, subscription: &Subscription) -> Option<Age> {
        let max_age = subscription.max_age;
        (max_age < std::time::Duration::MAX).then(|| self.age(max_age))
    }

    /// Counts the readers' ages anew, once the units of the track's timestamps are known.
    pub(super) fn age_readers(&mut self) {
        for id in self.readers.ids() {
            let subscription = self.readers.get(id).map(|reader| *reader.subscription());
            let age = subscription.and_then(|subscription| self.age_of(&subscription));
            if let Some(reader) = self.readers.get_mut(id) {
                reader.set_age(age);
            }
        }
        self.note_hasty();
    }

    /// An age in the units of the track, and as a time between arrivals.
    pub(super) fn age(&self, age: std::time::Duration) -> Age {
        Age {
            units: self.life.units(age),
            wall: age,
        }
    }

    /// The group that a reader began with, once it began.
    pub(crate) fn first(&self, id: ReaderId) -> Option<u64> {
        self.readers.get(id)?.first()
    }

    /// The group and the frame that would come next for a reader in sequence.
    pub(crate) fn position(&self, id: ReaderId) -> Option<(u64, usize)> {
        self.readers.get(id)?.position()
    }

    /// What all readers want.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.readers.iter().map(Reader::subscription)
    }

    /// Whether anybody reads.
    pub(crate) fn is_read(&self) -> bool {
        !self.readers.is_empty()
    }
}
