//! Following announcements.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::handle::Shared;
use super::route::{Route, SplitHorizon};
use super::watcher::Step;
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
        let slot = shared.change(|table| table.watch(&prefix));
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

    /// Poll form of [`Self::next`]. Looks at a bounded number of paths; where there are more, the task is
    /// woken at once.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<AnnouncedEvent> {
        let (slot, peer, is_live) = (self.slot, &self.peer, &mut self.is_live);
        let (step, _stale) = self.shared.change(|table| {
            let step = table.next_event(slot, peer);
            if !matches!(step, Step::Idle) {
                return (step, None);
            }
            if table.is_synced() && !*is_live {
                *is_live = true;
                return (Step::Event(AnnouncedEvent::Live), None);
            }
            (step, table.watchers[slot].waiter.register(cx))
        });
        match step {
            Step::Event(event) => Poll::Ready(event),
            Step::More => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Idle => Poll::Pending,
        }
    }

    /// The next change that has happened already.
    pub fn try_next(&mut self) -> Option<AnnouncedEvent> {
        let (slot, peer) = (self.slot, &self.peer);
        loop {
            match self.shared.change(|table| table.next_event(slot, peer)) {
                Step::Event(event) => return Some(event),
                Step::More => {}
                Step::Idle => return None,
            }
        }
    }

    /// The next route that covers the whole prefix from the beginning, as a start: one at the prefix, or
    /// above it.
    pub fn next_covering(&mut self) -> Option<AnnouncedEvent> {
        let (slot, peer) = (self.slot, &self.peer);
        self.shared.change(|table| table.next_covering(slot, peer))
    }

    /// A page of the paths that were there in the beginning, with their routes; `None` after the last
    /// page. For who has to know how many there are before it tells the first one.
    ///
    /// [`Self::promise`] has to follow before anything else is asked for. The routes that
    /// [`Self::next_covering`] has not told are among the first page.
    pub fn survey(&mut self) -> Option<Vec<(BroadcastPath, Route)>> {
        let (slot, peer) = (self.slot, &self.peer);
        self.shared.change(|table| table.survey(slot, peer))
    }

    /// Decides which paths of the last page are the next events, each as a start. A path that is retracted
    /// meanwhile comes with a route of the highest cost, and its end comes later. Paths that are not
    /// listed are told when they change.
    pub fn promise(&mut self, listed: &[bool]) {
        let slot = self.slot;
        self.shared.change(|table| table.promise(slot, listed));
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
