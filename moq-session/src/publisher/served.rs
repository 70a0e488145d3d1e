//! What is in service of what the peer has asked for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moq_wire::SubscribeId;
use tokio::sync::Notify;

use crate::context::Shared;
use crate::error::PeerFault;
use crate::limits::Limit;

/// What this end serves to the peer.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// Subscriptions in service by id, and whether all of it is delivered.
    subscriptions: Mutex<BTreeMap<SubscribeId, bool>>,
    fetches: AtomicUsize,
    /// Bytes of groups written so far.
    pub(crate) bytes: AtomicU64,
    /// Told whenever something is owed no longer.
    pub(crate) relieved: Notify,
}

impl Served {
    /// Takes a subscription into service until the guard is dropped.
    pub(crate) fn begin(
        &self,
        shared: &Arc<Shared>,
        id: SubscribeId,
    ) -> Result<ServedGuard, PeerFault> {
        let mut subscriptions = self.lock();
        if subscriptions.contains_key(&id) {
            return Err(PeerFault::DuplicateSubscribe(id.0));
        }
        let allowed = shared.limiter.limits.subscriptions;
        if subscriptions.len() >= allowed {
            return Err(shared.limiter.exceed(Limit::Subscriptions, allowed));
        }
        subscriptions.insert(id, false);
        Ok(ServedGuard {
            shared: shared.clone(),
            id,
        })
    }

    /// Takes a fetch into service until the guard is dropped.
    pub(crate) fn begin_fetch(&self, shared: &Arc<Shared>) -> Result<FetchGuard, PeerFault> {
        let allowed = shared.limiter.limits.fetches;
        let counted = self
            .fetches
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < allowed).then_some(count + 1)
            });
        match counted {
            Ok(_) => Ok(FetchGuard(shared.clone())),
            Err(_) => Err(shared.limiter.exceed(Limit::Fetches, allowed)),
        }
    }

    /// How many fetches are in service.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    /// How many subscriptions are owed something, and how many wait for the peer to let go.
    pub(crate) fn count(&self) -> (usize, usize) {
        let subscriptions = self.lock();
        let delivered = subscriptions.values().filter(|delivered| **delivered);
        let delivered = delivered.count();
        (subscriptions.len() - delivered, delivered)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SubscribeId, bool>> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscription in service.
#[derive(Debug)]
pub(crate) struct ServedGuard {
    shared: Arc<Shared>,
    id: SubscribeId,
}

impl ServedGuard {
    /// The peer's transport has acknowledged everything.
    pub(crate) fn delivered(&self) {
        self.shared.served.lock().insert(self.id, true);
        self.shared.served.relieved.notify_waiters();
    }
}

impl Drop for ServedGuard {
    fn drop(&mut self) {
        self.shared.served.lock().remove(&self.id);
        self.shared.served.relieved.notify_waiters();
    }
}

/// A fetch in service.
#[derive(Debug)]
pub(crate) struct FetchGuard(Arc<Shared>);

impl Drop for FetchGuard {
    fn drop(&mut self) {
        self.0.served.fetches.fetch_sub(1, Ordering::Relaxed);
        self.0.served.relieved.notify_waiters();
    }
}
