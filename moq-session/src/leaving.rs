//! The end of a session that one of its ends asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moq_model::platform::clock::Instant;
use tokio::sync::watch;

use crate::context::Shared;

/// Who is going to leave.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// Where the peer wants this end to go, once it has sent GOAWAY.
    pub(crate) asked: watch::Sender<Option<String>>,
    /// What this end wants of the peer.
    pub(crate) drain: watch::Sender<Option<Drain>>,
    /// Requests of the peer that are not answered to their end.
    pub(crate) awaited: AtomicUsize,
}

/// How this end wants the peer to leave.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    pub(crate) uri: String,
    pub(crate) until: Instant,
}

/// A request of the peer that is not answered to its end.
#[derive(Debug)]
pub(crate) struct AwaitedGuard(Arc<Shared>);

impl AwaitedGuard {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.leaving.awaited.fetch_add(1, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for AwaitedGuard {
    fn drop(&mut self) {
        self.0.leaving.awaited.fetch_sub(1, Ordering::Relaxed);
    }
}
