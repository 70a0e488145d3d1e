//! Several tasks that move the packets of one port.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the suite uses the rest of it")]
#[path = "../../moq-transport-quinn/tests/suite/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use moq_session::transport::Incoming as _;
use moq_transport_direct::{Connection, Server, ServerConfig};
use support::{accept_uni, foreign_pair, pair, read, server};

/// The server's end of a connection.
type Accepted = Connection;

fn bind(config: ServerConfig) -> Server {
    Server::bind(config, NonZeroUsize::new(4).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_shared_out_and_all_are_served() {
    let server = server();
    assert_eq!(server.local_addrs().len(), 1);
    for index in 0..16 {
        let scheme = support::BINDINGS[index % 2];
        let (mut client, mut accepted) = pair(&server, scheme).await;
        let mut sent = support::open_uni(&mut client).await;
        support::write(&mut sent, &[b"hello"]).await;
        moq_session::transport::SendStream::finish(&mut sent);
        let (bytes, end) = read(&mut accept_uni(&mut accepted).await).await;
        assert_eq!((bytes.as_slice(), end.is_ok()), (&b"hello"[..], true));
    }
    server.close(0, "");
    server.wait_idle().await;
}

/// Sixteen clients are not all given to one of four sockets.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_names_its_worker() {
    let server = server();
    let mut threads = BTreeSet::new();
    for _ in 0..16 {
        let client = support::client(&server);
        let connect = client.connect(support::url(&server, "moqt", "/room"));
        let answer = async {
            let incoming = server.accept().await.unwrap();
            let runtime = server.runtimes()[incoming.worker()].clone();
            incoming.accept(None).await.unwrap();
            let name = async { std::thread::current().name().map(str::to_owned) };
            runtime.spawn(name).await.unwrap().unwrap()
        };
        let (connected, thread) = tokio::join!(connect, answer);
        connected.unwrap();
        assert!(thread.starts_with("moq-worker-"), "{thread}");
        threads.insert(thread);
    }
    assert!(threads.len() > 1, "{threads:?}");
}

/// The system shares out peers by their address; whose packets come to another socket from then on
/// is still served where its connection is.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_may_change_its_address() {
    let server = server();
    let (endpoint, foreign, mut accepted) = foreign_pair(&server).await;

    // With four sockets, sixteen addresses are not all given to one.
    for index in 0..16_u8 {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        endpoint.rebind(socket).unwrap();
        let mut uni = foreign.open_uni().await.unwrap();
        uni.write_all(&[index]).await.unwrap();
        uni.finish().unwrap();
        let (bytes, end) = read(&mut accept_uni(&mut accepted).await).await;
        assert_eq!((bytes, end.is_ok()), (vec![index], true));
        assert_eq!(uni.stopped().await.unwrap(), None, "acknowledged");
    }
}
