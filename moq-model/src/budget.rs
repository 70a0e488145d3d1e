//! How many bytes may be held.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use slab::Slab;

use crate::state::lock;
use crate::track::TrackShared;

/// A number of bytes that the tracks which share it may hold together.
///
/// Clones share the budget. When it is exceeded, the track that holds the most drops its oldest
/// groups, whoever wrote last: a greedy track takes nothing from a modest one. The newest group of a
/// track is never dropped.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    keeps_read: bool,
    used: AtomicU64,
    holders: Mutex<Slab<Holder>>,
}

/// A track that holds bytes of a budget.
#[derive(Debug)]
struct Holder {
    held: Arc<AtomicU64>,
    track: Weak<TrackShared>,
}

impl Budget {
    /// 256 MiB.
    pub const DEFAULT_BYTES: u64 = 256 << 20;

    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self::with(limit, true)
    }

    /// A budget of `limit` bytes for tracks that nobody is going to read from an earlier group on: one
    /// that ended is let go of when no reader is left that has not done with it, however young.
    #[must_use]
    pub fn without_history(limit: u64) -> Self {
        Self::with(limit, false)
    }

    fn with(limit: u64, keeps_read: bool) -> Self {
        Self(Arc::new(Inner {
            limit,
            keeps_read,
            used: AtomicU64::new(0),
            holders: Mutex::default(),
        }))
    }

    /// The bytes held now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The bytes allowed.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Whether groups are kept that all readers have done with.
    pub(crate) fn keeps_read(&self) -> bool {
        self.0.keeps_read
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.used() > self.0.limit
    }

    /// Takes a track in; what it says that it holds is looked at when there is too little room.
    pub(crate) fn enlist(&self, track: Weak<TrackShared>, held: Arc<AtomicU64>) -> usize {
        lock(&self.0.holders).insert(Holder { held, track })
    }

    /// Lets go of a track.
    pub(crate) fn dismiss(&self, holder: usize) {
        lock(&self.0.holders).try_remove(holder);
    }

    /// Makes room, if the budget is exceeded: a little more than is needed, so that not every frame
    /// has to. No lock of a track may be held.
    pub(crate) fn enforce(&self) {
        if !self.is_exceeded() {
            return;
        }
        let aim = self.0.limit - self.0.limit / 64;
        let mut spent = Vec::new();
        while self.used() > aim && spent.len() < MAX_SPENT {
            let Some((holder, track)) = self.greediest(&spent) else {
                return;
            };
            if !track.is_some_and(|track| track.evict_oldest()) {
                spent.push(holder);
            }
        }
    }

    /// The track that holds the most, of those that are not spent.
    fn greediest(&self, spent: &[usize]) -> Option<(usize, Option<Arc<TrackShared>>)> {
        let holders = lock(&self.0.holders);
        let left = holders.iter().filter(|(at, _)| !spent.contains(at));
        let held = left.map(|(at, holder)| (holder.held.load(Ordering::Relaxed), at));
        let (_, at) = held.filter(|(held, _)| *held > 0).max()?;
        // Let go of by the caller, who holds no lock: it may be the last handle.
        Some((at, holders[at].track.upgrade()))
    }

    pub(crate) fn charge(&self, bytes: u64) {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn release(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// So many tracks that hold nothing but their newest group are passed over before the budget stays
/// exceeded: those groups are kept in any case.
const MAX_SPENT: usize = 8;

/// Bytes of a budget that are given back with this.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Budget,
    bytes: AtomicU64,
}

impl Charge {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            bytes: AtomicU64::new(0),
        }
    }

    /// Takes more bytes, unless that would exceed the budget.
    pub(crate) fn grow(&self, bytes: u64) -> bool {
        self.budget.charge(bytes);
        if self.budget.is_exceeded() {
            self.budget.release(bytes);
            return false;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.release(self.bytes.load(Ordering::Relaxed));
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BYTES)
    }
}
