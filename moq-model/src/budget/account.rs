//! What one track holds of a budget.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::{Budget, Feeder};
use crate::clock::Instant;
use crate::state::lock;
use crate::track::{Tier, TrackShared};

/// What a track holds, for the others of the budget to see.
#[derive(Debug, Default)]
pub(super) struct Balance {
    held: AtomicU64,
    tier: AtomicU8,
    /// Whether the ledger knows that it changed.
    is_noted: AtomicBool,
}

impl Balance {
    /// What is held, for the ledger, which has to be told of the next change.
    pub(super) fn read(&self) -> (Tier, u64) {
        self.is_noted.store(false, Ordering::SeqCst);
        let tier = match self.tier.load(Ordering::SeqCst) {
            0 => Tier::Nothing,
            1 => Tier::Newest,
            2 => Tier::Fetched,
            _ => Tier::Older,
        };
        (tier, self.held.load(Ordering::SeqCst))
    }
}

/// A track's account; it is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Account {
    feeder: Feeder,
    key: usize,
    balance: Arc<Balance>,
}

/// The budget has no room.
#[derive(Debug)]
pub(crate) struct NoRoom;

impl Account {
    pub(crate) fn open(feeder: Feeder, track: Weak<TrackShared>) -> Self {
        let balance = Arc::<Balance>::default();
        let mut ledger = lock(&feeder.budget().0.ledger);
        let key = ledger.open(feeder.key(), track, balance.clone());
        drop(ledger);
        Self {
            feeder,
            key,
            balance,
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        self.feeder.budget()
    }

    /// Takes bytes of the budget, before they are held. Where there is no room, those that hold the
    /// most give way, for as long as the bytes are of use. No lock of a track may be held.
    pub(crate) fn reserve(&self, bytes: u64, is_of_use: impl Fn() -> bool) -> Result<(), NoRoom> {
        if self.budget().try_take(bytes) {
            return Ok(());
        }
        self.budget()
            .make_room(self.feeder.key(), bytes, &is_of_use)
    }

    /// Gives bytes back.
    pub(crate) fn release(&self, bytes: u64) {
        self.budget().give_back(bytes);
    }

    /// Tells what the track holds, under its lock.
    pub(crate) fn note(&self, held: u64, tier: Tier) {
        self.balance.held.store(held, Ordering::SeqCst);
        self.balance.tier.store(tier as u8, Ordering::SeqCst);
        if !self.balance.is_noted.load(Ordering::SeqCst)
            && !self.balance.is_noted.swap(true, Ordering::SeqCst)
        {
            lock(&self.budget().0.ledger).note_changed(self.key);
        }
    }

    /// Notes when the track is to be let go of.
    pub(crate) fn release_at(&self, at: Option<Instant>) {
        let mut ledger = lock(&self.budget().0.ledger);
        ledger.set_release(self.key, at);
        self.budget().note_release(ledger.next_release());
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        lock(&self.budget().0.ledger).close(self.key);
    }
}
