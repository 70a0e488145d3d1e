//! A part of a task that is polled only when it was woken itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Keeps a task from polling a part of it, such as a stream that is seldom heard of, each time when
/// another part was woken.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Arc<State>,
    waker: Waker,
}

#[derive(Debug)]
struct State {
    is_open: AtomicBool,
    task: AtomicWaker,
}

impl Gate {
    /// A gate that is open for the first poll.
    pub(crate) fn new() -> Self {
        let state = Arc::new(State {
            is_open: AtomicBool::new(true),
            task: AtomicWaker::new(),
        });
        let waker = Waker::from(state.clone());
        Self { state, waker }
    }

    /// Polls the part, unless it waits and was not woken.
    pub(crate) fn poll<T>(
        &self,
        cx: &Context<'_>,
        part: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.state.task.register(cx.waker());
        if !self.state.is_open.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let polled = part(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            // It has not registered, so it may be asked again at once.
            self.state.is_open.store(true, Ordering::Release);
        }
        polled
    }
}

impl Wake for State {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_open.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_polled_again_when_it_was_woken() {
        let gate = Gate::new();
        let cx = Context::from_waker(Waker::noop());
        let mut inner = None;
        assert!(
            gate.poll::<()>(&cx, |cx| {
                inner = Some(cx.waker().clone());
                Poll::Pending
            })
            .is_pending()
        );
        assert!(
            gate.poll(&cx, |_| Poll::Ready(())).is_pending(),
            "not woken"
        );
        inner.unwrap().wake();
        assert!(gate.poll(&cx, |_| Poll::Ready(())).is_ready());
        assert!(
            gate.poll(&cx, |_| Poll::Ready(())).is_ready(),
            "it did not wait"
        );
    }
}
