//! How connections fail to come about, and what is said then.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::suite::support::{
    BINDINGS, RootFile, accept_uni, accepted, client, client_config, closed, identity, open_uni,
    pair, problem, read, server, url, write,
};
use moq_session::transport::{Incoming as _, SendStream as _, TransportError};
use moq_transport_quinn::tls::Identity;
use moq_transport_quinn::{CertificateProblem, Client, ConnectError, Phase};
use url::Url;

#[tokio::test]
async fn a_refusal_tells_the_status_or_the_close_code() {
    let server = server();
    let client = client(&server);
    let refused = async { server.accept().await.unwrap().refuse(403, 2).await };
    let (refusal, ()) = tokio::join!(client.connect(url(&server, "https", "/room")), refused);
    assert!(
        matches!(refusal, Err(ConnectError::Rejected { status: 403 })),
        "{refusal:?}"
    );

    let refused = async { server.accept().await.unwrap().refuse(403, 2).await };
    let (connected, ()) = tokio::join!(client.connect(url(&server, "moqt", "/room")), refused);
    let end = closed(&mut connected.unwrap()).await;
    assert!(
        matches!(end, TransportError::Closed { code: 2, .. }),
        "{end:?}"
    );
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_named() {
    for scheme in BINDINGS {
        let server = server();
        let client = Client::new(client_config().with_fingerprint(identity().fingerprint()));
        let error = client.connect(url(&server, scheme, "/")).await.unwrap_err();
        let ConnectError::Certificate {
            problem,
            fingerprint,
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(*problem, CertificateProblem::NotPinned);
        assert_eq!(*fingerprint, server.fingerprints()[0]);
        assert!(error.to_string().contains(&fingerprint.to_string()) && error.is_terminal());
    }
}

#[tokio::test]
async fn untrusted_issuers_and_names_are_told_apart() {
    let server = server();
    let unknown = Client::new(client_config())
        .connect(url(&server, "https", "/"))
        .await;
    assert_eq!(problem(unknown), CertificateProblem::UnknownIssuer);

    let other = Identity::generate(&["other.example".into()]).unwrap();
    server.set_certificate(other.clone());
    let root = RootFile::of(&other);
    let other_name = Client::new(client_config().with_root_file(root.path()));
    let other_name = other_name.connect(url(&server, "https", "/")).await;
    assert_eq!(problem(other_name), CertificateProblem::OtherName);
}

#[tokio::test]
async fn no_common_protocol_on_raw_quic_is_an_error_of_its_own() {
    let server = server();
    let config = client_config().with_protocols(["moq-lite-99"]);
    let client = Client::new(config.with_fingerprint(server.fingerprints()[0]));
    let error = client.connect(url(&server, "moqt", "/")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoCommonVersion), "{error:?}");
}

#[tokio::test]
async fn an_unknown_host_has_no_address() {
    let client = Client::new(client_config().with_insecure(true));
    let error = client
        .connect("moqt://nowhere.invalid".parse().unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ConnectError::Resolve { host, .. } if host == "nowhere.invalid"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_refused_port_is_known_at_once() {
    let unused = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = unused.local_addr().unwrap();
    drop(unused);
    let client = Client::new(client_config().with_insecure(true));
    let begin = Instant::now();
    let error = client
        .connect(Url::parse(&format!("https://{addr}")).unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::Refused { addr: at } if at == addr),
        "{error:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_silent_port_ends_with_the_timeout() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let config = client_config()
        .with_insecure(true)
        .with_timeout(Duration::from_millis(50));
    let url = Url::parse(&format!("moqt://{}", silent.local_addr().unwrap())).unwrap();
    let error = Client::new(config).connect(url).await.unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::Timeout {
                phase: Phase::Handshake,
                ..
            }
        ),
        "{error:?}"
    );
}

/// First packets of clients that never go on, as forged ones are.
#[tokio::test]
async fn many_unfinished_handshakes_make_the_server_ask_for_a_retry() {
    let server = server();
    let blackhole = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let url_there = Url::parse(&format!("moqt://{}", blackhole.local_addr().unwrap())).unwrap();
    let config = client_config()
        .with_insecure(true)
        .with_timeout(Duration::from_secs(60));
    let lost = Client::new(config);
    let (mut attempts, mut packet) = (tokio::task::JoinSet::new(), [0; 2048]);
    let mut forged = Vec::new();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..=100 {
        let (client, url) = (lost.clone(), url_there.clone());
        attempts.spawn(async move { client.connect(url).await });
        let len = loop {
            // The probe for a refused port is empty, and a retransmission has a known id.
            let len = blackhole.recv(&mut packet).await.unwrap();
            if len > 0 && ids.insert(packet[6..14].to_vec()) {
                break len;
            }
        };
        let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        socket
            .send_to(&packet[..len], server.local_addrs()[0])
            .await
            .unwrap();
        forged.push(socket);
    }
    forged[100].recv(&mut packet).await.unwrap();
    assert_eq!(packet[0] & 0b1111_0000, 0b1111_0000, "a Retry packet");

    let genuine = client(&server);
    let (connected, _accepted) = tokio::join!(
        genuine.connect(url(&server, "moqt", "/")),
        accepted(&server)
    );
    assert!(connected.is_ok(), "{connected:?}");
}

/// Whoever turns away at the server's certificate is nobody's peer.
#[tokio::test]
async fn a_handshake_that_the_client_gives_up_is_not_accepted() {
    let server = server();
    for _ in 0..4 {
        let elsewhere = client_config().with_fingerprint(identity().fingerprint());
        let refused = Client::new(elsewhere)
            .connect(url(&server, "moqt", "/"))
            .await;
        assert_eq!(problem(refused), CertificateProblem::NotPinned);
    }
    let (mut client, mut accepted) = pair(&server, "moqt").await;
    let mut sent = open_uni(&mut client).await;
    write(&mut sent, &[b"x"]).await;
    sent.finish();
    assert_eq!(read(&mut accept_uni(&mut accepted).await).await.0, b"x");
}
