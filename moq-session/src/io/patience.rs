//! How long the peer may keep this end waiting in the middle of a message.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use moq_model::platform::clock::{self, Sleep};

use crate::context::Shared;
use crate::error::StreamError;
use crate::limits::Limit;

/// A timer that runs while something is half done.
pub(super) struct Patience {
    shared: Arc<Shared>,
    limit: Limit,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) fn new(shared: &Arc<Shared>, limit: Limit) -> Self {
        Self {
            shared: shared.clone(),
            limit,
            timer: None,
        }
    }

    /// Waits for the deadline, which is counted from the first call since the last [`Self::reset`].
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<StreamError> {
        let after = self.shared.answer_timeout;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(clock::sleep(after)));
        ready!(timer.as_mut().poll(cx));
        self.timer = None;
        self.shared.limiter.reach(self.limit);
        Poll::Ready(StreamError::Timeout)
    }

    /// Nothing is half done.
    pub(super) fn reset(&mut self) {
        self.timer = None;
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_waiting = self.timer.is_some();
        f.debug_struct("Patience")
            .field("limit", &self.limit)
            .field("is_waiting", &is_waiting)
            .finish_non_exhaustive()
    }
}
