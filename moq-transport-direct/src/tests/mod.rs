//! Servers and clients on loopback, from within.

mod by_hand;
mod defects;
mod network;
mod recv;
mod refusals;
mod resets;
mod time;
mod window;

use std::future::poll_fn;
use std::net::SocketAddr;

use bytes::Bytes;
use moq_session::transport::{Incoming as _, RecvStream as _, SendStream as _, Transport};
use moq_transport_common::tls::Identity;
use moq_transport_quinn::{Client, ClientConfig};
use url::Url;

use crate::{Connection, Server, ServerConfig};

/// The settings of a server on these addresses.
fn config(listen: impl IntoIterator<Item = SocketAddr>) -> ServerConfig {
    let names = ["127.0.0.1".into(), "::1".into()];
    let config = ServerConfig::default().with_identity(Identity::generate(&names).unwrap());
    listen.into_iter().fold(config, ServerConfig::with_listen)
}

/// A connection: the client's end and the server's.
async fn pair(server: &Server) -> (moq_transport_quinn::Connection, Connection) {
    pair_by(server, server.local_addrs()[0]).await
}

/// A connection to an address from which everything is passed on to the server.
async fn pair_by(
    server: &Server,
    addr: SocketAddr,
) -> (moq_transport_quinn::Connection, Connection) {
    let config = ClientConfig::default().with_fingerprint(server.fingerprints()[0]);
    let client = Client::new(config);
    let url = format!("moqt://{addr}/");
    let connect = client.connect(Url::parse(&url).unwrap());
    let accept = async { server.accept().await.unwrap().accept(None).await };
    let (connected, accepted) = tokio::join!(connect, accept);
    (connected.unwrap(), accepted.unwrap())
}

async fn send(connection: &mut impl Transport) {
    let mut stream = poll_fn(|cx| connection.poll_open_uni(cx)).await.unwrap();
    let mut chunks = [Bytes::from_static(&[7; 200])];
    poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks))
        .await
        .unwrap();
    stream.finish();
}

async fn receive(connection: &mut impl Transport) -> Option<Bytes> {
    let mut stream = poll_fn(|cx| connection.poll_accept_uni(cx)).await.unwrap();
    poll_fn(|cx| stream.poll_read_chunk(cx)).await.unwrap()
}
