//! Who waits for what.

use std::task::{Context, Waker};

/// Tasks that wait for the same, at most one for each handle.
///
/// Most often one handle waits, which takes no allocation.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    first: Option<Waiting>,
    more: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    handle: u64,
    waker: Waker,
}

impl Wakers {
    /// Keeps the waker of a handle, in place of an earlier one.
    pub(super) fn add(&mut self, handle: u64, cx: &Context<'_>) {
        let mut all = self.first.iter_mut().chain(&mut self.more);
        if let Some(waiting) = all.find(|waiting| waiting.handle == handle) {
            waiting.waker.clone_from(cx.waker());
            return;
        }
        let waker = cx.waker().clone();
        let waiting = Waiting { handle, waker };
        match &mut self.first {
            None => self.first = Some(waiting),
            Some(_) => self.more.push(waiting),
        }
    }

    /// Takes out the waker of a handle.
    pub(super) fn remove(&mut self, handle: u64) -> Option<Waker> {
        let is_its = |waiting: &Waiting| waiting.handle == handle;
        if let Some(waiting) = self.first.take_if(|waiting| is_its(waiting)) {
            return Some(waiting.waker);
        }
        let at = self.more.iter().position(is_its)?;
        Some(self.more.swap_remove(at).waker)
    }

    pub(super) fn wake(self) {
        let all = self.first.into_iter().chain(self.more);
        all.for_each(|waiting| waiting.waker.wake());
    }
}
