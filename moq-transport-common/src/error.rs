//! Why there is no connection, and no server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use moq_session::transport::TransportError;

use crate::tls::Fingerprint;

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL lacks something. The URL itself is not shown: it may hold a credential.
    #[error("the URL cannot be used: {0}")]
    BadUrl(&'static str),
    /// Only `https`, `http`, `moqt` and `moql` are understood.
    #[error("the URL's scheme `{0}` is not one of https, http, moqt, moql")]
    UnsupportedScheme(String),
    /// The trusted root certificates could not be read.
    #[error("cannot read the trusted root certificates")]
    Roots(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No local socket could be opened.
    #[error("cannot open a local UDP socket")]
    Socket(#[source] io::Error),
    /// The host has no address.
    #[error("cannot find an address of `{host}`")]
    Resolve {
        /// The name that was looked up.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing listens on that UDP port.
    #[error("nothing listens on UDP {addr}")]
    Refused {
        /// Where it was tried last.
        addr: SocketAddr,
    },
    /// There is no way to that address.
    #[error("cannot reach {addr}")]
    Unreachable {
        /// Where it was tried last.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The deadline passed.
    #[error("no answer within {after:?} while {phase}")]
    Timeout {
        /// What was being waited for.
        phase: Phase,
        /// How long the whole attempt was allowed to take.
        after: Duration,
    },
    /// `http://`: the server's fingerprint could not be fetched.
    #[error("cannot fetch http://{host}/certificate.sha256")]
    FetchFingerprint {
        /// Host and port asked.
        host: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The server's certificate is not trusted.
    #[error(
        "the certificate of `{host}` is not trusted: {problem} (its fingerprint is {fingerprint})"
    )]
    Certificate {
        /// The name that was connected to.
        host: String,
        /// What is wrong with it.
        problem: CertificateProblem,
        /// The fingerprint of the certificate that the server presented.
        fingerprint: Fingerprint,
    },
    /// TLS found no protocol name that both ends know.
    #[error("the server speaks none of the offered protocols")]
    NoCommonVersion,
    /// The server answered the request with an HTTP status other than 200.
    #[error("the server refused the request with HTTP status {status}")]
    Rejected {
        /// The status, such as 401 or 403.
        status: u16,
    },
    /// TLS failed in another way.
    #[error("the TLS handshake failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server answers, but not as a WebTransport server.
    #[error("the server does not answer as a WebTransport server")]
    WebTransport(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection ended while it was set up.
    #[error("the connection ended while it was set up")]
    Transport(#[from] TransportError),
}

impl ConnectError {
    /// Whether trying again without a change is pointless: the URL, the trust, the offered
    /// protocols or the credential have to change first.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::BadUrl(_)
            | Self::UnsupportedScheme(_)
            | Self::Roots(_)
            | Self::Certificate { .. }
            | Self::NoCommonVersion => true,
            Self::Rejected { status } => {
                (400..500).contains(status) && !matches!(status, 408 | 429)
            }
            _ => false,
        }
    }

    /// What the caller could try, in one sentence.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadUrl(_) | Self::UnsupportedScheme(_) => {
                "write it like https://host:port/path or moqt://host:port/path"
            }
            Self::Resolve { .. } => "check the host name and the network",
            Self::Refused { .. } => "check the port, and that the relay runs there",
            Self::Unreachable { .. } => "check the network and its firewall",
            Self::Timeout {
                phase: Phase::Handshake,
                ..
            } => "check the port, and that no firewall drops UDP",
            Self::FetchFingerprint { .. } => {
                "https:// does without, where the certificate is trusted or its fingerprint given"
            }
            Self::Certificate { fingerprint, .. } => {
                return Some(format!(
                    "if you expected this certificate, trust its issuer as a root or pin {fingerprint}"
                ));
            }
            Self::NoCommonVersion => {
                "offer another protocol version, or the other binding: https:// or moqt://"
            }
            Self::Rejected { status: 401 | 403 } => "check the token and what it allows",
            Self::Rejected { status: 404 } => "check the URL's path",
            Self::WebTransport(_) => "try moqt://, or check that the URL points to a relay",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What a connection attempt was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The host's addresses.
    Resolve,
    /// The server's fingerprint, for `http://`.
    Fingerprint,
    /// The QUIC and TLS handshake.
    Handshake,
    /// The answer to WebTransport's CONNECT request.
    Request,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving the host name",
            Self::Fingerprint => "fetching the certificate's fingerprint",
            Self::Handshake => "doing the QUIC handshake",
            Self::Request => "waiting for the answer to the WebTransport request",
        })
    }
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// It leads to none of the trusted roots.
    #[error("its issuer is unknown")]
    UnknownIssuer,
    /// It is for other hosts.
    #[error("it is not valid for this host")]
    OtherName,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come, or the local clock is behind.
    #[error("it is not valid yet")]
    NotYetValid,
    /// It is none of those that were pinned.
    #[error("its fingerprint is not the pinned one")]
    NotPinned,
    /// It does not parse.
    #[error("it is malformed")]
    Malformed,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Why a server could not start to listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The configuration names no address.
    #[error("there is no address to listen on")]
    NoAddress,
    /// The configuration has no certificate.
    #[error("there is no certificate to serve")]
    NoIdentity,
    /// The address cannot be listened on.
    #[error("cannot listen on UDP {addr}")]
    Socket {
        /// Which one.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread to serve on")]
    Thread(#[source] io::Error),
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
