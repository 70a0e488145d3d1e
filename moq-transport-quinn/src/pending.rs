//! A future kept from one poll to the next.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// A slot for one operation in progress.
///
/// quinn's futures hold the registration that wakes the caller, so the future has to live for as
/// long as it is pending.
pub(crate) struct Pending<T>(Option<Operation<T>>);

type Operation<T> = Pin<Box<dyn Future<Output = T> + Send + Sync>>;

impl<T> Pending<T> {
    /// Polls the operation in progress, or the one that `start` begins.
    pub(crate) fn poll<F>(&mut self, cx: &mut Context<'_>, start: impl FnOnce() -> F) -> Poll<T>
    where
        F: Future<Output = T> + Send + Sync + 'static,
    {
        let operation = self.0.get_or_insert_with(|| Box::pin(start()));
        let output = ready!(operation.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<T> Pending<T> {
    /// As [`Self::poll`], for an operation that hardly ever has to wait: it is kept, which costs an
    /// allocation, only if it does.
    pub(crate) fn poll_eager<F>(&mut self, cx: &mut Context<'_>, start: impl Fn() -> F) -> Poll<T>
    where
        F: Future<Output = T> + Send + Sync + 'static,
    {
        if self.0.is_none()
            && let Poll::Ready(output) = pin!(start()).poll(cx)
        {
            return Poll::Ready(output);
        }
        self.poll(cx, start)
    }
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(None)
    }
}
