//! What a client asks a server for, and the answers.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use moq_session::transport::{TransportInfo, TransportKind};
use web_transport_proto::http::StatusCode;
use web_transport_proto::{ConnectRequest, ConnectResponse};

/// What a client asked for when it connected.
pub struct Asked {
    request_path: Option<String>,
    protocols: Vec<String>,
    authority: Option<String>,
    origin: Option<String>,
}

impl Asked {
    /// Keeps what TLS told of a raw QUIC connection: the protocol name that was settled on, and the
    /// name of the server that the client asked for.
    #[must_use]
    pub fn by_tls(alpn: String, server_name: Option<String>) -> Self {
        Self {
            request_path: None,
            protocols: vec![alpn],
            authority: server_name,
            origin: None,
        }
    }

    /// Keeps what a WebTransport request says.
    #[must_use]
    pub fn by_request(request: &ConnectRequest) -> Self {
        let path = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        let origin = request.headers.get("origin");
        Self {
            request_path: Some(path),
            protocols: request.protocols.clone(),
            authority: Some(request.url.authority().to_owned()),
            origin: origin
                .and_then(|origin| origin.to_str().ok())
                .map(str::to_owned),
        }
    }

    /// Path and query of the request; `None` on raw QUIC, which has no request.
    #[must_use]
    pub fn request_path(&self) -> Option<&str> {
        self.request_path.as_deref()
    }

    /// The protocol names that the client offers; on raw QUIC the one that was settled on.
    #[must_use]
    pub fn protocols(&self) -> &[String] {
        &self.protocols
    }

    /// Describes the connection of a client at `remote`.
    #[must_use]
    pub fn info(&self, remote: SocketAddr) -> TransportInfo {
        let mut info = TransportInfo::default();
        info.kind = match self.request_path {
            Some(_) => TransportKind::WebTransport,
            None => TransportKind::Quic,
        };
        info.remote = Some(remote);
        info.authority.clone_from(&self.authority);
        info.origin.clone_from(&self.origin);
        info
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path may hold a credential.
        f.debug_struct("Asked")
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}

/// Answers a WebTransport request with a session.
#[must_use]
pub fn accepted(protocol: Option<&str>) -> ConnectResponse {
    match protocol {
        Some(protocol) => ConnectResponse::OK.with_protocol(protocol),
        None => ConnectResponse::OK,
    }
}

/// Turns a number into the status of a refusal, and what is no status into 403.
#[must_use]
pub fn refused(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN)
}

/// The ALPN name of HTTP/3, which stands for WebTransport.
pub const H3: &str = "h3";

/// Says that a peer agreed to none of the names this end offers, and went on nevertheless.
pub const NO_PROTOCOL: &str = "no protocol name was negotiated";

/// How long an answer may take to be sent, or to be received if it is a refusal.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_no_status_refuses_all_the_same() {
        assert_eq!(refused(401), StatusCode::UNAUTHORIZED);
        assert_eq!(refused(7), StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_credential_in_the_path_is_not_printed() {
        let url = url::Url::parse("https://relay.example/room?jwt=SECRET").unwrap();
        let asked = Asked::by_request(&ConnectRequest::new(url));
        assert_eq!(asked.request_path(), Some("/room?jwt=SECRET"));
        assert!(!format!("{asked:?}").contains("SECRET"));
    }
}
