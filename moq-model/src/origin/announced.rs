//! Following announcements.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::handle::Shared;
use super::route::{Peer, Route};
use crate::path::BroadcastPath;
use crate::state::lock;

/// A change of what is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnouncedEvent {
    /// A path became available.
    Start(BroadcastPath, Route),
    /// Another route serves the path.
    Update(BroadcastPath, Route),
    /// The path is gone.
    End(BroadcastPath),
    /// Everything that existed at the beginning has been told; comes once.
    Live,
}

/// Follows what is announced at a prefix, below it, and above it where that covers the prefix.
#[derive(Debug)]
pub struct Announced {
    shared: Arc<Shared>,
    slot: usize,
    peer: Peer,
    is_live: bool,
}

impl Announced {
    pub(super) fn new(shared: Arc<Shared>, prefix: BroadcastPath, peer: Peer) -> Self {
        let slot = lock(&shared.table).watch(&prefix);
        Self {
            shared,
            slot,
            peer,
            is_live: false,
        }
    }

    /// Waits for the next change. What is there already comes first, as starts.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> AnnouncedEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<AnnouncedEvent> {
        let mut table = lock(&self.shared.table);
        if let Some(event) = table.next_event(self.slot, &self.peer) {
            return Poll::Ready(event);
        }
        if table.is_synced() && !self.is_live {
            self.is_live = true;
            return Poll::Ready(AnnouncedEvent::Live);
        }
        table.watchers[self.slot].waiter.register(cx);
        Poll::Pending
    }

    /// The next change that has happened already.
    pub fn try_next(&mut self) -> Option<AnnouncedEvent> {
        lock(&self.shared.table).next_event(self.slot, &self.peer)
    }

    /// Says that the peer which this is for was sent what [`Self::next`] last gave for `path`, for
    /// [`Publication::told`](super::Publication::told).
    pub fn confirm(&self, path: &BroadcastPath) {
        lock(&self.shared.table).note_told(self.slot, path);
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        lock(&self.shared.table).unwatch(self.slot);
    }
}
