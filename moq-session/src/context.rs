//! What all tasks of one session share.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use moq_model::session::{RequestSource, SessionId, SplitHorizon};
use moq_model::{BroadcastPath, HopId, OriginProducer};
use moq_wire::{SubscribeId, Version};
use tokio::sync::{Notify, watch};

use crate::driver::Spawner;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::granted::Granted;
use crate::limiter::Limiter;
use crate::limits::Limit;
use crate::subscriber::{Feed, Probing};
use crate::transport::TransportInfo;

/// A handle to the session for one of its tasks.
#[derive(Debug, Clone)]
pub(crate) struct Context<T> {
    pub(crate) transport: T,
    pub(crate) spawner: Spawner,
    pub(crate) shared: Arc<Shared>,
}

impl<T> std::ops::Deref for Context<T> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// What does not depend on the transport.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) version: Version,
    pub(crate) info: TransportInfo,
    pub(crate) is_server: bool,
    pub(crate) grant: Granted,
    pub(crate) hop: HopId,
    /// This session, for the origins.
    pub(crate) id: SessionId,
    /// The peer speaks for many: this end has dialled it, or granted it that.
    pub(crate) is_relay: bool,
    /// The peer is a part of the same relay.
    pub(crate) is_sibling: bool,
    pub(crate) publish: OriginProducer,
    pub(crate) subscribe: OriginProducer,
    /// Asks the peer for tracks.
    pub(crate) source: RequestSource,
    pub(crate) answer_timeout: Duration,
    pub(crate) limiter: Limiter,
    /// The peer's SETUP; on drafts without one, an empty one from the start.
    pub(crate) peer: watch::Sender<Option<moq_wire::Setup>>,
    /// The peer has begun to send its SETUP.
    pub(crate) has_setup: AtomicBool,
    /// Stands for a publisher without an id, for the life of the session.
    pub(crate) stamp: HopId,
    /// Somebody wants to know what the peer announces.
    pub(crate) wants_announcements: Notify,
    /// The application asked for a close: code and reason.
    pub(crate) close: watch::Sender<Option<(u32, String)>>,
    /// How the session ended.
    pub(crate) ended: watch::Sender<Option<SessionError>>,
    /// Subscriptions of this end, by id.
    pub(crate) feeds: Mutex<BTreeMap<SubscribeId, Arc<Feed>>>,
    pub(crate) next_subscribe_id: AtomicU64,
    pub(crate) served: Served,
    pub(crate) paused_streams: AtomicUsize,
    pub(crate) probing: Probing,
    pub(crate) leaving: Leaving,
}

/// Who is going to leave.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// Where the peer wants this end to go, once it has sent GOAWAY.
    pub(crate) asked: watch::Sender<Option<String>>,
    /// What this end wants of the peer.
    pub(crate) drain: watch::Sender<Option<Drain>>,
    /// Requests of the peer that are not answered to their end.
    pub(crate) awaited: AtomicUsize,
}

/// How this end wants the peer to leave.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    pub(crate) uri: String,
    pub(crate) until: Instant,
}

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

impl Shared {
    /// Where `path` of the wire lies in the origins, if that is a path at all.
    pub(crate) fn absolute(&self, path: &moq_wire::Path) -> Option<BroadcastPath> {
        self.grant
            .root
            .join(&crate::convert::path(path.clone()).ok()?)
            .ok()
    }

    /// The peer as the origins know it.
    pub(crate) fn peer(&self, declared: moq_wire::HopId) -> SplitHorizon {
        SplitHorizon {
            session: Some(self.id),
            hop: crate::convert::hop(declared),
        }
    }

    /// The id that the peer gave in its SETUP; anonymous without one.
    pub(crate) fn peer_hop(&self) -> moq_wire::HopId {
        self.peer
            .borrow()
            .as_ref()
            .and_then(|setup| setup.hop)
            .unwrap_or_default()
    }

    /// The peer's SETUP, or an empty one if it does not come in time.
    pub(crate) async fn peer_setup(&self) -> moq_wire::Setup {
        let mut peer = self.peer.subscribe();
        let setup = self.in_time(peer.wait_for(Option::is_some)).await;
        let setup = setup.ok().and_then(Result::ok);
        setup.and_then(|setup| setup.clone()).unwrap_or_default()
    }

    /// Waits for an answer of the peer, as long as one may take.
    ///
    /// # Errors
    /// [`StreamError::Timeout`] when it does not come in time.
    pub(crate) async fn in_time<F: Future>(&self, answer: F) -> Result<F::Output, StreamError> {
        let answer = clock::timeout(self.answer_timeout, pin!(answer)).await;
        answer.map_err(|_| {
            self.limiter.reach(Limit::AnswerTime);
            StreamError::Timeout
        })
    }

    /// Whether the peer has asked this end to leave.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.asked.borrow().is_some()
    }

    /// Whether the peer serves a subscription of this end.
    pub(crate) fn is_fed(&self) -> bool {
        !self.feeds().is_empty()
    }

    /// Whether the peer has announced anything that it has not retracted.
    pub(crate) fn is_told(&self) -> bool {
        self.limiter.announced.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn feeds(&self) -> MutexGuard<'_, BTreeMap<SubscribeId, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_subscribe_id(&self) -> SubscribeId {
        SubscribeId(self.next_subscribe_id.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn request_close(&self, code: u32, reason: &str) {
        self.close.send_if_modified(|close| {
            let is_first = close.is_none();
            if is_first {
                *close = Some((code, reason.to_owned()));
            }
            is_first
        });
    }
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

/// A request of the peer that is not answered to its end.
#[derive(Debug)]
pub(crate) struct AwaitedGuard(Arc<Shared>);

impl AwaitedGuard {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.leaving.awaited.fetch_add(1, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for AwaitedGuard {
    fn drop(&mut self) {
        self.0.leaving.awaited.fetch_sub(1, Ordering::Relaxed);
    }
}
