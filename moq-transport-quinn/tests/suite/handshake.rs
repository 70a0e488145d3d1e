//! How connections come about.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::bind;
use crate::suite::support::{
    BINDINGS, PROTOCOL, RootFile, accepted, client, client_config, identity, pair, problem, server,
    url,
};
use moq_session::transport::{Incoming as _, Transport as _, TransportKind};
use moq_transport_quinn::tls::Fingerprint;
use moq_transport_quinn::{CertificateProblem, Client, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

#[tokio::test]
async fn webtransport_tells_path_and_protocols_before_it_is_answered() {
    let server = server();
    let offered = client_config().with_protocols(["moq-lite-06", "moq-lite-05"]);
    let client = Client::new(offered.with_fingerprint(server.fingerprints()[0]));
    let answered = async {
        let incoming = server.accept().await.unwrap();
        assert_eq!(incoming.request_path(), Some("/room?jwt=T"));
        assert_eq!(incoming.protocols(), ["moq-lite-06", "moq-lite-05"]);
        incoming.accept(Some("moq-lite-05")).await.unwrap()
    };
    let (connected, accepted) = tokio::join!(
        client.connect(url(&server, "https", "/room?jwt=T")),
        answered
    );
    assert_eq!(
        connected.unwrap().info().protocol.as_deref(),
        Some("moq-lite-05")
    );
    assert_eq!(accepted.info().protocol.as_deref(), Some("moq-lite-05"));
}

#[tokio::test]
async fn who_asks_is_known_before_it_is_answered() {
    for scheme in BINDINGS {
        let server = server();
        let client = client(&server);
        let port = server.local_addrs()[0].port();
        let url = Url::parse(&format!("{scheme}://localhost:{port}/room")).unwrap();
        let (connected, incoming) = tokio::join!(client.connect(url), async {
            let incoming = server.accept().await.unwrap();
            let info = incoming.info();
            incoming.accept(Some(PROTOCOL)).await.unwrap();
            info
        });
        drop(connected);
        let is_web = scheme == "https";
        let kind = [TransportKind::Quic, TransportKind::WebTransport][usize::from(is_web)];
        assert_eq!(incoming.kind, kind);
        assert!(incoming.remote.unwrap().ip().is_loopback());
        let authority = if is_web {
            format!("localhost:{port}")
        } else {
            "localhost".to_owned()
        };
        assert_eq!(incoming.authority, Some(authority));
        assert_eq!(incoming.origin, None);
    }
}

#[tokio::test]
async fn webtransport_without_a_common_protocol_is_a_session_without_a_name() {
    let server = server();
    let client = client(&server);
    let answered = async { server.accept().await.unwrap().accept(None).await.unwrap() };
    let (connected, accepted) = tokio::join!(client.connect(url(&server, "https", "/")), answered);
    assert_eq!(connected.unwrap().info().protocol, None);
    assert_eq!(accepted.info().protocol, None);
}

#[tokio::test]
async fn raw_quic_tells_the_negotiated_protocol() {
    let server = server();
    let client = client(&server);
    let (connected, incoming) = tokio::join!(
        client.connect(url(&server, "moqt", "/room")),
        server.accept()
    );
    let incoming = incoming.unwrap();
    assert_eq!(
        (incoming.request_path(), incoming.protocols()),
        (None, &[PROTOCOL.to_owned()][..])
    );
    drop(connected);
}

#[tokio::test]
async fn a_root_file_and_the_insecure_mode_let_a_client_in() {
    let (server, identity) = (server(), identity());
    server.set_certificate(identity.clone());
    let root = RootFile::of(&identity);
    for config in [
        client_config().with_root_file(root.path()),
        client_config().with_insecure(true),
    ] {
        for scheme in BINDINGS {
            let client = Client::new(config.clone());
            let (connected, _incoming) =
                tokio::join!(client.connect(url(&server, scheme, "/")), accepted(&server));
            assert!(connected.is_ok(), "{connected:?}");
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_served_at_once() {
    let server = server();
    let (mut before, _accepted) = pair(&server, "moqt").await;
    let renewed = identity();
    server.set_certificate(renewed.clone());
    assert_eq!(server.fingerprints(), [renewed.fingerprint()]);
    let (_after, _accepted_after) = pair(&server, "https").await;
    before.close(0, "");
}

#[tokio::test]
async fn both_loopback_families_share_a_port_and_localhost_finds_either() {
    let config = ServerConfig::default()
        .with_listen(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)))
        .with_listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .with_identity(identity())
        .with_protocols([PROTOCOL]);
    let server = bind(config);
    let [v6, v4] = server.local_addrs() else {
        panic!("two addresses")
    };
    assert_eq!(v6.port(), v4.port());
    let client = client(&server);
    for host in ["[::1]", "127.0.0.1", "localhost", "LOCALHOST"] {
        let url = Url::parse(&format!("moqt://{host}:{}", v4.port())).unwrap();
        let (connected, _incoming) = tokio::join!(client.connect(url), accepted(&server));
        assert!(connected.is_ok(), "{host}: {connected:?}");
    }
}

#[tokio::test]
async fn plain_http_fetches_the_fingerprint_first() {
    let server = server();
    let port = server.local_addrs()[0].port();
    // The same number on TCP, as a relay has it.
    let http = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let served = async {
        for fingerprint in [server.fingerprints()[0], Fingerprint::from([0; 32])] {
            let (mut stream, _) = http.accept().await.unwrap();
            let mut request = [0; 1024];
            let len = stream.read(&mut request).await.unwrap();
            assert!(request[..len].starts_with(b"GET /certificate.sha256 HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n{fingerprint}\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let asked = async {
        let client = Client::new(client_config());
        let (connected, accepted) = tokio::join!(
            client.connect(url(&server, "http", "/room")),
            accepted(&server)
        );
        assert!(connected.is_ok(), "{connected:?}");
        drop(accepted);
        let wrong = client.connect(url(&server, "http", "/room")).await;
        assert_eq!(problem(wrong), CertificateProblem::NotPinned);
    };
    tokio::join!(served, asked);
}

#[tokio::test]
async fn a_closed_client_is_idle_soon() {
    for scheme in BINDINGS {
        let server = server();
        let client = client(&server);
        let (connected, _accepted) =
            tokio::join!(client.connect(url(&server, scheme, "/")), accepted(&server));
        connected.unwrap().close(0, "");
        client.wait_idle().await;
    }
}
