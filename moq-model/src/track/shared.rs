//! A track's state behind its lock: what locks, wakes and pays.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::task::Waker;

use super::info::{Track, TrackInfo};
use super::state::{Effects, GROUP_CHARGE, GroupId, Kind, ReaderId, Tier, TrackEnd, TrackState};
use crate::broadcast::BroadcastShared;
use crate::budget::{Account, Budget, Feeder};
use crate::clock::{self, Instant};
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::request::Upstream;
use crate::state::lock;
use crate::time::Timescale;

/// The state of a track whose tasks are named by their wakers.
pub(crate) type State = TrackState<Waker>;
/// What its changes leave to be done.
pub(crate) type Changes = Effects<Waker>;

thread_local! {
    /// Room for effects, kept from one change to the next.
    static SPARE: Cell<Option<Changes>> = const { Cell::new(None) };
}

/// What all handles to one track share.
#[derive(Debug)]
pub(crate) struct TrackShared {
    pub(crate) name: Arc<str>,
    /// Whom to ask for groups that are not held.
    pub(super) upstream: Option<Upstream>,
    /// The broadcast that it can be found in.
    home: Weak<BroadcastShared>,
    account: Account,
    info: OnceLock<TrackInfo>,
    inner: Mutex<Inner>,
}

/// What the lock is for.
#[derive(Debug)]
struct Inner {
    state: State,
    /// What the change at hand leaves to be done; idle whenever the lock is free.
    changes: Changes,
}

impl TrackShared {
    /// A track that exists.
    pub(crate) fn new(track: Track, feeder: Feeder, home: Weak<BroadcastShared>) -> Arc<Self> {
        let shared = Self::with(track.name, feeder, home, None, State::new(true));
        shared.accept(track.info);
        shared
    }

    /// A track that was asked for and is not accepted yet.
    pub(crate) fn pending(
        name: Arc<str>,
        feeder: Feeder,
        home: Weak<BroadcastShared>,
        upstream: Option<Upstream>,
    ) -> Arc<Self> {
        Self::with(name, feeder, home, upstream, State::new(false))
    }

    fn with(
        name: Arc<str>,
        feeder: Feeder,
        home: Weak<BroadcastShared>,
        upstream: Option<Upstream>,
        state: State,
    ) -> Arc<Self> {
        Arc::new_cyclic(|track| Self {
            name,
            upstream,
            home,
            account: Account::open(feeder, track.clone()),
            info: OnceLock::new(),
            inner: Mutex::new(Inner {
                state,
                changes: Changes::default(),
            }),
        })
    }

