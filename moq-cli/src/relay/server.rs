//! What a relay needs of a server, whichever crate that is of.

use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

use moq_session::transport::Incoming;
use moq_transport_quinn::tls::{Fingerprint, Identity};
use moq_transport_quinn::{BindError, ServerConfig};
use tokio::runtime::Handle;

/// What a relay serves with unless it is asked otherwise.
#[cfg(unix)]
pub(crate) type DefaultServer = moq_transport_direct::Server;
#[cfg(not(unix))]
pub(crate) type DefaultServer = moq_transport_quinn::Server;

/// A server of one of the transport crates.
pub(crate) trait Server: Clone + Debug + Send + Sync + 'static {
    /// A connection that waits for an answer.
    type Incoming: Incoming<Transport: Send> + Send + 'static;

    /// Listens, with so many workers if the server can have several. Needs a tokio runtime.
    fn bind(config: ServerConfig, workers: NonZeroUsize) -> Result<Self, BindError>;

    /// The addresses listened on, with their real ports.
    fn local_addrs(&self) -> &[SocketAddr];

    /// The addresses that are not listened on, because this machine lacks their family.
    fn missing_addrs(&self) -> &[SocketAddr];

    /// The runtimes of the workers, one at least.
    fn runtimes(&self) -> Vec<Handle>;

    /// Waits for the next connection; `None` once the server is closed.
    fn accept(&self) -> impl Future<Output = Option<Arrival<Self::Incoming>>> + Send;

    /// The fingerprints of the certificates that are shown.
    fn fingerprints(&self) -> Vec<Fingerprint>;

    /// Shows this identity from here on.
    fn set_certificate(&self, identity: Identity);

    /// Closes the server and its connections, with a session close code.
    fn close(&self, code: u32, reason: &str);

    /// Waits until all connections are gone and their peers were told.
    fn wait_idle(&self) -> impl Future<Output = ()> + Send;
}

/// A connection, and where it comes from.
#[derive(Debug)]
pub(crate) struct Arrival<I> {
    pub(crate) incoming: I,
    pub(crate) remote: SocketAddr,
    /// Which of the runtimes moves its packets.
    pub(crate) worker: usize,
}

#[cfg(unix)]
impl Server for moq_transport_direct::Server {
    type Incoming = moq_transport_direct::IncomingConnection;

    fn bind(config: ServerConfig, workers: NonZeroUsize) -> Result<Self, BindError> {
        Self::bind(config, workers)
    }

    fn local_addrs(&self) -> &[SocketAddr] {
        self.local_addrs()
    }

    fn missing_addrs(&self) -> &[SocketAddr] {
        self.missing_addrs()
    }

    fn runtimes(&self) -> Vec<Handle> {
        self.runtimes().to_vec()
    }

    async fn accept(&self) -> Option<Arrival<Self::Incoming>> {
        let incoming = self.accept().await?;
        Some(Arrival {
            remote: incoming.remote(),
            worker: incoming.worker(),
            incoming,
        })
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        self.fingerprints()
    }

    fn set_certificate(&self, identity: Identity) {
        self.set_certificate(identity);
    }

    fn close(&self, code: u32, reason: &str) {
        self.close(code, reason);
    }

    async fn wait_idle(&self) {
        self.wait_idle().await;
    }
}

impl Server for moq_transport_quinn::Server {
    type Incoming = moq_transport_quinn::IncomingConnection;

    fn bind(config: ServerConfig, workers: NonZeroUsize) -> Result<Self, BindError> {
        if workers > NonZeroUsize::MIN {
            tracing::warn!("this engine has one worker, whatever --workers asks for");
        }
        Self::bind(config)
    }

    fn local_addrs(&self) -> &[SocketAddr] {
        self.local_addrs()
    }

    fn missing_addrs(&self) -> &[SocketAddr] {
        self.missing_addrs()
    }

    fn runtimes(&self) -> Vec<Handle> {
        vec![Handle::current()]
    }

    async fn accept(&self) -> Option<Arrival<Self::Incoming>> {
        let incoming = self.accept().await?;
        Some(Arrival {
            remote: incoming.remote(),
            worker: 0,
            incoming,
        })
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        self.fingerprints()
    }

    fn set_certificate(&self, identity: Identity) {
        self.set_certificate(identity);
    }

    fn close(&self, code: u32, reason: &str) {
        self.close(code, reason);
    }

    async fn wait_idle(&self) {
        self.wait_idle().await;
    }
}
