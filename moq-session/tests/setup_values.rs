//! What SETUP says, and where it goes.

mod common;

use common::hands::client;
use common::scripts::{enter_as, track, track_info};
use common::urls::WithUrl;
use common::{for_each_version, for_each_with, speaking};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{Established, Grant, OriginProducer, Role, Session, Version};
use moq_wire::{BiStream, HopId, Setup, Track, TrackInfo, UniStream};

/// Runs a test for each version that has a SETUP.
fn for_each_with_setup<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.setup_stream, test);
}

// spec: Section 6.1, "unknown SETUP parameter; unknown Role; Probe level above 2"
// spec: Section 6.1, "SETUP Hop 0"
#[test]
fn what_a_setup_says_beyond_the_draft_is_ignored() {
    for_each_with_setup(|version| async move {
        let (mut peer, request) = client(version, &[version]);
        let mut stream = peer.open_uni(UniStream::Setup).await;
        let parameters = [14, 4, 0x1f, 2, 9, 9, 3, 1, 7, 1, 1, 33, 5, 1, 0];
        stream.send_bytes(parameters).await;
        stream.finish();
        let request = request.await.unwrap().unwrap();
        assert_eq!(request.role(), None);
        assert_eq!((request.path(), request.query()), ("/", None));
        let grant = Grant::everything(moq_session::BroadcastPath::root());
        let session = request.accept(grant).await.unwrap();
        peer.expect_alive().await;
        assert!(session.is_open());
    });
}

#[test]
fn path_query_and_role_reach_the_request() {
    for_each_with_setup(|version| async move {
        let (client, server) = memory_pair(version);
        let client = client.with_setup_path("/room/a?jwt=x?y");
        let config = speaking(version).with_role(Role::Publisher);
        let _session = Session::connect_with(client, config).await.unwrap();
        let request = Session::accept(Established::new(server), speaking(version)).await;
        let request = request.unwrap();
        assert_eq!(request.path(), "/room/a");
        assert_eq!(request.query(), Some("jwt=x?y"));
        assert_eq!(request.role(), Some(Role::Publisher));
        assert!(!format!("{request:?}").contains("jwt"), "it is a secret");
    });
}

// spec: Section 6.1, "Path received over a binding that has a URL"
#[test]
fn a_path_beside_a_url_is_ignored() {
    for_each_version(|version| async move {
        let (client, server) = memory_pair(version);
        let incoming = WithUrl::new(server, "/url?a=b", version);
        let request = Session::accept(incoming, speaking(version)).await.unwrap();
        assert_eq!((request.path(), request.query()), ("/url", Some("a=b")));
        let grant = Grant::everything(moq_session::BroadcastPath::root());
        let mut peer = Peer::new(client, version);
        let setup = Setup {
            path: Some("/setup".to_owned()),
            ..Setup::default()
        };
        let (session, ()) = tokio::join!(request.accept(grant), peer.setup(&setup));
        let session = session.unwrap();
        peer.expect_alive().await;
        assert!(session.is_open());
    });
}

#[test]
fn a_clients_setup_comes_first_and_whole() {
    for_each_with_setup(|version| async move {
        let (client, server) = memory_pair(version);
        let _session = Session::connect_with(client, speaking(version))
            .await
            .unwrap();
        let mut peer = Peer::new(server, version);
        let mut stream = peer.expect_uni(UniStream::Setup).await;
        let setup: Setup = stream.expect().await;
        stream.expect_fin().await;
        assert!(setup.hop.is_some_and(|hop| hop != HopId::ANONYMOUS));
        assert_eq!(setup.path, None);
        let setup = Setup { hop: None, ..setup };
        assert_eq!(setup, Setup::default());
        let _ = enter_as(version, &OriginProducer::new(), &setup).await;
    });
}

// spec: Section 6.1, "Path or Role from a server"
#[test]
fn path_and_role_of_a_server_are_ignored() {
    for_each_with_setup(|version| async move {
        for role in [Role::Publisher, Role::Subscriber] {
            let (client, server) = memory_pair(version);
            let session = Session::connect_with(client, speaking(version))
                .await
                .unwrap();
            let broadcast = common::finished(&[]);
            let _publication = session.publish("room", broadcast.consume()).unwrap();
            let mut peer = Peer::new(server, version);
            let setup = Setup {
                path: Some("/elsewhere".to_owned()),
                role: Some(role),
                ..Setup::default()
            };
            peer.setup(&setup).await;
            session.set_up().await;
            let wish = track("room", "data");
            let mut stream = peer.request(BiStream::Track, &wish).await;
            let _: TrackInfo = stream.expect().await;
            let asked = session.track("hall", "data").unwrap();
            let (wish, mut stream) = peer.expect_request::<Track>(BiStream::Track).await;
            assert_eq!(wish, track("hall", "data"));
            stream.send(&track_info()).await;
            assert!(asked.info().await.is_ok());
        }
    });
}
