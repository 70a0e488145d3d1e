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
    /// Wakes the task of `cx` at the next [`Self::wake`].
    pub(crate) fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        self.armed = true;
    }

    pub(crate) fn wake(&mut self) {
        if self.armed
            && let Some(waker) = &self.waker
        {
            self.armed = false;
            waker.wake_by_ref();
        }
    }
}
