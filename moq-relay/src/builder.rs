//! What a relay is made with.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use axum::Router;
use moq_session::{Limits, Version};
use tokio::net::TcpListener;

use crate::admission::{Admission, Desk, Public, WebOrigin};
use crate::certificate::Certificate;
use crate::error::StartError;
use crate::http;
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
use crate::listener::Engine;
use crate::listener::Listener;
use crate::listening::{Served, serving};
use crate::relay::Relay;
use crate::state::RESET_KEY;

/// What a relay is made with. Methods may be called in any order.
pub struct Builder {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) listeners: Vec<Box<dyn Served>>,
    #[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
    pub(crate) engine: Engine,
    pub(crate) workers: NonZeroUsize,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) reset_key: Option<[u8; RESET_KEY]>,
    pub(crate) versions: Vec<Version>,
    pub(crate) limits: Limits,
    pub(crate) cache: Option<u64>,
    pub(crate) sessions_per_address: NonZeroUsize,
    pub(crate) admission: Option<Box<dyn Desk>>,
    pub(crate) web_origins: Vec<WebOrigin>,
    pub(crate) has_http: bool,
    pub(crate) http: Vec<TcpListener>,
    pub(crate) router: Option<Router>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            listeners: Vec::new(),
            #[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
            engine: Engine::default(),
            workers: NonZeroUsize::MIN,
            certificate: None,
            reset_key: None,
            versions: Version::OFFERED.to_vec(),
            limits: Limits::default(),
            cache: None,
            sessions_per_address: SESSIONS_PER_ADDRESS,
            admission: None,
            web_origins: Vec::new(),
            has_http: true,
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

    /// Answers no HTTP on the TCP ports of the addresses that the relay listens on by itself.
    #[must_use]
    pub fn without_http(mut self) -> Self {
        self.has_http = false;
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

#[cfg(not(any(feature = "quinn", all(unix, feature = "direct"))))]
impl Builder {
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "other features have it do something"
    )]
    fn bind(&mut self) -> Result<(), StartError> {
        Ok(())
    }
}

#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
impl Builder {
    /// Listens on this address, by QUIC and WebTransport on UDP and by HTTP on the same port of TCP; may
    /// be repeated. Port 0 is any that is free on both.
    #[must_use]
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen.push(addr);
        self
    }

    /// What is listened with.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// How many threads serve the peers, if the engine can have several; more than there are cores are of
    /// no use.
    #[must_use]
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// Signs stateless resets with this key, so that peers of the relay's former life learn at once that it
    /// is over.
    #[must_use]
    pub fn reset_key(mut self, key: [u8; RESET_KEY]) -> Self {
        self.reset_key = Some(key);
        self
    }

    /// Listens on UDP, and on the same ports of TCP.
    fn bind(&mut self) -> Result<(), StartError> {
        if self.listen.is_empty() {
            return Ok(());
        }
        let open = |addr: &&SocketAddr| !addr.ip().is_loopback();
        if let (None, Some(addr)) = (&self.admission, self.listen.iter().find(open)) {
            return Err(StartError::Unprotected(*addr));
        }
        let is_any = self.listen.iter().any(|addr| addr.port() == 0);
        let mut attempts = if is_any { PORT_ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            let server = self.bind_udp()?;
            match self.bind_tcp(server.addrs()) {
                Ok(listeners) => {
                    self.http.extend(listeners);
                    self.listeners.push(server);
                    return Ok(());
                }
                // A port that is free on UDP may be in use on TCP.
                Err(_) if attempts > 0 => server.close(0, ""),
                Err(error) => return Err(error),
            }
        }
    }

    fn bind_udp(&self) -> Result<Box<dyn Served>, StartError> {
        let certificate = self.certificate.as_ref();
        let identity = certificate.ok_or(StartError::NoCertificate)?.identity();
        let mut config = moq_transport_common::quic::ServerConfig::default()
            .with_identity(identity.clone())
            .with_protocols(Version::alpns(&self.versions));
        for addr in &self.listen {
            config = config.with_listen(*addr);
        }
        if let Some(key) = self.reset_key {
            config = config.with_reset_key(key);
        }
        self.engine.bind(config, self.workers)
    }

    fn bind_tcp(&self, addrs: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
        let addrs = addrs.iter().filter(|_| self.has_http);
        let listen = |addr: &SocketAddr| {
            http::listen(*addr).map_err(|source| StartError::Address {
                protocol: "TCP",
                addr: *addr,
                source,
            })
        };
        addrs.map(listen).collect()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("listen", &self.listen)
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

/// How often to look for a port that is free on both UDP and TCP.
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
const PORT_ATTEMPTS: usize = 16;

/// Sessions that one address may have at once unless the program says otherwise.
const SESSIONS_PER_ADDRESS: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");
