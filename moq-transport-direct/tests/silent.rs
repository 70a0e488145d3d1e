//! Clients that begin and say nothing more.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the suite uses the rest of it")]
#[path = "../../moq-transport-quinn/tests/suite/support.rs"]
mod support;

use std::num::NonZeroUsize;

use moq_transport_direct::{Connection, Server, ServerConfig};
use support::{foreign_client, identity, server};

/// The server's end of a connection.
type Accepted = Connection;

fn bind(config: ServerConfig) -> Server {
    let config = config.with_max_handshakes(NonZeroUsize::new(PLACES).unwrap());
    Server::bind(config, NonZeroUsize::MIN).unwrap()
}

/// How many handshakes the server has at once.
const PLACES: usize = 16;

/// Clients of one address that say nothing after TLS: all are let in, and the oldest give way, so
/// that others of their address and of another one are served.
#[tokio::test]
async fn silent_clients_keep_nobody_out() {
    let server = server();
    let identity = identity();
    server.set_certificate(identity.clone());
    let addr = server.local_addrs()[0];
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let h3 = foreign_client(&identity, "h3");
    let mut silent = Vec::new();
    for _ in 0..3 * PLACES {
        let connecting = endpoint.connect_with(h3.clone(), addr, "localhost");
        silent.push(connecting.unwrap().await.unwrap());
    }
    // What is a handshake for the server may be none any more for its client.
    for gone in &silent[..PLACES] {
        gone.closed().await;
    }

    for from in [[127, 1, 0, 1], [127, 0, 0, 1]] {
        let endpoint = quinn::Endpoint::client((from, 0).into()).unwrap();
        let raw = foreign_client(&identity, "moq-lite-06");
        let connecting = endpoint.connect_with(raw, addr, "localhost");
        let connected = connecting.unwrap().await.unwrap();
        let accepted = server.accept().await.unwrap();
        assert_eq!(accepted.remote().ip(), std::net::IpAddr::from(from));
        drop(connected);
    }
    let stay = silent.iter().filter(|one| one.close_reason().is_none());
    assert!((PLACES - 2..=PLACES).contains(&stay.count()));
}
