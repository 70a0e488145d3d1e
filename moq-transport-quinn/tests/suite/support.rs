//! Servers, clients and streams on loopback.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use moq_session::transport::{
    Incoming as _, RecvError, RecvStream, SendError, SendStream, Transport, TransportError,
};
use moq_transport_quinn::tls::Identity;
use moq_transport_quinn::{
    CertificateProblem, Client, ClientConfig, ConnectError, Connection, ServerConfig,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use crate::{Accepted, Server, bind};

/// The name that both ends know.
pub(crate) const PROTOCOL: &str = "moq-lite-06";

/// The schemes of the two bindings.
pub(crate) const BINDINGS: [&str; 2] = ["moqt", "https"];

pub(crate) fn identity() -> Identity {
    Identity::generate(&["localhost".into(), "127.0.0.1".into(), "::1".into()]).unwrap()
}

/// A server on an IPv4 loopback port of its own.
pub(crate) fn server() -> Server {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig::default()
        .with_listen(loopback)
        .with_identity(identity());
    bind(config.with_protocols([PROTOCOL]))
}

/// A client that trusts this server, and no other.
pub(crate) fn client(server: &Server) -> Client {
    Client::new(client_config().with_fingerprint(server.fingerprints()[0]))
}

pub(crate) fn client_config() -> ClientConfig {
    ClientConfig::default().with_protocols([PROTOCOL])
}

/// A URL of the server, with this scheme and rest.
pub(crate) fn url(server: &Server, scheme: &str, path: &str) -> Url {
    Url::parse(&format!("{scheme}://{}{path}", server.local_addrs()[0])).unwrap()
}

/// A connection over the binding of this scheme: the client's end and the server's.
pub(crate) async fn pair(server: &Server, scheme: &str) -> (Connection, Accepted) {
    let client = client(server);
    let connect = client.connect(url(server, scheme, "/room"));
    let (connected, accepted) = tokio::join!(connect, accepted(server));
    (connected.unwrap(), accepted)
}

pub(crate) async fn open_uni<T: Transport>(connection: &mut T) -> T::Send {
    poll_fn(|cx| connection.poll_open_uni(cx)).await.unwrap()
}

pub(crate) async fn accept_uni<T: Transport>(connection: &mut T) -> T::Recv {
    poll_fn(|cx| connection.poll_accept_uni(cx)).await.unwrap()
}

/// Writes all of the chunks.
pub(crate) async fn write(stream: &mut impl SendStream, chunks: &[&'static [u8]]) {
    let mut chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| Bytes::from_static(chunk))
        .collect();
    while chunks.iter().any(|chunk| !chunk.is_empty()) {
        let written = poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks))
            .await
            .unwrap();
        assert!(written > 0);
    }
}

/// Reads up to the end or an error; returns the bytes and how it ended.
pub(crate) async fn read(stream: &mut impl RecvStream) -> (Vec<u8>, Result<(), RecvError>) {
    let mut bytes = Vec::new();
    loop {
        match poll_fn(|cx| stream.poll_read_chunk(cx)).await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes, Ok(())),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

/// Reads exactly this many bytes, which have to arrive in whole chunks.
pub(crate) async fn read_exactly(stream: &mut impl RecvStream, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let chunk = poll_fn(|cx| stream.poll_read_chunk(cx))
            .await
            .unwrap()
            .unwrap();
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(bytes.len(), len);
    bytes
}

/// Waits until everything was acknowledged.
pub(crate) async fn acknowledged(stream: &mut impl SendStream) -> Result<(), SendError> {
    poll_fn(|cx| stream.poll_closed(cx)).await
}

pub(crate) async fn closed(connection: &mut impl Transport) -> TransportError {
    poll_fn(|cx| connection.poll_closed(cx)).await
}

/// The server's end of the next connection.
pub(crate) async fn accepted(server: &Server) -> Accepted {
    server
        .accept()
        .await
        .unwrap()
        .accept(Some(PROTOCOL))
        .await
        .unwrap()
}

/// What was wrong with the certificate.
pub(crate) fn problem(result: Result<Connection, ConnectError>) -> CertificateProblem {
    match result {
        Err(ConnectError::Certificate { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

/// A file with an identity's certificate, deleted when dropped.
pub(crate) struct RootFile(std::path::PathBuf);

impl RootFile {
    pub(crate) fn of(identity: &Identity) -> Self {
        let name = format!("moq-transport-quinn-{}.pem", identity.fingerprint());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, identity.to_pem().0).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for RootFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0).is_ok();
    }
}

/// A client of another make, which trusts one certificate as a root.
pub(crate) fn foreign_client(identity: &Identity, alpn: &str) -> quinn::ClientConfig {
    let (certificate, _) = identity.to_pem();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.into()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
    quinn::ClientConfig::new(Arc::new(crypto))
}

/// A client of another make on raw QUIC, with its endpoint, and its connection at the server.
pub(crate) async fn foreign_pair(
    server: &Server,
) -> (quinn::Endpoint, quinn::Connection, Accepted) {
    let identity = identity();
    server.set_certificate(identity.clone());
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let config = foreign_client(&identity, PROTOCOL);
    let connecting = endpoint.connect_with(config, server.local_addrs()[0], "localhost");
    let (foreign, accepted) = tokio::join!(connecting.unwrap(), server.accept());
    let accepted = accepted.unwrap().accept(None).await.unwrap();
    (endpoint, foreign.unwrap(), accepted)
}
