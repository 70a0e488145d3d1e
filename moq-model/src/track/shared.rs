//! A track's state behind its lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::readers::ReaderId;
use super::state::{TrackEnd, TrackState};
use super::subscription::{Track, TrackInfo};
use crate::broadcast::BroadcastShared;
use crate::budget::Budget;
use crate::error::{GroupEnd, WriteError};
use crate::frame::Frame;
use crate::group::Group;
use crate::request::Upstream;
use crate::state::lock;
use crate::time::Timescale;

/// What all handles to one track share.
#[derive(Debug)]
pub(crate) struct TrackShared {
    pub(crate) name: Arc<str>,
    /// Whom to ask for groups that are not held.
    pub(super) upstream: Option<Upstream>,
    pub(super) budget: Budget,
    /// Its place among those that share the budget.
    holder: usize,
    /// As [`TrackState::held`], for the others of the budget to see.
    held: Arc<AtomicU64>,
    info: OnceLock<TrackInfo>,
    state: Mutex<TrackState>,
    /// How many wait for readers to catch up.
    watching: AtomicUsize,
    /// Bytes taken by readers while it was watched.
    progress: AtomicU64,
}

impl TrackShared {
    /// A track that exists.
    pub(crate) fn new(track: Track, budget: Budget) -> Arc<Self> {
        let shared = Self::pending(track.name, budget, None);
        shared.lock().is_local = true;
        shared.accept(track.info);
        shared
    }

    /// A track that was asked for and is not accepted yet.
    pub(crate) fn pending(name: Arc<str>, budget: Budget, upstream: Option<Upstream>) -> Arc<Self> {
        let held = Arc::<AtomicU64>::default();
        Arc::new_cyclic(|track| Self {
            name,
            upstream,
            holder: budget.enlist(track.clone(), held.clone()),
            budget,
            held,
            info: OnceLock::new(),
            state: Mutex::default(),
            watching: AtomicUsize::new(0),
            progress: AtomicU64::new(0),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, TrackState> {
        lock(&self.state)
    }

    pub(crate) fn accept(&self, info: TrackInfo) {
        let info = *self.info.get_or_init(|| info);
        let mut state = self.lock();
        state.info = Some(info);
        state.wake_watchers();
        state.wake_readers();
    }

    pub(crate) fn timescale(&self) -> Timescale {
        self.info
            .get()
            .map_or(Timescale::MILLIS, |info| info.timescale)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    pub(crate) fn append(&self, group: &Arc<Group>, frame: Frame) -> Result<(), WriteError> {
        let mut state = self.lock();
        let grown = state.append(group, frame)?;
        self.account(&mut state, grown);
        drop(state);
        self.budget.enforce();
        Ok(())
    }

    pub(crate) fn end_group(&self, group: &Arc<Group>, end: GroupEnd) {
        let mut state = self.lock();
        let grown = state.end_group(group, end);
        self.account(&mut state, grown);
        drop(state);
        self.budget.enforce();
    }

    /// Charges growth, then makes room by age.
    fn account(&self, state: &mut TrackState, grown: u64) {
        self.budget.charge(grown);
        let released = state.expire();
        self.release(state, released);
    }

    /// Drops the oldest group for memory, unless it is the newest one; says whether it did.
    pub(crate) fn evict_oldest(&self) -> bool {
        let mut state = self.lock();
        let released = state.evict_oldest(GroupEnd::Evicted);
        self.release(&mut state, released.unwrap_or(0));
        released.is_some()
    }

    pub(super) fn skip_stalled(&self, state: &mut TrackState) {
        let released = state.skip_stalled();
        self.release(state, released);
    }

    /// Gives bytes back to the budget, and tells what is held by now.
    fn release(&self, state: &mut TrackState, released: u64) {
        self.budget.release(released);
        self.held.store(state.held, Ordering::Relaxed);
        if released > 0 {
            state.move_line();
        }
    }

    pub(super) fn end(&self, end: TrackEnd) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(end);
            state.wake_readers();
            state.wake_watchers();
            state.wake_demand();
            state.wake_paused();
        }
    }

    pub(crate) fn close_group(&self, reader: ReaderId, sequence: u64) {
        let mut state = self.lock();
        state.close_group(reader, sequence);
        if !self.budget.keeps_read() {
            let released = state.discard_read();
            self.release(&mut state, released);
        }
    }

    pub(crate) fn note_progress(&self, bytes: u64) {
        if self.is_watched() {
            self.progress.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// A reader in order has become starved.
    pub(super) fn note_starved(&self) {
        if self.is_watched() {
            self.lock().move_line();
        }
    }

    fn is_watched(&self) -> bool {
        self.watching.load(Ordering::SeqCst) > 0
    }

    /// Counts progress until [`Self::unwatch_progress`] is called as often.
    pub(super) fn watch_progress(&self) -> u64 {
        self.watching.fetch_add(1, Ordering::SeqCst);
        self.progress()
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    pub(super) fn unwatch_progress(&self) {
        self.watching.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for TrackShared {
    fn drop(&mut self) {
        let held = self.lock().clear();
        self.budget.release(held);
        self.budget.dismiss(self.holder);
    }
}

/// Ends the track when its last producer goes, and takes it out of a broadcast that made it on
/// demand.
#[derive(Debug)]
pub(super) struct ProducerGuard {
    pub(super) track: Arc<TrackShared>,
    pub(super) on_demand: Option<Arc<BroadcastShared>>,
}

impl Drop for ProducerGuard {
    fn drop(&mut self) {
        self.track
            .end(TrackEnd::Aborted(crate::error::Abort::Internal));
        if let Some(broadcast) = &self.on_demand {
            broadcast.forget(&self.track);
        }
    }
}
