//! Shared state and the tasks that wait for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Locks; a panic elsewhere must not spread, and no invariant spans a lock's release.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one task that waits through some handle.
///
/// The waker stays when it fires, so a task that waits again costs no clone, and firing twice
/// before it has waited again wakes it once.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    waker: Option<Waker>,
    armed: bool,
}

impl Waiter {
    /// Has the task of `cx` wait for the next [`Self::take`]. Returns a waker that is of no use any
    /// more; whoever holds a lock drops it afterwards.
    #[must_use = "a waker is dropped once no lock is held"]
    pub(crate) fn register(&mut self, cx: &Context<'_>) -> Option<Waker> {
        self.armed = true;
        let held = self.waker.as_ref();
        if held.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return None;
        }
        self.waker.replace(cx.waker().clone())
    }

    /// The task that waits, to be woken once no lock is held: wakers run code of others.
    #[must_use = "the task waits until it is woken"]
    pub(crate) fn take(&mut self) -> Option<Waker> {
        if !std::mem::take(&mut self.armed) {
            return None;
        }
        self.waker.clone()
    }
}
