//! How many bytes may be held.

mod account;
mod feeder;
mod ledger;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

pub(crate) use account::{Account, NoRoom};
pub use feeder::Feeder;

use crate::clock::{self, Instant};
use crate::state::lock;
use crate::track::Tier;
use ledger::Ledger;

/// A number of bytes that the tracks which share it may hold together. Clones share the budget.
///
/// It is never exceeded: room is made before a frame is taken, and bytes of a frame that is still
/// arriving count. Whoever holds the most gives way, by [`Feeder`]: its greediest track drops its
/// oldest group. A track's newest group is dropped only if its feeder holds more than the limit
/// divided by the number of feeders, and has nothing older.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    keeps_read: bool,
    used: AtomicU64,
    /// Newest groups that were dropped.
    cut: AtomicU64,
    /// When the next ended track is let go of, in milliseconds after `base`; 0 for never.
    next_release: AtomicU64,
    base: Instant,
    ledger: Mutex<Ledger>,
}

impl Budget {
    /// 256 MiB.
    pub const DEFAULT_BYTES: u64 = 256 << 20;

    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self::with(limit, true)
    }

    /// A budget of `limit` bytes that keeps no history: a finished group is dropped once every
    /// current reader has read it.
    #[must_use]
    pub fn without_history(limit: u64) -> Self {
        Self::with(limit, false)
    }

    fn with(limit: u64, keeps_read: bool) -> Self {
        Self(Arc::new(Inner {
            limit,
            keeps_read,
            used: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            next_release: AtomicU64::new(0),
            base: clock::now(),
            ledger: Mutex::default(),
        }))
    }

    /// The bytes held now, never more than [`Self::limit`].
    #[must_use]
    pub fn used(&self) -> u64 {
        self.release_due(clock::now());
        self.0.used.load(Ordering::SeqCst)
    }

    /// The bytes allowed.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Whether both are handles to one budget.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many groups were dropped although they were their track's newest.
    #[must_use]
    pub fn newest_dropped(&self) -> u64 {
        self.0.cut.load(Ordering::Relaxed)
    }

    /// Somebody new who fills this budget.
    #[must_use]
    pub fn feeder(&self) -> Feeder {
        let key = lock(&self.0.ledger).add_feeder();
        Feeder::new(self, key, None)
    }

    /// Whoever fills this budget under a name: the same feeder for as long as it is in use.
    #[must_use]
    pub fn feeder_named(&self, name: &str) -> Feeder {
        let mut ledger = lock(&self.0.ledger);
        if let Some(held) = ledger.names.get(name).and_then(Weak::upgrade) {
            return Feeder::from_inner(held);
        }
        let key = ledger.add_feeder();
        let name = Arc::<str>::from(name);
        let feeder = Feeder::new(self, key, Some(name.clone()));
        ledger.names.insert(name, Arc::downgrade(feeder.inner()));
        feeder
    }

    /// Whether groups are kept that all readers have read.
    pub(crate) fn keeps_read(&self) -> bool {
        self.0.keeps_read
    }

    /// Takes bytes if there is room for them.
    fn try_take(&self, bytes: u64) -> bool {
        let room = |used: u64| used.checked_add(bytes).filter(|&sum| sum <= self.0.limit);
        let used = &self.0.used;
        used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, room)
            .is_ok()
    }

    fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            self.0.used.fetch_sub(bytes, Ordering::SeqCst);
        }
    }

    /// Takes bytes on behalf of a feeder, with room that others make for as long as the bytes are
    /// of use.
    fn make_room(
        &self,
        feeder: usize,
        bytes: u64,
        is_of_use: &dyn Fn() -> bool,
    ) -> Result<(), NoRoom> {
        self.release_due(clock::now());
        if bytes > self.0.limit {
            return Err(NoRoom);
        }
        let mut idle = 0;
        while idle < MOST_IDLE {
            if self.try_take(bytes) {
                return Ok(());
            }
            if !is_of_use() {
                return Err(NoRoom);
            }
            let greediest = lock(&self.0.ledger).greediest(feeder, bytes, self.0.limit);
            let Some(track) = greediest else { break };
            match track.upgrade().map(|track| track.evict()) {
                Some(Tier::Newest) => {
                    self.0.cut.fetch_add(1, Ordering::Relaxed);
                }
                Some(Tier::Fetched | Tier::Older) => {}
                // Others were faster, or are dropping the track and about to give its bytes back.
                Some(Tier::Nothing) | None => {
                    idle += 1;
                    std::thread::yield_now();
                }
            }
        }
        if self.try_take(bytes) {
            return Ok(());
        }
        Err(NoRoom)
    }

    /// Lets go of tracks whose time has come.
    pub(crate) fn release_due(&self, now: Instant) {
        let next = self.0.next_release.load(Ordering::Relaxed);
        if next == 0 || self.millis(now) < next {
            return;
        }
        loop {
            let mut ledger = lock(&self.0.ledger);
            let due = ledger.take_release(now);
            self.note_release(ledger.next_release());
            drop(ledger);
            let Some(track) = due else { return };
            if let Some(track) = track.upgrade() {
                track.release(now);
            }
        }
    }

    /// Notes when the next track is let go of, under the ledger's lock.
    fn note_release(&self, next: Option<Instant>) {
        let next = next.map_or(0, |at| self.millis(at).max(1));
        self.0.next_release.store(next, Ordering::Relaxed);
    }

    /// A time in milliseconds, rounded down.
    fn millis(&self, at: Instant) -> u64 {
        let since: Duration = at.saturating_duration_since(self.0.base);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Attempts that find nothing left to drop before there is no room.
const MOST_IDLE: usize = 64;

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BYTES)
    }
}
