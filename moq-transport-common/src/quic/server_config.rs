//! What a server listens on, shows and allows.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use super::{Congestion, StreamLimits};
use crate::protocols;
use crate::tls::Identity;

/// The settings of a server: at least an address and an identity.
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
    pub(crate) max_handshakes: NonZeroUsize,
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
            max_handshakes: MAX_HANDSHAKES,
        }
    }
}

impl ServerConfig {
    /// Listens on a UDP address, too.
    ///
    /// One that follows with port 0 gets the port of the first, if that is free on it. The address
    /// of all of IPv6, `[::]`, stands for that of all of IPv4, too. An address whose family this
    /// machine lacks is left out, unless it lacks those of all.
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
    /// life learn at once that their connections are gone. It is a secret. Each address that is
    /// listened on has a key of its own, made from this one.
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

    /// Bounds the handshakes at once, counting connections that wait to be accepted; 1024 by
    /// default. Where there are more, the oldest one of the network that has the most gives way.
    #[must_use]
    pub fn with_max_handshakes(self, max_handshakes: NonZeroUsize) -> Self {
        Self {
            max_handshakes,
            ..self
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

/// Handshakes at once.
const MAX_HANDSHAKES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");
