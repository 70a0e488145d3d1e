//! The connections of a driver.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::connection::ConnectionCore;

/// The connections of a driver, and which of them it has to look at.
#[derive(Default)]
pub(super) struct Table {
    /// By quinn-proto's handle.
    slots: Vec<Option<Slot>>,
    /// How many connections there are.
    open: usize,
    /// Connections that may have something to tell, each once.
    fresh: VecDeque<usize>,
    /// Connections that may have something to send, in turns. Those that are gone are passed over.
    ready: VecDeque<usize>,
}

struct Slot {
    connection: Arc<ConnectionCore>,
    is_fresh: bool,
    is_ready: bool,
}

impl Table {
    pub(super) fn insert(&mut self, connection: Arc<ConnectionCore>) {
        let key = connection.key;
        if self.slots.len() <= key {
            self.slots.resize_with(key + 1, || None);
        }
        self.slots[key] = Some(Slot {
            connection,
            is_fresh: false,
            is_ready: false,
        });
        self.open += 1;
        self.set_fresh(key);
    }

    pub(super) fn remove(&mut self, key: usize) {
        if self.slots[key].take().is_some() {
            self.open -= 1;
        }
    }

    pub(super) fn get(&self, key: usize) -> Option<&Arc<ConnectionCore>> {
        Some(&self.slots.get(key)?.as_ref()?.connection)
    }

    /// Whether a connection is still there.
    pub(super) fn holds(&self, connection: &Arc<ConnectionCore>) -> bool {
        self.get(connection.key)
            .is_some_and(|held| Arc::ptr_eq(held, connection))
    }

    /// How many connections there are.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<ConnectionCore>> {
        self.slots.iter().flatten().map(|slot| &slot.connection)
    }

    /// Has a connection looked at, for what it has to tell and then for what it has to send.
    pub(super) fn set_fresh(&mut self, key: usize) {
        if let Some(Some(slot)) = self.slots.get_mut(key)
            && !slot.is_fresh
        {
            slot.is_fresh = true;
            self.fresh.push_back(key);
        }
        self.set_ready(key);
    }

    /// Has a connection looked at for what it has to send.
    pub(super) fn set_ready(&mut self, key: usize) {
        if let Some(Some(slot)) = self.slots.get_mut(key)
            && !slot.is_ready
        {
            slot.is_ready = true;
            self.ready.push_back(key);
        }
    }

    /// A connection that may have something to tell.
    pub(super) fn next_fresh(&mut self) -> Option<usize> {
        loop {
            let key = self.fresh.pop_front()?;
            if let Some(slot) = &mut self.slots[key]
                && std::mem::take(&mut slot.is_fresh)
            {
                return Some(key);
            }
        }
    }

    /// A connection whose turn it is to send.
    pub(super) fn next_ready(&mut self) -> Option<usize> {
        loop {
            let key = self.ready.pop_front()?;
            if let Some(slot) = &mut self.slots[key]
                && std::mem::take(&mut slot.is_ready)
            {
                return Some(key);
            }
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }
}
