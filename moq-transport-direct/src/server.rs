//! One UDP port for both bindings.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use moq_transport_common::quic::{Listening, ServerConfig};
use moq_transport_common::tls::{Fingerprint, Identity, Resolver};
use moq_transport_common::{Admission, Backlog, BindError, Live};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::drivers::{self, Drivers};
use crate::incoming::{self, IncomingConnection};
use crate::workers::Workers;

/// Listens for raw QUIC and WebTransport connections.
///
/// A clone is a further handle to the same server. When the last one is dropped, it stops
/// listening; connections that were accepted go on.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    drivers: Vec<Drivers>,
    addrs: Vec<SocketAddr>,
    missing: Vec<SocketAddr>,
    resolver: Arc<Resolver>,
    backlog: Backlog<IncomingConnection>,
    live: Arc<Live>,
    runtimes: Vec<Handle>,
    /// Shakes hands; stops when dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl Server {
    /// Starts to listen on all addresses of the configuration, with as many workers for each, 256 at
    /// most.
    ///
    /// Each worker has a thread, a runtime and a socket of its own on the one port. One worker is no
    /// thread but a task of the runtime that binds the server, and on other systems than Linux there
    /// is only one. Needs a tokio runtime. Sessions are cheapest on the runtime of their
    /// [`IncomingConnection::worker`].
    ///
    /// # Errors
    /// [`BindError`]; nothing is listened on then.
    pub fn bind(config: ServerConfig, workers: NonZeroUsize) -> Result<Self, BindError> {
        // Other systems give all packets of a port to one of its sockets.
        let most = if cfg!(target_os = "linux") {
            MAX_WORKERS
        } else {
            NonZeroUsize::MIN
        };
        let workers = workers.min(most);
        Self::start(Listening::open(&config, workers)?, workers)
    }

    pub(crate) fn start(listening: Listening, workers: NonZeroUsize) -> Result<Self, BindError> {
        let live = Arc::new(Live::default());
        let (admission, backlog) = Admission::new(listening.max_handshakes);
        let setup = drivers::Setup {
            server: Arc::new(listening.quic),
            admission,
            incoming: Arc::new(incoming::Setup {
                live: live.clone(),
                profile: listening.profile,
            }),
            limits: listening.limits,
        };
        let workers = Workers::start(workers).map_err(BindError::Thread)?;
        let mut tasks = JoinSet::new();
        let (mut drivers, mut addrs) = (Vec::new(), Vec::new());
        for (sockets, addr) in listening.sockets {
            let endpoint = listening.reset_keys.endpoint(addr);
            let started = Drivers::start(sockets, endpoint, &workers, &setup, &mut tasks);
            drivers.push(started.map_err(|source| BindError::Socket { addr, source })?);
            addrs.push(addr);
        }
        let runtimes = workers.iter().map(|worker| worker.runtime().clone());
        let inner = Inner {
            drivers,
            addrs,
            missing: listening.missing,
            resolver: listening.resolver,
            backlog,
            live,
            runtimes: runtimes.collect(),
            tasks: Mutex::new(tasks),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The addresses listened on, in the order of the configuration, with their real ports.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.inner.addrs
    }

    /// The addresses of the configuration that are not listened on, because this machine lacks
    /// their family.
    #[must_use]
    pub fn missing_addrs(&self) -> &[SocketAddr] {
        &self.inner.missing
    }

    /// The runtimes of the workers, one at least.
    #[must_use]
    pub fn runtimes(&self) -> &[Handle] {
        &self.inner.runtimes
    }

    /// Waits for the next connection whose handshake, and CONNECT request if there is one, are
    /// done. `None` once the server is closed.
    ///
    /// Cancel safe. Handshakes go on meanwhile, within [`ServerConfig::with_max_handshakes`].
    pub async fn accept(&self) -> Option<IncomingConnection> {
        self.inner.backlog.take().await
    }

    /// The fingerprints of the certificates that are served.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.inner.resolver.fingerprints()
    }

    /// Serves this identity instead of all others, to connections that begin from here on.
    pub fn set_certificate(&self, identity: Identity) {
        self.inner.resolver.set(vec![identity]);
    }

    /// Stops accepting, and closes all connections that were accepted, with a session close code.
    pub fn close(&self, code: u32, reason: &str) {
        self.inner
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
        self.inner.refuse_new();
        self.inner.live.close(code, reason);
        self.inner.backlog.close();
    }

    /// Waits until all connections are gone and their peers were told. Cancel safe.
    pub async fn wait_idle(&self) {
        for drivers in &self.inner.drivers {
            drivers.wait_idle().await;
        }
    }
}

impl Inner {
    fn refuse_new(&self) {
        self.drivers.iter().for_each(Drivers::close);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.refuse_new();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addrs", &self.inner.addrs)
            .finish_non_exhaustive()
    }
}

/// As many as a byte of a connection id can tell apart.
const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");
