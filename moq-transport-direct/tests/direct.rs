//! The suite on a server of this crate, with the clients of moq-transport-quinn.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../moq-transport-quinn/tests/suite/mod.rs"]
mod suite;

use std::num::NonZeroUsize;

use moq_transport_direct::{Connection, Server, ServerConfig};

/// The server's end of a connection.
type Accepted = Connection;

/// Whether the server's end pings, and counts what comes.
const SERVER_PINGS: bool = true;

fn bind(config: ServerConfig) -> Server {
    Server::bind(config, NonZeroUsize::MIN).unwrap()
}
