//! What a track's readers want together.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::info::{Start, Subscription};
use super::shared::{State, TrackShared};

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

/// The track ended before its demand was as it was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the track has ended")]
pub struct TrackEnded;

impl DemandWatch {
    pub(super) fn new(track: Arc<TrackShared>) -> Self {
        let slot = track.change(|state, _| state.add_demand());
        Self { track, slot }
    }

    /// What is wanted now; `None` when nobody reads.
    #[must_use]
    pub fn current(&self) -> Option<Demand> {
        self.track.look(of)
    }

    /// Waits until the demand satisfies `condition`, which may look at the track itself.
    ///
    /// # Errors
    /// [`TrackEnded`] if the track has ended and its demand does not satisfy the condition.
    ///
    /// Cancel safe.
    pub async fn wait_for(
        &mut self,
        mut condition: impl FnMut(Option<Demand>) -> bool,
    ) -> Result<Option<Demand>, TrackEnded> {
        poll_fn(|cx| self.poll_wait_for(cx, &mut condition)).await
    }

    fn poll_wait_for(
        &self,
        cx: &Context<'_>,
        condition: &mut impl FnMut(Option<Demand>) -> bool,
    ) -> Poll<Result<Option<Demand>, TrackEnded>> {
        let (demand, has_ended) = self.track.read(|state, fx| {
            // First, so that a change while the condition is looked at wakes the task.
            state.watch_demand(self.slot, cx.waker(), fx);
            (of(state), state.end().is_some())
        });
        if condition(demand) {
            return Poll::Ready(Ok(demand));
        }
        if has_ended {
            return Poll::Ready(Err(TrackEnded));
        }
        Poll::Pending
    }

    /// Waits until somebody reads or waits for the properties, or the track has ended.
    pub(super) async fn wanted(&mut self) {
        let track = self.track.clone();
        let is_wanted = |demand: Option<_>| demand.is_some() || track.look(State::is_awaited);
        let _ = self.wait_for(is_wanted).await;
    }

    /// Waits until the track has ended.
    ///
    /// Cancel safe.
    pub async fn closed(&mut self) {
        let _ = self.wait_for(|_| false).await;
    }
}

fn of(state: &State) -> Option<Demand> {
    Demand::of(state.subscriptions())
}

impl Drop for DemandWatch {
    fn drop(&mut self) {
        let slot = self.slot;
        self.track.read(|state, fx| state.remove_demand(slot, fx));
    }
}
