//! What follows from a change of a stream.

use std::task::Waker;

use super::link::Credit;

/// What a change has consequences for, once nothing is locked.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Aftermath {
    pub(super) woken: Option<Waker>,
    pub(super) closed: Option<Waker>,
    /// Given back.
    pub(super) credit: Option<Credit>,
}

impl Aftermath {
    pub(super) fn follow(self) {
        if let Some(waker) = self.woken {
            waker.wake();
        }
        if let Some(waker) = self.closed {
            waker.wake();
        }
        drop(self.credit);
    }
}
