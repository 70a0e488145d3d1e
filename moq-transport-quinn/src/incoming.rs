//! A connection that waits for an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moq_session::transport::{Incoming, TransportError};
use quinn::VarInt;
use tokio::time::timeout;
use web_transport_quinn::Request;
use web_transport_quinn::http::StatusCode;
use web_transport_quinn::proto::ConnectResponse;

use crate::connection::Connection;
use crate::link::{H3_NO_ERROR, Link, negotiated_alpn, raw_error};
use crate::server::Live;
use crate::transport_config::{Profile, StreamLimits};

/// A connection to a [`Server`](crate::Server) whose handshake is done, and its CONNECT request
/// read if it is a WebTransport one. Dropped, it closes the connection.
pub struct IncomingConnection {
    kind: Kind,
    request_path: Option<String>,
    protocols: Vec<String>,
    setup: Arc<Setup>,
}

enum Kind {
    Quic(quinn::Connection),
    Web(Box<Request>),
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
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let alpn = negotiated_alpn(&quic).ok_or("no protocol name was negotiated")?;
        if alpn != web_transport_quinn::ALPN {
            let (kind, protocols) = (Kind::Quic(quic), vec![alpn]);
            return Ok(Self {
                kind,
                request_path: None,
                protocols,
                setup,
            });
        }
        let request = Request::accept(quic).await?;
        let path = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        let protocols = request.protocols.clone();
        let kind = Kind::Web(Box::new(request));
        Ok(Self {
            kind,
            request_path: Some(path),
            protocols,
            setup,
        })
    }

    /// The peer's address.
    #[must_use]
    pub fn remote(&self) -> std::net::SocketAddr {
        match &self.kind {
            Kind::Quic(quic) => quic.remote_address(),
            Kind::Web(request) => request.conn().remote_address(),
        }
    }
}

impl Incoming for IncomingConnection {
    type Transport = Connection;

    fn request_path(&self) -> Option<&str> {
        self.request_path.as_deref()
    }

    fn protocols(&self) -> &[String] {
        &self.protocols
    }

    async fn accept(self, protocol: Option<&str>) -> Result<Connection, TransportError> {
        let Setup {
            live,
            profile,
            limits,
        } = &*self.setup;
        let link = match self.kind {
            Kind::Quic(quic) => Link::quic(quic, None, *profile, *limits),
            Kind::Web(request) => {
                let response = match protocol {
                    Some(protocol) => ConnectResponse::OK.with_protocol(protocol),
                    None => ConnectResponse::OK,
                };
                let quic = request.conn().clone();
                let session = timeout(ANSWER_DEADLINE, request.respond(response)).await;
                let session = session.map_err(|_| TransportError::TimedOut)?;
                let session = session.map_err(|error| match quic.close_reason() {
                    Some(reason) => raw_error(reason),
                    None => TransportError::lost(error),
                })?;
                Link::web(session, *profile, *limits)
            }
        };
        live.add(&link);
        Ok(Connection::new(link))
    }

    async fn refuse(self, status: u16, close_code: u32) {
        match self.kind {
            Kind::Quic(quic) => {
                quic.close(VarInt::from_u32(close_code), status.to_string().as_bytes());
            }
            Kind::Web(request) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                let quic = request.conn().clone();
                // The answer would be lost if the connection were closed before it arrived, so
                // closing is left to the client for a while.
                let answered = async {
                    if request.reject(status).await.is_ok() {
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
        // The path may hold a credential.
        f.debug_struct("IncomingConnection")
            .field("remote", &self.remote())
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}

/// How long an answer may take to be sent, or to be received if it is a refusal.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
