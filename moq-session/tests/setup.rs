//! SETUP, admission, and sessions that do not come about.

mod common;

use std::time::Duration;

use common::scripts::{enter, settle};
use common::urls::WithUrl;
use common::{for_each_version, for_each_with, speaking};
use moq_session::testing::{MemoryConnection, Peer, memory_pair};
use moq_session::{
    AcceptError, Config, ConnectError, Established, Grant, OriginProducer, PeerFault, Refusal,
    Request, Session, SessionError, Version,
};
use moq_wire::code::session::{CONTROL_TIMEOUT, PROTOCOL_VIOLATION, UNAUTHORIZED, VERSION};
use moq_wire::code::stream::INTERNAL;
use moq_wire::{AnnounceRequest, BiStream, Setup, Track, TrackInfo, UniStream};
use tokio::task::JoinHandle;

/// Runs a test for each version that has a SETUP.
fn for_each_with_setup<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.setup_stream, test);
}

type Accepted = Result<Request<Established<MemoryConnection>>, AcceptError>;

/// A peer in a client's place, and what becomes of its request.
async fn accept(version: Version) -> (Peer, JoinHandle<Accepted>) {
    let (client, server) = memory_pair(version);
    let request = Session::accept(Established::new(server), speaking(version));
    (Peer::new(client, version), tokio::spawn(request))
}

// spec: Section 6.1, "second Setup stream"
#[test]
fn a_second_setup_closes_the_session() {
    for_each_with_setup(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let _second = peer.open_uni(UniStream::Setup).await;
        peer.expect_close(PROTOCOL_VIOLATION).await;
        let fault = session.closed().await;
        assert!(matches!(fault, SessionError::Peer(PeerFault::SecondSetup)));

        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        peer.setup(&Setup::default()).await;
        peer.expect_close(PROTOCOL_VIOLATION).await;
    });
}

/// Bodies of SETUP that break a rule, with their length in front.
const MALFORMED: [(&str, &[u8]); 4] = [
    ("a parameter twice", &[7, 2, 3, 1, 1, 3, 1, 1]),
    ("a parameter past the end", &[3, 1, 3, 9]),
    ("bytes left over", &[2, 0, 0]),
    ("more parameters than are read", &[2, 0x40, 65]),
];

// spec: Section 6.1, "repeated SETUP parameter; SETUP unparsable, above 64 KiB"
#[test]
fn a_malformed_setup_closes_the_session() {
    for_each_with_setup(|version| async move {
        let mut too_long = bytes::BytesMut::new();
        moq_wire::varint::put(64 * 1_024 + 1, &mut too_long, version).expect("it is in range");
        let too_long = ("a body above 64 KiB", &too_long[..]);
        for (what, bytes) in MALFORMED.into_iter().chain([too_long]) {
            eprintln!("{what}");
            let (client, server) = memory_pair(version);
            let session = Session::connect_with(client, speaking(version))
                .await
                .unwrap();
            let mut peer = Peer::new(server, version);
            let mut stream = peer.open_uni(UniStream::Setup).await;
            stream.send_bytes(bytes).await;
            peer.expect_close(PROTOCOL_VIOLATION).await;
            assert!(!session.is_open());

            let (mut peer, request) = accept(version).await;
            let mut stream = peer.open_uni(UniStream::Setup).await;
            stream.send_bytes(bytes).await;
            peer.expect_close(PROTOCOL_VIOLATION).await;
            assert!(request.await.unwrap().is_err());
        }
    });
}

// spec: Section 6.1, "Setup stream reset early"
#[test]
fn a_setup_that_is_not_completed_closes_the_session() {
    for_each_with_setup(|version| async move {
        for is_reset in [false, true] {
            let (client, server) = memory_pair(version);
            let _session = Session::connect_with(client, speaking(version))
                .await
                .unwrap();
            let mut peer = Peer::new(server, version);
            let mut stream = peer.open_uni(UniStream::Setup).await;
            stream.send_bytes([5, 1, 3]).await;
            settle().await;
            if is_reset {
                stream.reset(0);
            } else {
                stream.finish();
            }
            peer.expect_close(PROTOCOL_VIOLATION).await;
        }
    });
}

// spec: Section 6.1, "no SETUP within a few seconds"
#[test]
fn a_client_without_a_setup_is_turned_away() {
    for_each_with_setup(|version| async move {
        let before = tokio::time::Instant::now();
        let (mut peer, request) = accept(version).await;
        let _silent = peer.open_raw_uni().await;
        peer.expect_close(CONTROL_TIMEOUT).await;
        assert_eq!(before.elapsed(), Duration::from_secs(10));
        let error = request.await.unwrap().err().unwrap();
        let no_setup = SessionError::Peer(PeerFault::NoSetup).to_string();
        assert_eq!(error.to_string(), no_setup);

        let (client, server) = memory_pair(version);
        let incoming = WithUrl::new(server, "/room", version);
        let request = Session::accept(incoming, speaking(version)).await.unwrap();
        let grant = Grant::everything(moq_session::BroadcastPath::root());
        let _session = request.accept(grant).await.unwrap();
        Peer::new(client, version)
            .expect_close(CONTROL_TIMEOUT)
            .await;
    });
}

