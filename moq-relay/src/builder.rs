//! What a relay is made with.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use axum::Router;
use moq_session::{Limits, Version};
use tokio::net::TcpListener;

use crate::admission::{Admission, Desk, Public, WebOrigin};
use crate::certificate::Certificate;
use crate::error::StartError;
use crate::listener::Listener;
use crate::listening::{Served, serving};
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
use crate::own::Own;
use crate::relay::Relay;

/// What a relay is made with. Methods may be called in any order.
pub struct Builder {
    pub(crate) listeners: Vec<Box<dyn Served>>,
    #[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
    pub(crate) own: Own,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) versions: Vec<Version>,
    pub(crate) limits: Limits,
    pub(crate) cache: Option<u64>,
    pub(crate) sessions_per_address: NonZeroUsize,
    pub(crate) admission: Option<Box<dyn Desk>>,
    pub(crate) web_origins: Vec<WebOrigin>,
    pub(crate) http: Vec<TcpListener>,
    pub(crate) router: Option<Router>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            #[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
            own: Own::default(),
            certificate: None,
            versions: Version::OFFERED.to_vec(),
            limits: Limits::default(),
            cache: None,
            sessions_per_address: SESSIONS_PER_ADDRESS,
            admission: None,
            web_origins: Vec::new(),
            http: Vec::new(),
            router: None,
        }
    }
}

impl Builder {
    /// Serves the peers of a server that listens already; may be repeated.
    #[must_use]
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(serving(listener));
        self
    }

    /// Shows this certificate, and renews it if it was generated.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Accepts these versions instead of all that are offered by default.
    #[must_use]
    pub fn versions(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// What each session may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many bytes are cached for all sessions. By default a quarter of the machine's memory, and
    /// no more than [`moq_session::Budget::DEFAULT_BYTES`] for each worker.
    #[must_use]
    pub fn cache(mut self, bytes: u64) -> Self {
        self.cache = Some(bytes);
        self
    }

    /// How many sessions one IPv4 address or IPv6 network of 64 bits may have; 256 by default. This
    /// machine may have any number.
    #[must_use]
    pub fn sessions_per_address(mut self, most: NonZeroUsize) -> Self {
        self.sessions_per_address = most;
        self
    }

    /// Asks this admission what each peer may do. Without one, peers may do everything, and the relay
    /// starts only if no other machine can connect.
    #[must_use]
    pub fn admission(mut self, admission: impl Admission) -> Self {
        self.admission = Some(Box::new(admission));
        self
    }

    /// Lets only pages of these origins connect. What has no origin, as programs have none, is not concerned.
    #[must_use]
    pub fn web_origins(mut self, origins: impl IntoIterator<Item = WebOrigin>) -> Self {
        self.web_origins.extend(origins);
        self
    }

    /// Answers HTTP on this listener, too; may be repeated.
    #[must_use]
    pub fn http(mut self, listener: TcpListener) -> Self {
        self.http.push(listener);
        self
    }

    /// Serves these pages beside those of the relay, which go first.
    #[must_use]
    pub fn router(mut self, router: Router) -> Self {
        self.router = Some(router);
        self
    }

    /// Starts the relay. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]; nothing is listened on then.
    pub fn start(mut self) -> Result<Relay, StartError> {
        #[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
        self.bind()?;
        let mut addrs = self.listeners.iter().flat_map(|listener| listener.addrs());
        let is_open = |addr: &&SocketAddr| !addr.ip().is_loopback();
        let admission = match (self.admission.take(), addrs.find(is_open)) {
            (Some(admission), _) => admission,
            (None, None) => Box::new(Public::everything()),
            (None, Some(open)) => return Err(StartError::Unprotected(*open)),
        };
        if self.listeners.is_empty() {
            return Err(StartError::NoListener);
        }
        Ok(Relay::spawn(self, admission))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

/// Sessions that one address may have at once unless the program says otherwise.
const SESSIONS_PER_ADDRESS: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");
