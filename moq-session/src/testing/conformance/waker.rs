//! A waker that tells what became of it.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;

use super::hands::within;

/// A waker, and whether it was woken.
pub(super) struct Flag {
    inner: Arc<Inner>,
    waker: Waker,
}

#[derive(Default)]
struct Inner(Notify);

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify_one();
    }
}

impl Flag {
    pub(super) fn new() -> Self {
        let inner = Arc::new(Inner::default());
        let waker = inner.clone().into();
        Self { inner, waker }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Whether anybody else holds it.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.inner) > 2
    }

    /// Waits until it is woken, and forgets that.
    pub(super) async fn woken(&self, what: &str) {
        within(what, self.inner.0.notified()).await;
    }

    /// Waits until the waker is woken, after a poll that has left it, and polls until it is ready. In
    /// between, only a wake counts.
    pub(super) async fn ready<T>(
        &self,
        what: &str,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> T {
        loop {
            self.woken(what).await;
            if let Poll::Ready(output) = poll(&mut self.context()) {
                return output;
            }
        }
    }
}