// spec: Section 6.1, "a client may carry on, since only Probe, price and identity wait for it"
#[test]
fn a_server_without_a_setup_is_served_all_the_same() {
    for_each_with_setup(|version| async move {
        let (client, server) = memory_pair(version);
        let session = Session::connect_with(client, speaking(version))
            .await
            .unwrap();
        let broadcast = moq_session::BroadcastProducer::new();
        let _track = broadcast.create(moq_session::Track::new("data")).unwrap();
        let _publication = session.publish("room", broadcast.consume()).unwrap();
        let mut peer = Peer::new(server, version);
        let request = Track {
            broadcast: "room".try_into().unwrap(),
            track: "data".to_owned(),
        };
        let mut stream = peer.request(BiStream::Track, &request).await;
        let _: TrackInfo = stream.expect().await;
        assert!(session.is_open());
        peer.setup(&Setup::default()).await;
        peer.expect_alive().await;
    });
}

#[test]
fn a_refused_peer_is_told_so() {
    for_each_version(|version| async move {
        for is_dropped in [false, true] {
            let (mut peer, request) = accept(version).await;
            peer.setup(&Setup::default()).await;
            let request = request.await.unwrap().unwrap();
            if is_dropped {
                drop(request);
            } else {
                request.refuse(Refusal::Unauthorized).await;
            }
            peer.expect_close(UNAUTHORIZED).await;
        }
    });
}

// spec: Section 1.8, "the transport reports a name the endpoint did not offer or has disabled"
#[test]
fn without_a_common_version_there_is_no_session() {
    let others = |version: Version| {
        let others = Version::ALL.iter().copied();
        let others = others.filter(|other| other.alpn() != version.alpn());
        Config::default().with_versions(others.collect::<Vec<_>>())
    };
    for_each_version(|version| async move {
        let (client, server) = memory_pair(version);
        let error = Session::connect_with(client, others(version)).await;
        assert!(matches!(error, Err(ConnectError::NoCommonVersion { .. })));
        Peer::new(server, version).expect_close(VERSION).await;

        let (client, server) = memory_pair(version);
        let error = Session::accept(Established::new(server), others(version)).await;
        assert!(matches!(error, Err(AcceptError::NoCommonVersion { .. })));
        Peer::new(client, version).expect_close(VERSION).await;
    });
}

#[test]
fn a_driver_that_is_never_polled_leaves_nothing_behind() {
    for_each_version(|version| async move {
        let (client, server) = memory_pair(version);
        let origin = OriginProducer::new();
        let config = speaking(version).with_subscribe(origin.clone());
        let mut peer = Peer::new(server, version);
        let setup = Setup::default();
        let (started, ()) = tokio::join!(
            Session::connect_with_driver(client, config),
            peer.setup(&setup)
        );
        let (session, driver) = started.unwrap();
        drop(driver);
        assert!(!session.is_open());
        peer.expect_close(0).await;
        let root = moq_session::BroadcastPath::root();
        let event = origin.consume().announced(&root).next().await;
        assert_eq!(event, moq_session::AnnouncedEvent::Live);
    });
}

// spec: Section 1.7, "It stops (STOP_SENDING 0) and forgets any other unidirectional stream that arrives first"
#[test]
fn what_comes_before_a_clients_setup_is_stopped() {
    for_each_with_setup(|version| async move {
        let (mut peer, request) = accept(version).await;
        let mut early = peer.open_uni(UniStream::Group).await;
        early.expect_stop(INTERNAL).await;
        peer.setup(&Setup::default()).await;
        assert!(request.await.unwrap().is_ok());
    });
}

// spec: Section 1.7, "Neither side has to wait for the other's SETUP before opening its own streams"
#[test]
fn a_client_asks_for_announcements_before_the_servers_setup() {
    for_each_with_setup(|version| async move {
        let (client, server) = memory_pair(version);
        let config = speaking(version).with_subscribe(OriginProducer::new());
        let _session = Session::connect_with(client, config).await.unwrap();
        let before = tokio::time::Instant::now();
        let mut peer = Peer::new(server, version);
        let (_, _stream) = peer
            .expect_request::<AnnounceRequest>(BiStream::Announce)
            .await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    });
}
