//! Tracks by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::budget::{Budget, Feeder};
use crate::clock;
use crate::error::{Abort, RouteError, WriteError};
use crate::request::Upstream;
use crate::state::lock;
use crate::track::{Track, TrackConsumer, TrackFeed, TrackProducer, TrackShared};

/// What all handles to one broadcast share.
#[derive(Debug)]
pub(crate) struct BroadcastShared {
    feeder: Feeder,
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
    pub(crate) fn on_demand(feeder: Feeder, upstream: Upstream) -> Arc<Self> {
        Arc::new(Self {
            feeder,
            upstream: Some(upstream),
            tracks: Mutex::default(),
        })
    }

    /// Takes out a track that is over.
    pub(crate) fn forget(&self, track: &Arc<TrackShared>) {
        let mut tracks = lock(&self.tracks);
        let held = tracks.by_name.get(&track.name);
        if held.is_some_and(|held| Arc::ptr_eq(held, track)) {
            tracks.by_name.remove(&track.name);
        }
    }

    /// The track `name` of a broadcast whose tracks are made on demand. If it is not there, the
    /// source is asked for it.
    pub(crate) fn request(self: &Arc<Self>, name: &str) -> Arc<TrackShared> {
        let mut tracks = lock(&self.tracks);
        let held = tracks.by_name.get(name);
        if let Some(track) = held.filter(|track| !track.is_ended()) {
            return track.clone();
        }
        let (feeder, upstream) = (self.feeder.clone(), self.upstream.clone());
        let home = Arc::downgrade(self);
        let track = TrackShared::pending(name.into(), feeder, home, upstream);
        let before = tracks.by_name.insert(track.name.clone(), track.clone());
        drop(tracks);
        drop(before);
        if let Some(upstream) = &self.upstream {
            upstream.request(TrackFeed::new(track.clone(), self.clone()));
        }
        track
    }

    /// Ends all tracks, and the groups that have begun.
    pub(crate) fn lose(&self, reason: Abort) {
        let tracks: Vec<_> = lock(&self.tracks).by_name.values().cloned().collect();
        for track in tracks.iter().filter(|track| !track.is_ended()) {
            track.lose(reason);
        }
    }

    /// Releases tracks that ended their max age ago and that nobody reads.
    fn release_due(&self) {
        self.feeder.budget().release_due(clock::now());
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

    /// A broadcast whose groups count against `budget`, as one feeder of it.
    #[must_use]
    pub fn with_budget(budget: Budget) -> Self {
        let shared = BroadcastShared {
            feeder: budget.feeder(),
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
        shared.release_due();
        let mut tracks = lock(&shared.tracks);
        if tracks
            .by_name
            .get(&track.name)
            .is_some_and(|held| !held.is_ended())
        {
            return Err(WriteError::Duplicate);
        }
        let track = TrackShared::new(track, shared.feeder.clone(), Arc::downgrade(shared));
        let before = tracks.by_name.insert(track.name.clone(), track.clone());
        drop(tracks);
        // Its groups run code of others when they are dropped.
        drop(before);
        Ok(TrackProducer::new(track))
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
        let shared = &self.shared;
        shared.release_due();
        if shared.upstream.is_some() {
            return Ok(self.demand(name));
        }
        let tracks = lock(&shared.tracks);
        let held = tracks.by_name.get(name).filter(|_| !tracks.is_closed);
        let track = held.cloned().ok_or(RouteError::NotFound)?;
        Ok(TrackConsumer::new(track, None))
    }

    /// The track `name` of a broadcast whose tracks are made on demand.
    pub(crate) fn demand(&self, name: &str) -> TrackConsumer {
        self.shared.release_due();
        let track = self.shared.request(name);
        TrackConsumer::new(track, Some(self.shared.clone()))
    }

    /// Who is charged for the broadcast.
    pub(crate) fn feeder(&self) -> &Feeder {
        &self.shared.feeder
    }

    /// Whether both are handles to one broadcast.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}
