//! A connection that waits for an answer.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use moq_session::transport::{Incoming, TransportError, TransportInfo};
use moq_transport_common::quic::{
    ANSWER_DEADLINE, Asked, H3, NO_PROTOCOL, Profile, accepted, raw_error, refused,
};
use moq_transport_common::{HandshakeError, Live};

use crate::connection::Connection;
use crate::connection::ConnectionGuard;
use crate::connection::ConnectionInner;

/// A connection to a [`Server`](crate::Server) whose handshake is done, and its CONNECT request
/// read if it is a WebTransport one. Dropped, it closes the connection.
pub struct IncomingConnection {
    guard: ConnectionGuard,
    asked: Asked,
    setup: Arc<Setup>,
    worker: usize,
}

/// What an accepted connection is made with.
pub(crate) struct Setup {
    pub(crate) live: Arc<Live>,
    pub(crate) profile: Profile,
}

impl IncomingConnection {
    /// Reads the request of a connection that has just been made, if its binding has one.
    pub(crate) async fn new(
        guard: ConnectionGuard,
        alpn: Option<String>,
        setup: Arc<Setup>,
        worker: usize,
    ) -> Result<Self, HandshakeError> {
        let alpn = alpn.ok_or(NO_PROTOCOL)?;
        let asked = if alpn == H3 {
            Asked::by_request(&guard.request().await?)
        } else {
            Asked::by_tls(alpn, guard.server_name())
        };
        Ok(Self {
            guard,
            asked,
            setup,
            worker,
        })
    }

    /// The worker that moves the connection's packets, as an index of
    /// [`Server::runtimes`](crate::Server::runtimes). What works on the connection may run anywhere,
    /// and is cheapest there.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// The peer's address.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.guard.remote()
    }
}

impl Incoming for IncomingConnection {
    type Transport = Connection;

    fn request_path(&self) -> Option<&str> {
        self.asked.request_path()
    }

    fn protocols(&self) -> &[String] {
        self.asked.protocols()
    }

    fn info(&self) -> TransportInfo {
        self.asked.info(self.remote())
    }

    async fn accept(self, protocol: Option<&str>) -> Result<Connection, TransportError> {
        let is_requested = self.asked.request_path().is_some();
        if is_requested && !self.guard.respond(&accepted(protocol)) {
            return Err(match self.guard.ended() {
                Some(reason) => raw_error(reason),
                None => TransportError::lost("the answer could not be written"),
            });
        }
        let connection = ConnectionInner::new(self.guard, protocol, self.setup.profile);
        connection.stay_in(&self.setup.live);
        Ok(Connection::new(connection))
    }

    async fn refuse(self, status: u16, close_code: u32) {
        if self.asked.request_path().is_some() {
            self.guard.reject(refused(status), ANSWER_DEADLINE).await;
        } else {
            self.guard.close(close_code, &status.to_string());
        }
    }
}

impl fmt::Debug for IncomingConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingConnection")
            .field("remote", &self.remote())
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}
