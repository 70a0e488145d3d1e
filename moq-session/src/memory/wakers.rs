//! Who waits for what.

use std::task::{Context, Waker};

/// Tasks that wait for the same, at most one for each handle.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<(u64, Waker)>);

impl Wakers {
    /// Keeps the waker of a handle, in place of an earlier one.
    pub(super) fn add(&mut self, handle: u64, cx: &Context<'_>) {
        match self.0.iter_mut().find(|(waiting, _)| *waiting == handle) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => self.0.push((handle, cx.waker().clone())),
        }
    }

    /// Takes out the waker of a handle.
    pub(super) fn remove(&mut self, handle: u64) -> Option<Waker> {
        let at = self.0.iter().position(|(waiting, _)| *waiting == handle)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(super) fn wake(self) {
        self.0.into_iter().for_each(|(_, waker)| waker.wake());
    }
}
