//! The groups of a track by key, for as long as anything is held of them or anybody reads them.

use slab::Slab;

use super::effects::Notify;
use super::group::Group;
use super::phase::Kind;
use crate::clock::Instant;

/// Names a group of one track; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupId {
    key: usize,
    serial: u64,
}

impl GroupId {
    /// The group's place, which another one may have later.
    pub(super) fn key(self) -> usize {
        self.key
    }

    /// Tells the group from others at its place.
    pub(super) fn serial(self) -> u64 {
        self.serial
    }
}

#[derive(Debug)]
pub(super) struct Arena<W> {
    groups: Slab<Box<Group<W>>>,
    serial: u64,
}

impl<W: Notify> Arena<W> {
    pub(super) fn new() -> Self {
        Self {
            groups: Slab::new(),
            serial: 0,
        }
    }

    /// Adds a group that is charged for `bytes`.
    pub(super) fn add(&mut self, sequence: u64, kind: Kind, now: Instant, bytes: u64) -> GroupId {
        self.serial += 1;
        let serial = self.serial;
        let group = Group::new((sequence, serial), kind, now, bytes);
        let key = self.groups.insert(Box::new(group));
        GroupId { key, serial }
    }

    pub(super) fn get(&self, id: GroupId) -> Option<&Group<W>> {
        let group = self.groups.get(id.key)?;
        (group.serial() == id.serial).then_some(group)
    }

    pub(super) fn get_mut(&mut self, id: GroupId) -> Option<&mut Group<W>> {
        let group = self.groups.get_mut(id.key)?;
        (group.serial() == id.serial).then_some(group)
    }

    /// The group at a place.
    pub(super) fn at(&self, key: usize) -> Option<&Group<W>> {
        self.groups.get(key).map(|group| &**group)
    }

    pub(super) fn at_mut(&mut self, key: usize) -> Option<&mut Group<W>> {
        self.groups.get_mut(key).map(|group| &mut **group)
    }

    /// The name of the group at a place.
    pub(super) fn id(&self, key: usize) -> GroupId {
        let serial = self.at(key).map_or(0, Group::serial);
        GroupId { key, serial }
    }

    /// The groups that have not ended.
    pub(super) fn open(&self) -> impl Iterator<Item = GroupId> {
        let open = self
            .groups
            .iter()
            .filter(|(_, group)| !group.phase().has_ended());
        open.map(|(key, _)| self.id(key))
    }

    /// Forgets a group of which nothing is held, once nobody reads it.
    pub(super) fn sweep(&mut self, key: usize) {
        if self.at(key).is_some_and(Group::is_void) {
            self.groups.remove(key);
            if self.groups.is_empty() {
                self.groups = Slab::new();
            }
        }
    }
}
