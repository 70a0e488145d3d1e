//! What a track's readers want together.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::shared::TrackShared;
use super::subscription::{Start, Subscription};

/// The one subscription that would satisfy all readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The highest of the readers' priorities.
    pub priority: u8,
    /// The longest of the readers' ages.
    pub max_age: Duration,
    /// The earliest of the readers' starts.
    pub start: Start,
}

impl Demand {
    /// Combines what readers want; `None` without any.
    pub(super) fn of<'a>(subscriptions: impl Iterator<Item = &'a Subscription>) -> Option<Self> {
        subscriptions
            .map(|s| Self {
                priority: s.priority,
                max_age: s.max_age,
                start: s.start,
            })
            .reduce(|a, b| Self {
                priority: a.priority.max(b.priority),
                max_age: a.max_age.max(b.max_age),
                start: match (a.start, b.start) {
                    (Start::Floor(a), Start::Floor(b)) => Start::Floor(a.min(b)),
                    (Start::Floor(floor), Start::Newest) | (Start::Newest, Start::Floor(floor)) => {
                        Start::Floor(floor)
                    }
                    (Start::Newest, Start::Newest) => Start::Newest,
                },
            })
    }
}

/// Watches a track's demand.
#[derive(Debug)]
pub struct DemandWatch {
    track: Arc<TrackShared>,
    slot: usize,
}

impl DemandWatch {
    pub(super) fn new(track: Arc<TrackShared>) -> Self {
        let slot = track.lock().demand.insert(Default::default());
        Self { track, slot }
    }

    /// What is wanted now; `None` when nobody reads.
    #[must_use]
    pub fn current(&self) -> Option<Demand> {
        Demand::of(self.track.lock().subscriptions())
    }

    /// Waits until the demand satisfies `condition`, or the track has ended.
    ///
    /// Cancel safe.
    pub async fn wait_for(
        &mut self,
        mut condition: impl FnMut(Option<Demand>) -> bool,
    ) -> Option<Demand> {
        poll_fn(|cx| self.poll_wait_for(cx, &mut condition)).await
    }

    fn poll_wait_for(
        &self,
        cx: &Context<'_>,
        condition: &mut impl FnMut(Option<Demand>) -> bool,
    ) -> Poll<Option<Demand>> {
        let mut state = self.track.lock();
        let demand = Demand::of(state.subscriptions());
        if condition(demand) || state.end.is_some() {
            return Poll::Ready(demand);
        }
        state.demand[self.slot].register(cx);
        Poll::Pending
    }

    /// Waits until the track has ended.
    ///
    /// Cancel safe.
    pub async fn closed(&mut self) {
        self.wait_for(|_| false).await;
    }
}

impl Drop for DemandWatch {
    fn drop(&mut self) {
        self.track.lock().demand.try_remove(self.slot);
    }
}
