//! Publishing into an origin and finding in it.

use std::sync::{Arc, Mutex};

use super::announced::Announced;
use super::publication::Publication;
use super::route::{HopId, Peer, Route, SessionId, Source};
use super::table::{Entry, Notice, Table};
use crate::broadcast::BroadcastConsumer;
use crate::budget::Budget;
use crate::error::RouteError;
use crate::path::BroadcastPath;
use crate::state::lock;

/// What all handles to one origin share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) hop: HopId,
    budget: Budget,
    pub(super) table: Mutex<Table>,
}

/// Publishes broadcasts into an origin; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct OriginProducer {
    shared: Arc<Shared>,
}

impl OriginProducer {
    /// An origin with a random identity and a budget of 256 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with(HopId::random(), Budget::default())
    }

    /// An origin with this identity, whose remote tracks share this budget.
    #[must_use]
    pub fn with(hop: HopId, budget: Budget) -> Self {
        Self {
            shared: Arc::new(Shared {
                hop,
                budget,
                table: Mutex::default(),
            }),
        }
    }

    /// The identity that loop detection recognises.
    #[must_use]
    pub fn hop(&self) -> HopId {
        self.shared.hop
    }

    /// What remote tracks may hold together.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// A name for a session, unique within this origin.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        SessionId::new(lock(&self.shared.table).next_serial())
    }

    /// Tells watchers that announcements are still to come which existed before; they are complete
    /// once every guard is dropped.
    #[must_use = "dropping the guard says that everything was told"]
    pub fn sync(&self) -> SyncGuard {
        lock(&self.shared.table).begin_sync();
        SyncGuard {
            shared: self.shared.clone(),
        }
    }

    /// Announces a broadcast of this process until the publication is dropped.
    #[must_use = "dropping the publication retracts it"]
    pub fn publish(&self, path: &BroadcastPath, broadcast: BroadcastConsumer) -> Publication {
        self.announce(path, Route::local(), Source::Broadcast(broadcast), None)
    }

    /// Announces a route until the publication is dropped. `session` is where it was learned.
    #[must_use = "dropping the publication retracts it"]
    pub fn announce(
        &self,
        path: &BroadcastPath,
        route: Route,
        source: Source,
        session: Option<SessionId>,
    ) -> Publication {
        let mut table = lock(&self.shared.table);
        let id = table.next_serial();
        table.insert(
            path,
            Entry {
                id,
                revision: id,
                route,
                source,
                session,
                notice: Notice::default(),
            },
        );
        drop(table);
        Publication {
            shared: self.shared.clone(),
            path: path.clone(),
            id,
        }
    }

    /// Makes the routes that were learned from a session the last resort: any other one is better.
    pub fn drain(&self, session: SessionId) {
        lock(&self.shared.table).drain(session);
    }

    /// How many routes are known that were learned from a session.
    #[must_use]
    pub fn routes_of(&self, session: SessionId) -> usize {
        lock(&self.shared.table).count(session)
    }

    /// A handle for finding broadcasts.
    #[must_use]
    pub fn consume(&self) -> OriginConsumer {
        OriginConsumer {
            shared: self.shared.clone(),
        }
    }
}

/// The broadcast at `path` that a route at `prefix` leads to.
fn source(
    path: &BroadcastPath,
    prefix: &BroadcastPath,
    entry: &Entry,
) -> Result<BroadcastConsumer, RouteError> {
    match &entry.source {
        Source::Broadcast(broadcast) if prefix == path => Ok(broadcast.clone()),
        Source::Broadcast(_) => Err(RouteError::Unroutable),
        Source::Requests(source) => Ok(source.broadcast(path)),
    }
}

#[cfg(test)]
impl OriginProducer {
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.shared.table).is_empty()
    }

    /// How many changes are remembered.
    pub(super) fn changes(&self) -> usize {
        lock(&self.shared.table).log.len()
    }

    /// Which publication a peer is led to for a path, and the prefix that it is announced at.
    pub(super) fn resolve(
        &self,
        path: &BroadcastPath,
        peer: &Peer,
    ) -> Option<(BroadcastPath, u64)> {
        let table = lock(&self.shared.table);
        let (prefix, entry) = table.resolve(path, peer)?;
        Some((prefix, entry.id))
    }
}

impl Default for OriginProducer {
    fn default() -> Self {
        Self::new()
    }
}

/// Held by a source until it has told everything that existed when it began.
#[derive(Debug)]
pub struct SyncGuard {
    shared: Arc<Shared>,
}

impl Drop for SyncGuard {
    fn drop(&mut self) {
        lock(&self.shared.table).end_sync();
    }
}

/// Finds broadcasts of an origin; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct OriginConsumer {
    shared: Arc<Shared>,
}

impl OriginConsumer {
    /// The identity of the origin.
    #[must_use]
    pub fn hop(&self) -> HopId {
        self.shared.hop
    }

    /// The broadcast at `path`, by the best route of the longest announced prefix.
    ///
    /// # Errors
    /// [`RouteError::Unroutable`] if no route covers the path.
    pub fn broadcast(&self, path: &BroadcastPath) -> Result<BroadcastConsumer, RouteError> {
        let table = lock(&self.shared.table);
        let (prefix, entry) = table
            .resolve(path, &Peer::default())
            .ok_or(RouteError::Unroutable)?;
        source(path, &prefix, entry)
    }

    /// As [`Self::broadcast`] on behalf of `peer`: by routes that do not lead through it. Whoever
    /// published the broadcast sees that a peer asks for it.
    ///
    /// # Errors
    /// As [`Self::broadcast`].
    pub fn broadcast_for(
        &self,
        path: &BroadcastPath,
        peer: &Peer,
    ) -> Result<BroadcastConsumer, RouteError> {
        let mut table = lock(&self.shared.table);
        let (prefix, entry) = table.resolve(path, peer).ok_or(RouteError::Unroutable)?;
        let broadcast = source(path, &prefix, entry)?;
        if !entry.notice.is_requested {
            let id = entry.id;
            if let Some(notice) = table.notice(&prefix, |entry| entry.id == id) {
                notice.request();
            }
        }
        Ok(broadcast)
    }

    /// Follows what is announced at `prefix` and below it.
    #[must_use]
    pub fn announced(&self, prefix: &BroadcastPath) -> Announced {
        self.announced_for(prefix, Peer::default())
    }

    /// As [`Self::announced`], leaving out routes that lead through `peer`.
    #[must_use]
    pub fn announced_for(&self, prefix: &BroadcastPath, peer: Peer) -> Announced {
        Announced::new(self.shared.clone(), prefix.clone(), peer)
    }
}
