//! Tracks by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::budget::Budget;
use crate::error::{RouteError, WriteError};
use crate::request::Upstream;
use crate::state::lock;
use crate::track::{Track, TrackConsumer, TrackProducer, TrackShared};

/// What all handles to one broadcast share.
#[derive(Debug)]
pub(crate) struct BroadcastShared {
    budget: Budget,
    /// Where to ask for tracks that do not exist yet.
    upstream: Option<Upstream>,
    tracks: Mutex<Tracks>,
}

#[derive(Debug, Default)]
struct Tracks {
    by_name: BTreeMap<Arc<str>, Arc<TrackShared>>,
    is_closed: bool,
}

impl BroadcastShared {
    /// A broadcast whose tracks are made on demand.
    pub(crate) fn on_demand(budget: Budget, upstream: Upstream) -> Arc<Self> {
        Arc::new(Self {
            budget,
            upstream: Some(upstream),
            tracks: Mutex::default(),
        })
    }

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
            upstream: None,
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
    pub(crate) fn new(shared: Arc<BroadcastShared>) -> Self {
        Self { shared }
    }

    /// The track `name`, asked for at the broadcast's source if it is not here yet.
    ///
    /// # Errors
    /// [`RouteError::NotFound`] when nobody can provide the track; a source that is asked refuses
    /// later, through the track.
    pub fn track(&self, name: &str) -> Result<TrackConsumer, RouteError> {
        let mut tracks = lock(&self.shared.tracks);
        let held = tracks.by_name.get(name);
        let Some(upstream) = &self.shared.upstream else {
            let held = held.filter(|_| !tracks.is_closed).cloned();
            return held.map(TrackConsumer::new).ok_or(RouteError::NotFound);
        };
        if let Some(track) = held.filter(|track| !track.is_ended()) {
            return Ok(TrackConsumer::new(track.clone()));
        }
        let budget = self.shared.budget.clone();
        let track = TrackShared::pending(name.into(), budget, Some(upstream.clone()));
        let producer = TrackProducer::new(track.clone(), Some(self.shared.clone()));
        tracks.by_name.insert(track.name.clone(), track.clone());
        drop(tracks);
        upstream.request(producer);
        Ok(TrackConsumer::new(track))
    }

    /// Whether both are handles to one broadcast.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}
