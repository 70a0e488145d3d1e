//! What a server listens on, shows and allows.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use crate::protocols;
use crate::tls::Identity;
use crate::transport_config::{Congestion, StreamLimits};

/// The settings of a [`Server`](crate::Server): at least an address and an identity.
///
/// By default it accepts every draft that a session speaks.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) protocols: Vec<String>,
    pub(crate) reset_key: Option<[u8; 64]>,
    pub(crate) stream_limits: StreamLimits,
    pub(crate) congestion: Congestion,
    pub(crate) engine: Engine,
    pub(crate) workers: NonZeroUsize,
}

/// What moves the packets of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Engine {
    /// quinn-proto, with all connections of a socket in one task: the cheaper one.
    #[default]
    Direct,
    /// quinn, with a task for each connection: what the other is measured and tested against.
    Reference,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            identities: Vec::new(),
            protocols: protocols::spoken(),
            reset_key: None,
            stream_limits: StreamLimits::default(),
            congestion: Congestion::default(),
            engine: Engine::default(),
            workers: NonZeroUsize::MIN,
        }
    }
}

impl ServerConfig {
    /// Listens on a UDP address, too. One that follows with port 0 gets the port of the first, if
    /// that is free on it.
    #[must_use]
    pub fn with_listen(mut self, addr: SocketAddr) -> Self {
        self.listen.push(addr);
        self
    }

    /// Serves an identity, too. A client gets the first that is valid for the name it asks for,
    /// or the first of all.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identities.push(identity);
        self
    }

    /// Accepts these protocol names on raw QUIC, most wanted first. WebTransport requests are
    /// always accepted, and settle their protocol in [`Incoming::accept`].
    ///
    /// [`Incoming::accept`]: moq_session::transport::Incoming::accept
    #[must_use]
    pub fn with_protocols(self, protocols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            protocols: protocols.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Signs stateless resets with a key that outlives the process, so that the peers of a former
    /// life learn at once that their connections are gone. It is a secret.
    #[must_use]
    pub fn with_reset_key(self, key: [u8; 64]) -> Self {
        Self {
            reset_key: Some(key),
            ..self
        }
    }

    /// Bounds the streams that a client may have open at once; by default as many
    /// bidirectional ones as the session can hold, and 1024 unidirectional ones.
    #[must_use]
    pub fn with_stream_limits(self, limits: StreamLimits) -> Self {
        Self {
            stream_limits: limits,
            ..self
        }
    }

    /// Chooses how the send rate follows the network.
    #[must_use]
    pub fn with_congestion(self, congestion: Congestion) -> Self {
        Self { congestion, ..self }
    }

    /// Chooses what moves the packets.
    #[must_use]
    pub fn with_engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// Has as many threads serve each address, 256 at most. Each has a runtime of its own, and a
    /// socket of its own on the one port. One, which is the default, is no thread but a task of the
    /// runtime that binds the server, and so it is with [`Engine::Reference`].
    ///
    /// Sessions are cheapest on the runtime of their [`IncomingConnection::worker`].
    ///
    /// [`IncomingConnection::worker`]: crate::IncomingConnection::worker
    #[must_use]
    pub fn with_workers(self, workers: NonZeroUsize) -> Self {
        let workers = workers.min(MAX_WORKERS);
        Self { workers, ..self }
    }

    pub(crate) fn workers(&self) -> NonZeroUsize {
        match self.engine {
            Engine::Direct => self.workers,
            Engine::Reference => NonZeroUsize::MIN,
        }
    }
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("identities", &self.identities)
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}

/// As many as a byte of a connection id can tell apart.
const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");
