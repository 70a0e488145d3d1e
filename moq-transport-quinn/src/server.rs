//! One UDP port for both bindings.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moq_transport_common::quic::{Listening, ServerConfig};
use moq_transport_common::tls::{Fingerprint, Identity, Resolver};
use moq_transport_common::{Admission, Backlog, BindError, Live, Verdict};
use quinn::{Endpoint, TokioRuntime};
use tokio::task::JoinSet;

use crate::incoming::{IncomingConnection, Setup};

/// Listens for raw QUIC and WebTransport connections.
///
/// A clone is a further handle to the same server. When the last one is dropped, it stops
/// listening; connections that were accepted go on.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    endpoints: Vec<Endpoint>,
    addrs: Vec<SocketAddr>,
    missing: Vec<SocketAddr>,
    resolver: Arc<Resolver>,
    backlog: Backlog<IncomingConnection>,
    live: Arc<Live>,
    /// Accepts and shakes hands; stops when dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl Server {
    /// Starts to listen on all addresses of the configuration. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]; nothing is listened on then.
    pub fn bind(config: ServerConfig) -> Result<Self, BindError> {
        Self::start(Listening::open(&config, NonZeroUsize::MIN)?)
    }

    pub(crate) fn start(listening: Listening) -> Result<Self, BindError> {
        let live = Arc::new(Live::default());
        let (admission, backlog) = Admission::new(listening.max_handshakes);
        let setup = Arc::new(Setup {
            live: live.clone(),
            profile: listening.profile,
            limits: listening.limits,
        });
        let mut tasks = JoinSet::new();
        let (mut endpoints, mut addrs) = (Vec::new(), Vec::new());
        for (sockets, addr) in listening.sockets {
            let mut config = listening.reset_keys.endpoint(addr).recognising();
            // A server that was killed may have thousands of peers, which all ask within a few seconds.
            // Each reset is smaller than what it answers, and ids that were not made here get none,
            // so that two servers cannot keep answering each other.
            config.min_reset_interval(Duration::ZERO);
            for socket in sockets {
                let (server, runtime) = (Some(listening.quic.clone()), Arc::new(TokioRuntime));
                let endpoint = Endpoint::new(config.clone(), server, socket, runtime)
                    .map_err(|source| BindError::Socket { addr, source })?;
                tasks.spawn(shake_hands(
                    endpoint.clone(),
                    admission.clone(),
                    setup.clone(),
                ));
                endpoints.push(endpoint);
            }
            addrs.push(addr);
        }
        let inner = Inner {
            endpoints,
            addrs,
            missing: listening.missing,
            resolver: listening.resolver,
            backlog,
            live,
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
        for endpoint in &self.inner.endpoints {
            endpoint.wait_idle().await;
        }
    }
}

impl Inner {
    fn refuse_new(&self) {
        for endpoint in &self.endpoints {
            endpoint.set_server_config(None);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.refuse_new();
    }
}

/// Takes an endpoint's connections until it is closed. Dropping it drops the handshakes.
async fn shake_hands(
    endpoint: Endpoint,
    admission: Arc<Admission<IncomingConnection>>,
    setup: Arc<Setup>,
) {
    let mut handshakes = JoinSet::new();
    while let Some(incoming) = endpoint.accept().await {
        while handshakes.try_join_next().is_some() {}
        let mut room = match admission.judge(
            incoming.remote_address(),
            incoming.remote_address_validated(),
        ) {
            Verdict::Shake(room) => room,
            Verdict::Retry => {
                // It may always be retried while its address is not validated.
                let _ = incoming.retry().is_ok();
                continue;
            }
            Verdict::Refuse => {
                incoming.refuse();
                continue;
            }
        };
        let remote = incoming.remote_address();
        let setup = setup.clone();
        let unvalidated = room.take_unvalidated();
        let shaken = async move {
            let quic = incoming.accept()?.await?;
            drop(unvalidated);
            IncomingConnection::new(quic, setup).await
        };
        handshakes.spawn(admission.clone().admit(remote, shaken, room));
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addrs", &self.inner.addrs)
            .finish_non_exhaustive()
    }
}
