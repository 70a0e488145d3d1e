//! The readers of one group, and what each of them waits for.

use slab::Slab;

use super::effects::{Effects, Notify};
use crate::error::Abort;

/// The places of a group's readers.
#[derive(Debug)]
pub(super) struct Slots<W>(Slab<Slot<W>>);

#[derive(Debug)]
struct Slot<W> {
    waiter: Option<W>,
    /// Not woken by further frames: it has not taken the last ones yet.
    is_blocked: bool,
    /// Set when the reader's own limit makes the group too old for it.
    cut: Option<Abort>,
}

impl<W: Notify> Slots<W> {
    pub(super) fn new() -> Self {
        Self(Slab::new())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a place for a reader.
    #[inline]
    pub(super) fn attach(&mut self) -> usize {
        // Many groups have one reader.
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.insert(Slot {
            waiter: None,
            is_blocked: false,
            cut: None,
        })
    }

    /// Gives a reader's place up.
    pub(super) fn detach(&mut self, slot: usize, fx: &mut Effects<W>) {
        if let Some(mut slot) = self.0.try_remove(slot) {
            fx.forget(&mut slot.waiter);
        }
    }

    /// Has a reader wait: for the next frame, or with `is_blocked` for the end only.
    pub(super) fn wait(&mut self, slot: usize, is_blocked: bool, waiter: &W, fx: &mut Effects<W>) {
        if let Some(slot) = self.0.get_mut(slot) {
            slot.is_blocked = is_blocked;
            fx.wait(&mut slot.waiter, waiter);
        }
    }

    /// Ends the group for one reader only.
    pub(super) fn cut(&mut self, slot: usize, cause: Abort, fx: &mut Effects<W>) {
        if let Some(slot) = self.0.get_mut(slot) {
            slot.cut = Some(cause);
            fx.wake(&mut slot.waiter);
        }
    }

    /// Why the group has ended for one reader only, if it has.
    pub(super) fn cut_of(&self, slot: usize) -> Option<Abort> {
        self.0.get(slot)?.cut
    }

    /// Wakes those who wait for a frame.
    pub(super) fn wake_for_frame(&mut self, fx: &mut Effects<W>) {
        for (_, slot) in &mut self.0 {
            if !slot.is_blocked {
                fx.wake(&mut slot.waiter);
            }
        }
    }

    pub(super) fn wake_all(&mut self, fx: &mut Effects<W>) {
        for (_, slot) in &mut self.0 {
            fx.wake(&mut slot.waiter);
        }
    }
}