    /// Looks at the state, changing nothing that anybody waits for.
    pub(super) fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&lock(&self.inner).state)
    }

    /// Changes the state; what that leaves to be done is done once the lock is released.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State, &mut Changes) -> R) -> R {
        let mut inner = lock(&self.inner);
        let Inner { state, changes } = &mut *inner;
        let result = change(state, changes);
        self.account.note(state.held(), state.tier());
        self.account.release(changes.take_released());
        Self::settle(inner);
        result
    }

    /// As [`Self::change`], where what the groups hold stays as it is.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&mut State, &mut Changes) -> R) -> R {
        let mut inner = lock(&self.inner);
        let Inner { state, changes } = &mut *inner;
        let result = read(state, changes);
        Self::settle(inner);
        result
    }

    /// Releases the lock, and does what was left to be done.
    #[inline]
    fn settle(inner: MutexGuard<'_, Inner>) {
        if !inner.changes.is_idle() {
            Self::act(inner);
        }
    }

    fn act(mut inner: MutexGuard<'_, Inner>) {
        if let Some(only) = inner.changes.take_only() {
            drop(inner);
            return only.wake();
        }
        // A thread that ends has no room left to lend.
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        let mut changes = spare.unwrap_or_default();
        std::mem::swap(&mut changes, &mut inner.changes);
        drop(inner);
        changes.run();
        let _ = SPARE.try_with(|spare| spare.set(Some(changes)));
    }

    /// As [`Self::read`], where groups may be read to their end by that: a budget without history
    /// has no use for them.
    pub(super) fn consume<R>(&self, read: impl FnOnce(&mut State, &mut Changes) -> R) -> R {
        if self.budget().keeps_read() {
            return self.read(read);
        }
        self.change(|state, fx| {
            let result = read(state, fx);
            state.evict_read(fx);
            result
        })
    }

    pub(crate) fn budget(&self) -> &Budget {
        self.account.budget()
    }

    pub(crate) fn accept(&self, info: TrackInfo) {
        let info = *self.info.get_or_init(|| info);
        self.change(|state, fx| state.accept(info, fx));
        // The end may have come first, and the max age says when the track is let go of.
        self.plan_release();
    }

    pub(crate) fn timescale(&self) -> Timescale {
        let info = self.info.get();
        info.map_or(Timescale::MILLIS, |info| info.timescale)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.look(|state| state.end().is_some())
    }

    pub(crate) fn begin_group(
        &self,
        sequence: Option<u64>,
        kind: Kind,
    ) -> Result<(GroupId, u64), WriteError> {
        let now = clock::now();
        self.budget().release_due(now);
        let check = |state: &State| state.check_begin(sequence);
        self.pay(GROUP_CHARGE, check, |state, fx| {
            let id = state.begin_group(sequence, kind, now, fx)?;
            Ok((id, state.sequence(id)))
        })
    }

    /// Charges a group for bytes of a frame that is still arriving.
    pub(crate) fn arrive(&self, group: GroupId, bytes: u64) -> Result<(), WriteError> {
        let check = |state: &State| state.check_group(group);
        let arrived = self.pay(bytes, check, |state, _| state.arrive(group, bytes));
        self.give_up_if_full(group, arrived)
    }

    /// Appends a frame of which `arrived` bytes are charged already.
    pub(crate) fn append(
        &self,
        group: GroupId,
        frame: Frame,
        arrived: u64,
    ) -> Result<(), WriteError> {
        let charge = frame.charge();
        let check = |state: &State| state.check_group(group);
        let appended = self.pay(charge.saturating_sub(arrived), check, |state, fx| {
            state.append(group, frame, fx)
        });
        match appended {
            Ok(()) => self.account.release(arrived.saturating_sub(charge)),
            Err(_) => self.change(|state, fx| state.forget_arriving(group, fx)),
        }
        self.give_up_if_full(group, appended)
    }

    /// Takes bytes of the budget for a change, and gives them back if it fails. Nobody gives way for
    /// a change that fails anyway, by `check`.
    pub(super) fn pay<R>(
        &self,
        bytes: u64,
        check: impl Fn(&State) -> Result<(), WriteError>,
        change: impl FnOnce(&mut State, &mut Changes) -> Result<R, WriteError>,
    ) -> Result<R, WriteError> {
        let is_of_use = || self.look(|state| check(state).is_ok());
        if self.account.reserve(bytes, is_of_use).is_err() {
            self.look(check)?;
            return Err(WriteError::Dropped);
        }
        let result = self.change(change);
        if result.is_err() {
            self.account.release(bytes);
        }
        result
    }

    /// The broadcast that it can be found in, for as long as that is there.
    pub(super) fn home(&self) -> Option<Arc<BroadcastShared>> {
        self.home.upgrade()
    }

    /// Gives bytes back that were taken for nothing.
    pub(super) fn give_back(&self, bytes: u64) {
        self.account.release(bytes);
    }

    /// A group that lacks a frame is of no use any more.
    fn give_up_if_full(
        &self,
        group: GroupId,
        result: Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        if result == Err(WriteError::Dropped) {
            self.change(|state, fx| state.give_up_group(group, Abort::Evicted, fx));
        }
        result
    }

    pub(crate) fn end_group(&self, group: GroupId, end: GroupEnd) {
        self.change(|state, fx| state.end_group(group, end, fx));
    }

    /// Lets go of a reader's place in a group. A budget without history has no use for a group that
    /// all have read.
    pub(crate) fn close_group(&self, reader: Option<(ReaderId, u64)>, group: GroupId, slot: usize) {
        // A group that was fetched may be gone with its last reader.
        if reader.is_none() {
            return self.change(|state, fx| state.close_group(reader, group, slot, fx));
        }
        self.consume(|state, fx| state.close_group(reader, group, slot, fx));
    }

    /// Makes room for others; says what went.
    pub(crate) fn evict(&self) -> Tier {
        self.change(|state, fx| state.evict(fx))
    }

    pub(super) fn end(&self, end: TrackEnd) {
        let now = clock::now();
        self.change(|state, fx| state.end_track(end, now, fx));
        self.plan_release();
    }

    /// Has the budget let go of the track in time, if it has ended and nobody reads it.
    pub(super) fn plan_release(&self) {
        if let Some(at) = self.look(State::release_at) {
            self.account.release_at(Some(at));
        }
    }

    /// Lets go of a track that has ended, if nobody came to read it meanwhile.
    pub(crate) fn release(self: &Arc<Self>, now: Instant) {
        let is_released = self.change(|state, fx| state.release(now, fx));
        if is_released && let Some(home) = self.home.upgrade() {
            home.forget(self);
        }
    }
}

impl Drop for TrackShared {
    fn drop(&mut self) {
        let held = lock(&self.inner).state.held();
        self.account.release(held);
    }
}
