//! Publishing into an origin and finding in it.

use std::sync::{Arc, Mutex};
use std::task::Waker;

use super::announced::Announced;
use super::publication::Publication;
use super::route::{HopId, Route, SessionId, Source, SplitHorizon};
use super::session_routes::SessionRoutes;
use super::table::{Entry, Notice, Table};
use crate::broadcast::BroadcastConsumer;
use crate::budget::{Budget, Feeder};
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

impl Shared {
    /// Uses the table. Tasks are woken, and what it returns is dropped, once the lock is released.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Table) -> R) -> R {
        let mut table = lock(&self.table);
        let result = change(&mut table);
        let woken = table.take_woken();
        drop(table);
        woken.into_iter().for_each(Waker::wake);
        result
    }
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

    /// Tells watchers that announcements are still to come which existed before; they are complete
    /// once every guard is dropped.
    #[must_use = "dropping the guard says that everything was told"]
    pub fn sync(&self) -> SyncGuard {
        self.shared.change(Table::begin_sync);
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
        let id = self.shared.change(|table| {
            let id = table.next_serial();
            table.insert(
                path,
                Entry {
                    id,
                    revision: id,
                    route,
                    source,
                    session,
                    is_silent: false,
                    is_contested: false,
                    notice: Notice::default(),
                },
            );
            id
        });
        Publication {
            shared: self.shared.clone(),
            path: path.clone(),
            id,
        }
    }

    /// Makes the routes that were learned from a session the last resort: any other one is better.
    /// Routes that are learned from it later are not concerned.
    pub fn drain(&self, session: SessionId) {
        self.shared.change(|table| table.drain(session));
    }

    /// What was learned from a session, as one; for the session itself.
    #[must_use]
    pub fn routes(&self, session: SessionId) -> SessionRoutes {
        SessionRoutes::new(self.shared.clone(), session)
    }

    /// How many routes are known that were learned from a session.
    #[must_use]
    pub fn routes_of(&self, session: SessionId) -> usize {
        self.shared.change(|table| table.count(session))
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
    source: Source,
) -> Result<BroadcastConsumer, RouteError> {
    match source {
        Source::Broadcast(broadcast) if prefix == path => Ok(broadcast),
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
        peer: &SplitHorizon,
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
        self.shared.change(Table::end_sync);
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
        let resolved = self.shared.change(|table| {
            let (prefix, entry) = table.resolve(path, &SplitHorizon::default())?;
            Some((prefix, entry.source.clone()))
        });
        // A source looks into other origins, so that no lock may be held.
        let (prefix, leads_to) = resolved.ok_or(RouteError::Unroutable)?;
        source(path, &prefix, leads_to)
    }

    /// Who is charged for the broadcast at `path`, by the route that leads to it.
    pub(crate) fn feeder(&self, path: &BroadcastPath) -> Option<Feeder> {
        let feeder = |source: &Source| match source {
            Source::Broadcast(broadcast) => broadcast.feeder().clone(),
            Source::Requests(source) => source.feeder().clone(),
        };
        self.shared.change(|table| {
            let (_, entry) = table.resolve(path, &SplitHorizon::default())?;
            Some(feeder(&entry.source))
        })
    }

    /// As [`Self::broadcast`] on behalf of a peer, by routes that do not lead through it. Whoever
    /// published the broadcast sees that a peer asks for it, by [`Publication::requested`].
    ///
    /// # Errors
    /// As [`Self::broadcast`].
    pub fn broadcast_for(
        &self,
        path: &BroadcastPath,
        peer: &SplitHorizon,
    ) -> Result<BroadcastConsumer, RouteError> {
        let resolved = self.shared.change(|table| {
            let (prefix, entry) = table.resolve(path, peer)?;
            let (id, leads_to) = (entry.id, entry.source.clone());
            let is_exact = prefix == *path || matches!(leads_to, Source::Requests(_));
            if is_exact && !entry.notice.is_requested {
                table.note_requested(&prefix, id);
            }
            Some((prefix, leads_to))
        });
        let (prefix, leads_to) = resolved.ok_or(RouteError::Unroutable)?;
        source(path, &prefix, leads_to)
    }

    /// Follows what is announced at `prefix` and below it.
    #[must_use]
    pub fn announced(&self, prefix: &BroadcastPath) -> Announced {
        self.announced_for(prefix, SplitHorizon::default())
    }

    /// As [`Self::announced`] on behalf of a peer, without the routes that lead through it.
    #[must_use]
    pub fn announced_for(&self, prefix: &BroadcastPath, peer: SplitHorizon) -> Announced {
        Announced::new(self.shared.clone(), prefix.clone(), peer)
    }
}
