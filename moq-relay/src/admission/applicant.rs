//! What is known of a peer that asks to be let in.

use std::fmt;
use std::net::SocketAddr;

use moq_model::text::Escaped;
use moq_session::transport::{Incoming, TransportInfo};
use moq_session::{BroadcastPath, Refusal, Request, Role};

use super::Denial;

/// What is known of a peer that asks to be let in.
///
/// All of it but the address is the peer's own word. `Debug` leaves the query out, because it may
/// hold a credential.
#[derive(Clone)]
pub struct Applicant {
    remote: SocketAddr,
    path: String,
    query: Option<String>,
    role: Option<Role>,
    info: TransportInfo,
}

impl Applicant {
    /// What a request says, and the address that it came from.
    pub fn of<I: Incoming>(request: &Request<I>, remote: SocketAddr) -> Self {
        Self {
            remote,
            path: request.path().to_owned(),
            query: request.query().map(str::to_owned),
            role: request.role(),
            info: request.info().clone(),
        }
    }

    /// Where the peer's packets come from.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// The path of the URL that was dialled, such as `/room`; `/` where there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as the root of a session.
    ///
    /// # Errors
    /// A [`Denial`] if it is no path of broadcasts.
    pub fn root(&self) -> Result<BroadcastPath, Denial> {
        BroadcastPath::new(&self.path).map_err(|error| {
            let reason = format!("the URL's path is not valid: {error}");
            Denial::new(Refusal::Forbidden, reason)
        })
    }

    /// The URL's query without `?`. It may hold a credential.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// What the peer is going to do, where it has said so by now.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The host and port that the peer asked for, or the name in TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.info.authority.as_deref()
    }

    /// The `Origin` of a web page; programs have none.
    #[must_use]
    pub fn web_origin(&self) -> Option<&str> {
        self.info.origin.as_deref()
    }

    /// SHA-256 of the certificate that the peer showed, in hex.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.info.fingerprint.as_deref()
    }

    /// What carries the session.
    #[must_use]
    pub fn transport(&self) -> &TransportInfo {
        &self.info
    }
}

impl fmt::Debug for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applicant")
            .field("remote", &self.remote)
            .field("path", &Escaped(&self.path).to_string())
            .finish_non_exhaustive()
    }
}
