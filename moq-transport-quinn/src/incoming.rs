//! A connection that waits for an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moq_session::transport::{Incoming, TransportError, TransportInfo, TransportKind};
use quinn::VarInt;
use tokio::time::timeout;
use web_transport_quinn::Request;
use web_transport_quinn::http::StatusCode;
use web_transport_quinn::proto::{ConnectRequest, ConnectResponse};

use crate::closing::{H3_NO_ERROR, raw_error};
use crate::connection::Connection;
use crate::direct::{self, Owner};
use crate::live::{Live, LiveLink};
use crate::reference::{self, negotiated_alpn};
use crate::transport_config::{Profile, StreamLimits};

/// A connection to a [`Server`](crate::Server) whose handshake is done, and its CONNECT request
/// read if it is a WebTransport one. Dropped, it closes the connection.
pub struct IncomingConnection {
    kind: Kind,
    request_path: Option<String>,
    protocols: Vec<String>,
    /// The name or authority that the client asked for.
    authority: Option<String>,
    /// The `Origin` header of a web page.
    origin: Option<String>,
    setup: Arc<Setup>,
    worker: usize,
}

enum Kind {
    Direct(Owner),
    Quic(quinn::Connection),
    Web(Box<Request>),
}

/// Why a handshake failed.
pub(crate) type HandshakeError = Box<dyn std::error::Error + Send + Sync>;

/// What an accepted connection is made with.
pub(crate) struct Setup {
    pub(crate) live: Arc<Live>,
    pub(crate) profile: Profile,
    pub(crate) limits: StreamLimits,
}

impl IncomingConnection {
    /// Reads the request of a connection that has just been made, if its binding has one.
    pub(crate) async fn direct(
        owner: Owner,
        alpn: Option<String>,
        setup: Arc<Setup>,
        worker: usize,
    ) -> Result<Self, HandshakeError> {
        let alpn = alpn.ok_or(NO_PROTOCOL)?;
        if alpn != web_transport_quinn::ALPN {
            return Ok(Self::raw(Kind::Direct(owner), alpn, setup).on(worker));
        }
        let request = owner.request().await?;
        Ok(Self::requested(Kind::Direct(owner), &request, setup).on(worker))
    }

    /// As [`Self::direct`], of a connection of quinn.
    pub(crate) async fn reference(
        quic: quinn::Connection,
        setup: Arc<Setup>,
    ) -> Result<Self, HandshakeError> {
        let alpn = negotiated_alpn(&quic).ok_or(NO_PROTOCOL)?;
        if alpn != web_transport_quinn::ALPN {
            return Ok(Self::raw(Kind::Quic(quic), alpn, setup));
        }
        let request = Request::accept(quic).await?;
        let connect = ConnectRequest::clone(&request);
        Ok(Self::requested(
            Kind::Web(Box::new(request)),
            &connect,
            setup,
        ))
    }

    fn raw(kind: Kind, alpn: String, setup: Arc<Setup>) -> Self {
        let authority = match &kind {
            Kind::Direct(owner) => owner.server_name(),
            Kind::Quic(quic) => reference::server_name(quic),
            Kind::Web(_) => None,
        };
        Self {
            kind,
            request_path: None,
            protocols: vec![alpn],
            authority,
            origin: None,
            setup,
            worker: 0,
        }
    }

    fn requested(kind: Kind, request: &ConnectRequest, setup: Arc<Setup>) -> Self {
        let path = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        Self {
            kind,
            request_path: Some(path),
            protocols: request.protocols.clone(),
            authority: Some(request.url.authority().to_owned()),
            origin: request
                .headers
                .get("origin")
                .and_then(|origin| origin.to_str().ok())
                .map(str::to_owned),
            setup,
            worker: 0,
        }
    }

    fn on(self, worker: usize) -> Self {
        Self { worker, ..self }
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
    pub fn remote(&self) -> std::net::SocketAddr {
        match &self.kind {
            Kind::Direct(owner) => owner.remote(),
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

    fn info(&self) -> TransportInfo {
        let mut info = TransportInfo::default();
        info.kind = match self.request_path {
            Some(_) => TransportKind::WebTransport,
            None => TransportKind::Quic,
        };
        info.remote = Some(self.remote());
        info.authority.clone_from(&self.authority);
        info.origin.clone_from(&self.origin);
        info
    }

    async fn accept(self, protocol: Option<&str>) -> Result<Connection, TransportError> {
        let Setup {
            live,
            profile,
            limits,
        } = &*self.setup;
        let link = match self.kind {
            Kind::Direct(owner) => {
                if self.request_path.is_some() && !owner.respond(&ok(protocol)) {
                    return Err(match owner.ended() {
                        Some(reason) => raw_error(reason),
                        None => TransportError::lost("the answer could not be written"),
                    });
                }
                let link = direct::Link::new(owner, protocol, *profile);
                link.keep(live.add(LiveLink::Direct(Arc::downgrade(&link))));
                return Ok(Connection::direct(link));
            }
            Kind::Quic(quic) => reference::Link::quic(quic, None, *profile, *limits),
            Kind::Web(request) => {
                let quic = request.conn().clone();
                let session = timeout(ANSWER_DEADLINE, request.respond(ok(protocol))).await;
                let session = session.map_err(|_| TransportError::TimedOut)?;
                let session = session.map_err(|error| match quic.close_reason() {
                    Some(reason) => raw_error(reason),
                    None => TransportError::lost(error),
                })?;
                reference::Link::web(session, *profile, *limits)
            }
        };
        link.keep(live.add(LiveLink::Reference(Arc::downgrade(&link))));
        Ok(Connection::reference(link))
    }

    async fn refuse(self, status: u16, close_code: u32) {
        match self.kind {
            Kind::Direct(owner) if self.request_path.is_none() => {
                owner.close(close_code, &status.to_string());
            }
            Kind::Direct(owner) => owner.reject(http_status(status), ANSWER_DEADLINE).await,
            Kind::Quic(quic) => {
                quic.close(VarInt::from_u32(close_code), status.to_string().as_bytes());
            }
            Kind::Web(request) => {
                let status = http_status(status);
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

/// The answer that accepts a request.
fn ok(protocol: Option<&str>) -> ConnectResponse {
    match protocol {
        Some(protocol) => ConnectResponse::OK.with_protocol(protocol),
        None => ConnectResponse::OK,
    }
}

fn http_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN)
}

/// Of a peer that agrees to none of the names this end offers, and goes on nevertheless.
const NO_PROTOCOL: &str = "no protocol name was negotiated";

/// How long an answer may take to be sent, or to be received if it is a refusal.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
