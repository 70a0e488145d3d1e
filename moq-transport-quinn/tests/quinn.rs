//! The suite on a server of this crate.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod suite;

use moq_transport_quinn::{Connection, Server, ServerConfig};

/// The server's end of a connection.
type Accepted = Connection;

/// Whether the server's end pings, and counts what comes.
const SERVER_PINGS: bool = false;

fn bind(config: ServerConfig) -> Server {
    Server::bind(config).unwrap()
}
