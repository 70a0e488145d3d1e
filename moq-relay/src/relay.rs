//! A relay that runs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moq_session::OriginProducer;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::admission::Desk;
use crate::builder::Builder;
use crate::http;
use crate::listening::Served;
use crate::places::Places;
use crate::sessions::{Hall, Live};
use crate::siblings::Siblings;
use crate::tls::{Fingerprint, Identity};

/// A relay that runs. Dropped, it stops at once; [`Self::drain`] and [`Self::close`] tell the peers.
pub struct Relay {
    /// Goes before the listeners, whose workers it joins.
    hall: Arc<Hall>,
    shared: Arc<Shared>,
    addrs: Vec<SocketAddr>,
    missing: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    /// Ends when a listener does.
    listeners: JoinSet<()>,
    /// HTTP and the certificate's renewal.
    _attendants: JoinSet<()>,
}

/// What HTTP and the renewal know of the relay.
pub(crate) struct Shared {
    listeners: Vec<Box<dyn Served>>,
    live: Live,
}

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        self.live.is_draining()
    }

    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        let fingerprints = self
            .listeners
            .iter()
            .map(|listener| listener.fingerprints());
        fingerprints.flatten().next()
    }

    fn show(&self, identity: &Identity) {
        for listener in &self.listeners {
            listener.show(identity.clone());
        }
    }
}

impl Relay {
    /// What a relay is made with, to be filled in.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn spawn(builder: Builder, desk: Box<dyn Desk>) -> Self {
        let (runtimes, firsts) = runtimes(&builder.listeners);
        let live = Live::default();
        let hall = Arc::new(Hall {
            desk,
            web_origins: builder.web_origins,
            places: Places::new(builder.sessions_per_address),
            siblings: Siblings::new(&runtimes, &builder.versions, &builder.limits, builder.cache),
            runtimes,
            live: live.clone(),
        });
        let listening = builder.listeners.iter();
        let addrs = listening.clone().flat_map(|listener| listener.addrs());
        let missing = listening.flat_map(|listener| listener.missing());
        let (addrs, missing) = (addrs.copied().collect(), missing.copied().collect());
        let shared = Arc::new(Shared {
            listeners: builder.listeners,
            live,
        });
        let mut listeners = JoinSet::new();
        for (listener, first) in shared.listeners.iter().zip(firsts) {
            listeners.spawn(listener.serve(first, hall.clone()));
        }
        let mut attendants = JoinSet::new();
        let router = http::router(&shared, builder.router);
        let connections = Arc::new(Semaphore::new(http::MAX_CONNECTIONS));
        let mut http = Vec::new();
        for listener in builder.http {
            http.extend(listener.local_addr());
            attendants.spawn(http::serve(listener, router.clone(), connections.clone()));
        }
        if let Some(certificate) = builder.certificate {
            let shared = shared.clone();
            attendants.spawn(certificate.renew(move |identity| shared.show(&identity)));
        }
        Self {
            hall,
            shared,
            addrs,
            missing,
            http,
            listeners,
            _attendants: attendants,
        }
    }

    /// What the relay's peers publish, and where they find what the program itself publishes.
    ///
    /// Of a relay with several workers it is the first one's, which the others are joined to.
    #[must_use]
    pub fn origin(&self) -> &OriginProducer {
        self.hall.siblings.origin()
    }

    /// The addresses listened on, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// The addresses that are not listened on, because this machine lacks their family.
    #[must_use]
    pub fn missing_addrs(&self) -> &[SocketAddr] {
        &self.missing
    }

    /// Where HTTP is answered.
    #[must_use]
    pub fn http_addrs(&self) -> &[SocketAddr] {
        &self.http
    }

    /// The fingerprint of the certificate that is shown.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.shared.fingerprint()
    }

    /// Waits until a listener takes in no connection any more, which none does by itself. Cancel safe.
    pub async fn stopped(&mut self) {
        let ended = self.listeners.join_next().await;
        if let Some(Err(error)) = ended {
            tracing::error!(%error, "a bug on this side ended a listener");
        }
    }

    /// Asks all sessions to leave, spread over half of `within`, and closes when they have or the time is
    /// over. Nobody is taken in meanwhile, and `/health` says so. Where a draft cannot ask, the session is served
    /// until its peer leaves or the time is over.
    ///
    /// Not cancel safe: the relay is dropped.
    pub async fn drain(self, within: Duration) {
        let end = Instant::now() + within;
        let live = &self.shared.live;
        live.begin_drain();
        let sessions = live.sessions();
        let pause = within / 2 / u32::try_from(sessions.len().max(1)).unwrap_or(u32::MAX);
        let ask = async {
            for session in sessions {
                // Older drafts have no word for it.
                let _ = session.goaway("", end.saturating_duration_since(Instant::now()));
                drop(session);
                sleep(pause).await;
            }
            live.none().await;
        };
        tokio::select! {
            _ = timeout_at(end, ask) => {}
            () = live.none() => {}
        }
        self.close().await;
    }

    /// Closes all sessions, and waits a moment for their peers to learn of it.
    ///
    /// Not cancel safe: the relay is dropped.
    pub async fn close(mut self) {
        for listener in &self.shared.listeners {
            listener.close(0, "the relay is going down");
        }
        self.listeners.abort_all();
        // Peers that are gone already would make this wait for long.
        let idle = async {
            for listener in &self.shared.listeners {
                listener.idle().await;
            }
        };
        let _ = timeout(FAREWELL, idle).await;
    }
}

/// Where sessions run, and which of these runtimes is the first one of each listener.
fn runtimes(listeners: &[Box<dyn Served>]) -> (Vec<Handle>, Vec<usize>) {
    let (mut runtimes, mut firsts) = (Vec::new(), Vec::new());
    let mut here = None;
    for listener in listeners {
        let own = listener.runtimes();
        if own.is_empty() {
            firsts.push(*here.get_or_insert(runtimes.len()));
            if here == Some(runtimes.len()) {
                runtimes.push(Handle::current());
            }
        } else {
            firsts.push(runtimes.len());
            runtimes.extend(own);
        }
    }
    (runtimes, firsts)
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("addrs", &self.addrs)
            .finish_non_exhaustive()
    }
}

/// How long peers have to learn that the relay goes down.
const FAREWELL: Duration = Duration::from_secs(1);
