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
    /// The task, as it was registered last.
    task: Waker,
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
        Self {
            state,
            waker,
            task: Waker::noop().clone(),
        }
    }

    /// Has the part polled again, whether it was woken or not.
    pub(crate) fn open(&self) {
        self.state.is_open.store(true, Ordering::Release);
    }

    /// Polls the part, unless it waits and was not woken.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &Context<'_>,
        part: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let is_registered = self.task.will_wake(cx.waker());
        if is_registered && !self.state.is_open.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        // In the opposite order of a wake: after one that comes between the two the gate is open, and
        // the part is polled below.
        let was_open = self.state.is_open.swap(false, Ordering::AcqRel);
        self.state.task.register(cx.waker());
        if !is_registered {
            self.task.clone_from(cx.waker());
        }
        if !was_open && !self.state.is_open.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let polled = part(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            // It has not registered, so it may be asked again at once.
            self.open();
        }
        polled
    }
}

impl Wake for State {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Taken first: a closed gate that nobody is about to open knows its task.
        let task = self.task.take();
        self.is_open.store(true, Ordering::Release);
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_polled_again_when_it_was_woken() {
        let mut gate = Gate::new();
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

    #[test]
    fn the_task_that_polled_last_is_woken_each_time() {
        struct Count(AtomicBool);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let mut gate = Gate::new();
        let tasks = [(); 2].map(|()| Arc::new(Count(AtomicBool::new(false))));
        for turn in [0, 0, 1, 1, 0, 1] {
            let waker = Waker::from(tasks[turn].clone());
            let cx = Context::from_waker(&waker);
            let mut inner = None;
            let _ = gate.poll::<()>(&cx, |cx| {
                inner = Some(cx.waker().clone());
                Poll::Pending
            });
            assert!(gate.poll(&cx, |_| Poll::Ready(())).is_pending());
            inner.unwrap().wake();
            assert!(tasks[turn].0.swap(false, Ordering::Relaxed));
        }
    }
}
