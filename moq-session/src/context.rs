//! What all tasks of one session share.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::session::{SessionId, SplitHorizon};
use moq_model::{BroadcastPath, HopId, OriginProducer};
use moq_wire::Version;
use tokio::sync::watch;

use crate::driver::Spawner;
use crate::error::{SessionError, StreamError};
use crate::granted::Granted;
use crate::leaving::Leaving;
use crate::limiter::Limiter;
use crate::limits::Limit;
use crate::policy::Policy;
use crate::publisher::Served;
use crate::subscriber::{Probing, Subscribing};
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
    pub(crate) policy: Policy,
    pub(crate) publish: OriginProducer,
    pub(crate) subscribe: OriginProducer,
    pub(crate) answer_timeout: Duration,
    pub(crate) limiter: Limiter,
    /// The peer's SETUP; on drafts without one, an empty one from the start.
    pub(crate) peer: watch::Sender<Option<moq_wire::Setup>>,
    /// The peer has begun to send its SETUP.
    pub(crate) has_setup: AtomicBool,
    /// The application asked for a close: code and reason.
    pub(crate) close: watch::Sender<Option<(u32, String)>>,
    /// How the session ended.
    pub(crate) ended: watch::Sender<Option<SessionError>>,
    pub(crate) served: Served,
    pub(crate) subscribing: Subscribing,
    pub(crate) probing: Probing,
    pub(crate) leaving: Leaving,
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
        !self.subscribing.feeds().is_empty()
    }

    /// Whether the peer has announced anything of use that it has not retracted.
    pub(crate) fn is_told(&self) -> bool {
        self.subscribe.routes_of(self.id) > 0
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
