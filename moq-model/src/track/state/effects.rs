//! What a change of a track leaves to be done once its lock is released.

use crate::frame::Frame;

/// Names a task that waits. The state stores it and gives it back, and never calls it.
pub(crate) trait Notify: Clone {
    /// Whether both name one task.
    fn is_same(&self, other: &Self) -> bool;
}

impl Notify for std::task::Waker {
    fn is_same(&self, other: &Self) -> bool {
        self.will_wake(other)
    }
}

/// Tasks to wake, things to drop and bytes to give back, all of them outside of the lock:
/// wakers and payloads run code of others.
#[derive(Debug)]
pub(crate) struct Effects<W> {
    /// The first task to wake; often it is the only one.
    first: Option<W>,
    /// Whether there is anything in the lists.
    has_more: bool,
    wake: Vec<W>,
    /// Waiters that were replaced.
    stale: Vec<W>,
    /// Frames of groups that are gone.
    frames: Vec<Vec<Frame>>,
    /// Bytes that are held no longer.
    released: u64,
}

impl<W> Default for Effects<W> {
    fn default() -> Self {
        Self {
            first: None,
            has_more: false,
            wake: Vec::new(),
            stale: Vec::new(),
            frames: Vec::new(),
            released: 0,
        }
    }
}

impl<W: Notify> Effects<W> {
    /// Wakes whoever waits in `place`, once.
    pub(super) fn wake(&mut self, place: &mut Option<W>) {
        let Some(waiter) = place.take() else { return };
        if self.first.is_none() {
            self.first = Some(waiter);
        } else {
            self.wake.push(waiter);
            self.has_more = true;
        }
    }

    /// Has `waiter` wait in `place`.
    #[inline]
    pub(super) fn wait(&mut self, place: &mut Option<W>, waiter: &W) {
        if place.as_ref().is_some_and(|held| held.is_same(waiter)) {
            return;
        }
        if let Some(old) = place.replace(waiter.clone()) {
            self.retire(old);
        }
    }

    /// Has a waiter dropped that is of no use any more.
    fn retire(&mut self, waiter: W) {
        self.stale.push(waiter);
        self.has_more = true;
    }

    /// Drops a waiter that waits no more.
    pub(super) fn forget(&mut self, place: &mut Option<W>) {
        if let Some(waiter) = place.take() {
            self.retire(waiter);
        }
    }

    pub(super) fn drop_frames(&mut self, frames: Vec<Frame>) {
        if frames.capacity() > 0 {
            self.frames.push(frames);
            self.has_more = true;
        }
    }

    pub(super) fn release(&mut self, bytes: u64) {
        self.released += bytes;
    }

    /// Whether nothing is left to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.first.is_none() && !self.has_more
    }

    /// The task to wake, if that is all that is left to be done.
    pub(crate) fn take_only(&mut self) -> Option<W> {
        if self.has_more {
            return None;
        }
        self.first.take()
    }

    /// The bytes that are held no longer, since this was asked last.
    pub(crate) fn take_released(&mut self) -> u64 {
        std::mem::take(&mut self.released)
    }
}

/// Entries of a list for which room is kept.
const KEPT: usize = 64;

impl Effects<std::task::Waker> {
    /// Wakes and drops, and keeps the room for the next time.
    pub(crate) fn run(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
        }
        for waiter in self.wake.drain(..) {
            waiter.wake();
        }
        self.stale.clear();
        self.frames.clear();
        self.has_more = false;
        // A track with many readers must not leave its room to every other one.
        self.wake.shrink_to(KEPT);
        self.stale.shrink_to(KEPT);
        self.frames.shrink_to(KEPT);
    }
}
