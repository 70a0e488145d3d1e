//! A connection that waits for an answer.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use moq_session::transport::{Incoming, TransportError, TransportInfo};
use moq_transport_common::quic::{
    ANSWER_DEADLINE, Asked, H3, H3_NO_ERROR, NO_PROTOCOL, Profile, StreamLimits, accepted,
    raw_error, refused,
};
use moq_transport_common::{HandshakeError, Live};
use quinn::VarInt;
use tokio::time::timeout;
use web_transport_quinn::Request;

use crate::connection::Connection;
use crate::connection::{ConnectionInner, negotiated_alpn, server_name};

/// A connection to a [`Server`](crate::Server) whose handshake is done, and its CONNECT request
/// read if it is a WebTransport one. Dropped, it closes the connection.
pub struct IncomingConnection {
    stage: Stage,
    asked: Asked,
    setup: Arc<Setup>,
}

/// How far the connection is.
enum Stage {
    /// Raw QUIC, which asks for nothing.
    Raw(quinn::Connection),
    /// WebTransport, whose request is to be answered.
    Requested(Box<Request>),
}

/// What an accepted connection is made with.
pub(crate) struct Setup {
    pub(crate) live: Arc<Live>,
    pub(crate) profile: Profile,
    pub(crate) limits: StreamLimits,
}

impl IncomingConnection {
    /// Reads the request of a connection that has just been made, if its binding has one.
    pub(crate) async fn new(
        quic: quinn::Connection,
        setup: Arc<Setup>,
    ) -> Result<Self, HandshakeError> {
        let alpn = negotiated_alpn(&quic).ok_or(NO_PROTOCOL)?;
        let (stage, asked) = if alpn == H3 {
            let request = Request::accept(quic).await?;
            let asked = Asked::by_request(&request);
            (Stage::Requested(Box::new(request)), asked)
        } else {
            let asked = Asked::by_tls(alpn, server_name(&quic));
            (Stage::Raw(quic), asked)
        };
        Ok(Self {
            stage,
            asked,
            setup,
        })
    }

    /// The peer's address.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        match &self.stage {
            Stage::Raw(quic) => quic.remote_address(),
            Stage::Requested(request) => request.conn().remote_address(),
        }
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
        let Setup {
            live,
            profile,
            limits,
        } = &*self.setup;
        let connection = match self.stage {
            Stage::Raw(quic) => ConnectionInner::quic(quic, None, *profile, *limits),
            Stage::Requested(request) => {
                let quic = request.conn().clone();
                let session = timeout(ANSWER_DEADLINE, request.respond(accepted(protocol))).await;
                let session = session.map_err(|_| TransportError::TimedOut)?;
                let session = session.map_err(|error| match quic.close_reason() {
                    Some(reason) => raw_error(reason),
                    None => TransportError::lost(error),
                })?;
                ConnectionInner::web(session, *profile, *limits)
            }
        };
        connection.stay_in(live);
        Ok(Connection::new(connection))
    }

    async fn refuse(self, status: u16, close_code: u32) {
        match self.stage {
            Stage::Raw(quic) => {
                quic.close(VarInt::from_u32(close_code), status.to_string().as_bytes());
            }
            Stage::Requested(request) => {
                let quic = request.conn().clone();
                // The answer would be lost if the connection were closed before it arrived, so
                // closing is left to the client for a while.
                let answered = async {
                    if request.reject(refused(status)).await.is_ok() {
                        quic.closed().await;
                    }
                };
                let _ = timeout(ANSWER_DEADLINE, answered).await.is_ok();
                quic.close(H3_NO_ERROR, b"");
            }
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
