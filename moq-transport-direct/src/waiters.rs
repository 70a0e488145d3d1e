//! Tasks that wait for something to happen on a connection.

use std::task::{Context, Waker};

/// Who waits for one kind of event, at most once per handle.
#[derive(Default)]
pub(super) struct Waiters(Vec<(HandleId, Waker)>);

/// Tells the handles of one connection apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandleId(pub(super) u64);

impl Waiters {
    /// Keeps the waker of a handle, instead of an earlier one.
    pub(super) fn add(&mut self, handle: HandleId, cx: &Context<'_>) {
        match self.0.iter_mut().find(|(waiting, _)| *waiting == handle) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => self.0.push((handle, cx.waker().clone())),
        }
    }

    /// Forgets a handle.
    pub(super) fn remove(&mut self, handle: HandleId) {
        self.0.retain(|(waiting, _)| *waiting != handle);
    }

    /// Moves all wakers to `woken`.
    pub(super) fn take(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.0.drain(..).map(|(_, waker)| waker));
    }
}
