//! Why a relay does not start.

use std::io;
use std::net::SocketAddr;

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address is taken, or is not this machine's.
    #[error("cannot listen on {protocol} {addr}")]
    Address {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server of a transport does not start for another reason than its address.
    #[error("cannot start the server")]
    Server(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Others than this machine can connect, and nothing says what they may do.
    #[error("{0} is open to others, and nothing says what they may do")]
    Unprotected(SocketAddr),
    /// There is nothing to listen on.
    #[error("the relay has no listener")]
    NoListener,
    /// Addresses are to be listened on, and there is no certificate to show.
    #[error("the relay has no certificate")]
    NoCertificate,
}
