//! One UDP port for both bindings.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use quinn::TransportConfig;
use quinn::crypto::rustls::QuicServerConfig;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::direct::Workers;
use crate::error::BindError;
use crate::handshake::{Admission, Admitted};
use crate::incoming::IncomingConnection;
use crate::listener::{Listener, open_sockets};
use crate::live::Live;
use crate::server_config::ServerConfig;
use crate::tls::{Fingerprint, Identity, Resolver};
use crate::transport_config::SERVER;

/// Listens for raw QUIC and WebTransport connections.
///
/// A clone is a further handle to the same server. When the last one is dropped, it stops
/// listening; connections that were accepted go on.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    listeners: Vec<Listener>,
    addrs: Vec<SocketAddr>,
    resolver: Arc<Resolver>,
    accepted: tokio::sync::Mutex<mpsc::UnboundedReceiver<Admitted>>,
    live: Arc<Live>,
    runtimes: Vec<Handle>,
    /// Accepts and shakes hands; stops when dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl Server {
    /// Starts to listen on all addresses of the configuration. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]; nothing is listened on then.
    pub fn bind(config: ServerConfig) -> Result<Self, BindError> {
        let profile = SERVER.within(config.stream_limits);
        Self::start(&config, profile.transport(config.congestion))
    }

    pub(crate) fn start(
        config: &ServerConfig,
        transport: TransportConfig,
    ) -> Result<Self, BindError> {
        if config.identities.is_empty() {
            return Err(BindError::NoIdentity);
        }
        let resolver = Arc::new(Resolver::new(config.identities.clone()));
        let quic = quic_config(config, resolver.clone(), transport).map_err(BindError::Tls)?;
        let sockets = open_sockets(config)?;

        let (admitted, accepted) = mpsc::unbounded_channel();
        let live = Arc::new(Live::default());
        let profile = SERVER.within(config.stream_limits);
        let admission = Arc::new(Admission::new(
            admitted,
            live.clone(),
            profile,
            config.stream_limits,
        ));
        let workers = Workers::start(config.workers()).map_err(BindError::Thread)?;
        let mut tasks = JoinSet::new();
        let mut listeners = Vec::new();
        let mut addrs = Vec::new();
        for (sockets, addr) in sockets {
            let listener =
                Listener::start(sockets, config, &quic, &admission, &workers, &mut tasks)
                    .map_err(|source| BindError::Socket { addr, source })?;
            listeners.push(listener);
            addrs.push(addr);
        }
        let (accepted, tasks) = (tokio::sync::Mutex::new(accepted), Mutex::new(tasks));
        let inner = Inner {
            listeners,
            addrs,
            resolver,
            accepted,
            live,
            runtimes: workers
                .iter()
                .map(|worker| worker.runtime().clone())
                .collect(),
            tasks,
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

    /// The runtimes of the workers, one at least.
    #[must_use]
    pub fn runtimes(&self) -> &[Handle] {
        &self.inner.runtimes
    }

    /// Waits for the next connection whose handshake, and CONNECT request if there is one, are
    /// done. `None` once the server is closed.
    ///
    /// Cancel safe. Handshakes go on meanwhile, at most 1024 of them, counting those that wait
    /// here.
    pub async fn accept(&self) -> Option<IncomingConnection> {
        self.inner
            .accepted
            .lock()
            .await
            .recv()
            .await
            .map(Admitted::into_incoming)
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
        for listener in &self.inner.listeners {
            listener.close();
        }
        self.inner.live.close(code, reason);
        // Those that nobody has taken are dropped. Who holds the lock waits, so there are none.
        if let Ok(mut accepted) = self.inner.accepted.try_lock() {
            accepted.close();
            while accepted.try_recv().is_ok() {}
        }
    }

    /// Waits until all connections are gone and their peers were told. Cancel safe.
    pub async fn wait_idle(&self) {
        for listener in &self.inner.listeners {
            listener.wait_idle().await;
        }
    }
}

fn quic_config(
    config: &ServerConfig,
    resolver: Arc<Resolver>,
    transport: TransportConfig,
) -> Result<quinn::ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    tls.ignore_client_order = true;
    tls.ticketer = rustls::crypto::ring::Ticketer::new()?;
    let names = config.protocols.iter().map(String::as_str);
    tls.alpn_protocols = names
        .chain([web_transport_quinn::ALPN])
        .map(|name| name.as_bytes().to_vec())
        .collect();

    let crypto = QuicServerConfig::try_from(tls)?;
    let mut quic = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    quic.transport_config(Arc::new(transport))
        // Initial packets that nobody has looked at: bounded in number and in bytes.
        .max_incoming(4096)
        .incoming_buffer_size(64 << 10)
        .incoming_buffer_size_total(16 << 20);
    Ok(quic)
}

/// ring, with the cheapest cipher first.
fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addrs", &self.inner.addrs)
            .finish_non_exhaustive()
    }
}
