//! Following announcements.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::handle::Shared;
use super::route::{Route, SplitHorizon};
use crate::path::BroadcastPath;

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
    peer: SplitHorizon,
    is_live: bool,
}

impl Announced {
    pub(super) fn new(shared: Arc<Shared>, prefix: BroadcastPath, peer: SplitHorizon) -> Self {
        let slot = shared.change(|table| table.watch(&prefix, peer.session.is_some()));
        Self {
            shared,
            slot,
            peer,
            is_live: false,
        }
    }

    /// Takes routes of silent sessions for gone, for a peer that knows no last resort. Meant for before
    /// the first change is taken.
    #[must_use]
    pub fn without_silent(self) -> Self {
        let slot = self.slot;
        self.shared
            .change(|table| table.watchers[slot].is_told_silent = false);
        self
    }

    /// Waits for the next change. What is there already comes first, as starts.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> AnnouncedEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<AnnouncedEvent> {
        let (slot, peer, is_live) = (self.slot, &self.peer, &mut self.is_live);
        let next = self.shared.change(|table| {
            if let Some(event) = table.next_event(slot, peer) {
                return Ok(event);
            }
            if table.is_synced() && !*is_live {
                *is_live = true;
                return Ok(AnnouncedEvent::Live);
            }
            Err(table.watchers[slot].waiter.register(cx))
        });
        next.map_or_else(|_stale| Poll::Pending, Poll::Ready)
    }

    /// The next change that has happened already.
    pub fn try_next(&mut self) -> Option<AnnouncedEvent> {
        let (slot, peer) = (self.slot, &self.peer);
        self.shared.change(|table| table.next_event(slot, peer))
    }

    /// Notes that the last event of `path` was sent to the peer. That resolves
    /// [`Publication::told`](super::Publication::told).
    pub fn confirm(&self, path: &BroadcastPath) {
        let slot = self.slot;
        self.shared.change(|table| table.note_told(slot, path));
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let slot = self.slot;
        self.shared.change(|table| table.unwatch(slot));
    }
}
