//! Tracks by name.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crate::budget::Budget;
use crate::error::{Abort, RouteError, WriteError};
use crate::path::BroadcastPath;
use crate::state::{Waiter, lock};
use crate::track::{Track, TrackConsumer, TrackProducer, TrackShared};

/// What all handles to one broadcast share.
#[derive(Debug)]
pub(crate) struct BroadcastShared {
    budget: Budget,
    /// Where to ask for tracks that do not exist yet.
    requests: Option<(BroadcastPath, Arc<Requests>)>,
    tracks: Mutex<Tracks>,
}

#[derive(Debug, Default)]
struct Tracks {
    by_name: BTreeMap<Arc<str>, Arc<TrackShared>>,
    is_closed: bool,
}

impl BroadcastShared {
    /// Takes out a track that was made on demand.
    pub(crate) fn forget(&self, track: &Arc<TrackShared>) {
        let mut tracks = lock(&self.tracks);
        if tracks
            .by_name
            .get(&track.name)
            .is_some_and(|held| Arc::ptr_eq(held, track))
        {
            tracks.by_name.remove(&track.name);
        }
    }
}

/// Writes a broadcast: creates its tracks. When the last clone is dropped, no further track can be
/// found in it; tracks that are read already go on.
#[derive(Debug, Clone)]
pub struct BroadcastProducer {
    guard: Arc<Guard>,
}

#[derive(Debug)]
struct Guard(Arc<BroadcastShared>);

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.0.tracks).is_closed = true;
    }
}

impl BroadcastProducer {
    /// A broadcast with a budget of its own, 256 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_budget(Budget::default())
    }

    /// A broadcast whose groups count against `budget`.
    #[must_use]
    pub fn with_budget(budget: Budget) -> Self {
        let shared = BroadcastShared {
            budget,
            requests: None,
            tracks: Mutex::default(),
        };
        Self {
            guard: Arc::new(Guard(Arc::new(shared))),
        }
    }

    /// Creates a track.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] while a track of this name lives.
    pub fn create(&self, track: Track) -> Result<TrackProducer, WriteError> {
        let shared = &self.guard.0;
        let mut tracks = lock(&shared.tracks);
        if tracks
            .by_name
            .get(&track.name)
            .is_some_and(|held| !held.is_ended())
        {
            return Err(WriteError::Duplicate);
        }
        let track = TrackShared::new(track, shared.budget.clone());
        tracks.by_name.insert(track.name.clone(), track.clone());
        Ok(TrackProducer::new(track, None))
    }

    /// A handle for readers.
    #[must_use]
    pub fn consume(&self) -> BroadcastConsumer {
        BroadcastConsumer {
            shared: self.guard.0.clone(),
        }
    }
}

impl Default for BroadcastProducer {
    fn default() -> Self {
        Self::new()
    }
}

/// Finds tracks of a broadcast; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct BroadcastConsumer {
    shared: Arc<BroadcastShared>,
}

impl BroadcastConsumer {
    /// The track `name`, asked for at the broadcast's source if it is not here yet.
    ///
    /// # Errors
    /// [`RouteError::NotFound`] when nobody can provide the track; a source that is asked refuses
    /// later, through the track.
    pub fn track(&self, name: &str) -> Result<TrackConsumer, RouteError> {
        let mut tracks = lock(&self.shared.tracks);
        let held = tracks.by_name.get(name);
        let Some((path, requests)) = &self.shared.requests else {
            let held = held.filter(|_| !tracks.is_closed).cloned();
            return held.map(TrackConsumer::new).ok_or(RouteError::NotFound);
        };
        if let Some(track) = held.filter(|track| !track.is_ended()) {
            return Ok(TrackConsumer::new(track.clone()));
        }
        let track = TrackShared::pending(name.into(), self.shared.budget.clone());
        let producer = TrackProducer::new(track.clone(), Some(self.shared.clone()));
        tracks.by_name.insert(track.name.clone(), track.clone());
        drop(tracks);
        requests.push(TrackRequest {
            broadcast: path.clone(),
            track: producer,
        });
        Ok(TrackConsumer::new(track))
    }

    /// Whether both are handles to one broadcast.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

/// Somebody asks for a track. Dropping it refuses.
#[derive(Debug)]
pub struct TrackRequest {
    /// The broadcast.
    pub broadcast: BroadcastPath,
    /// Where its groups go, once [`TrackProducer::accept`] has settled the properties.
    pub track: TrackProducer,
}

#[derive(Debug)]
struct Requests {
    budget: Budget,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<TrackRequest>,
    broadcasts: BTreeMap<BroadcastPath, std::sync::Weak<BroadcastShared>>,
    waiter: Waiter,
    is_closed: bool,
}

impl Requests {
    fn push(&self, request: TrackRequest) {
        let mut queue = lock(&self.queue);
        if queue.is_closed {
            drop(queue);
            return request.track.abort(Abort::Unroutable);
        }
        queue.requests.push_back(request);
        queue.waiter.wake();
    }
}

/// Broadcasts whose tracks are made on demand; clones are handles to the same source.
#[derive(Debug, Clone)]
pub struct RequestSource {
    shared: Arc<Requests>,
}

impl RequestSource {
    /// A source, and the queue in which its requests arrive.
    #[must_use]
    pub fn new(budget: Budget) -> (Self, RequestQueue) {
        let shared = Arc::new(Requests {
            budget,
            queue: Mutex::default(),
        });
        (
            Self {
                shared: shared.clone(),
            },
            RequestQueue { shared },
        )
    }

    /// The broadcast at `path`, which exists as far as this source can tell.
    #[must_use]
    pub fn broadcast(&self, path: &BroadcastPath) -> BroadcastConsumer {
        let mut queue = lock(&self.shared.queue);
        if let Some(shared) = queue
            .broadcasts
            .get(path)
            .and_then(std::sync::Weak::upgrade)
        {
            return BroadcastConsumer { shared };
        }
        queue.broadcasts.retain(|_, held| held.strong_count() > 0);
        let shared = Arc::new(BroadcastShared {
            budget: self.shared.budget.clone(),
            requests: Some((path.clone(), self.shared.clone())),
            tracks: Mutex::default(),
        });
        queue
            .broadcasts
            .insert(path.clone(), Arc::downgrade(&shared));
        BroadcastConsumer { shared }
    }
}

/// Receives the requests of a [`RequestSource`]. Dropping it refuses those that come later.
#[derive(Debug)]
pub struct RequestQueue {
    shared: Arc<Requests>,
}

impl RequestQueue {
    /// Waits for the next request.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> TrackRequest {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<TrackRequest> {
        let mut queue = lock(&self.shared.queue);
        match queue.requests.pop_front() {
            Some(request) => Poll::Ready(request),
            None => {
                queue.waiter.register(cx);
                Poll::Pending
            }
        }
    }
}

impl Drop for RequestQueue {
    fn drop(&mut self) {
        let requests = {
            let mut queue = lock(&self.shared.queue);
            queue.is_closed = true;
            std::mem::take(&mut queue.requests)
        };
        for request in requests {
            request.track.abort(Abort::SessionClosed);
        }
    }
}
