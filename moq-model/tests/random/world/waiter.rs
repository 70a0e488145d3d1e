//! A task that waits, and counts how often it is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::Outcome;

/// How often a task may be woken until it looks: by its reader's place, its group and its timer.
const MOST: u64 = 3;

#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub struct Waiter {
    count: Arc<Count>,
    waker: Waker,
    /// It looked last, and found nothing.
    pub is_waiting: bool,
    /// Wakes that it found nothing after.
    pub vain: u64,
}

impl Default for Waiter {
    fn default() -> Self {
        let count = Arc::<Count>::default();
        Self {
            waker: count.clone().into(),
            count,
            is_waiting: false,
            vain: 0,
        }
    }
}

impl Waiter {
    /// Looks for something.
    pub fn poll<T>(&mut self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let woken = self.count.0.swap(0, Ordering::Relaxed);
        let result = poll(&mut Context::from_waker(&self.waker));
        if self.is_waiting && woken > 0 && result.is_pending() {
            self.vain += 1;
        }
        self.is_waiting = result.is_pending();
        result
    }

    pub fn is_woken(&self) -> bool {
        self.count.0.load(Ordering::Relaxed) > 0
    }

    /// Whoever waits has to be woken once there is something.
    pub fn check(&self, what: &dyn Fn() -> String, is_ready: bool) -> Outcome {
        if self.is_waiting && is_ready && !self.is_woken() {
            return Err(format!("{} is not woken", what()));
        }
        if self.count.0.load(Ordering::Relaxed) > MOST {
            return Err(format!("{} is woken too often", what()));
        }
        Ok(())
    }
}
