//! The handshake inside a session: what it settles, and the request that goes with it.

mod common;

use bytes::{Bytes, BytesMut};
use common::hands::{Accepted, answer, client, for_each_with_handshake, let_in, offer, server};
use common::speaking;
use common::urls::WithUrl;
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    AcceptError, BroadcastPath, Config, ConnectError, Established, Grant, Session, Version,
};
use moq_wire::code::session::VERSION;
use moq_wire::{ClientSetup, Parameter, ParameterValue};

/// The code point of another protocol, which clients in service offer as well.
const FOREIGN: u64 = 0xff00_000e;
const ONE: u64 = 0xff0d_ad01;
const TWO: u64 = 0xff0d_ad02;
/// A draft that no handshake settles.
const SIX: u64 = 0xff0d_ad06;

fn everything() -> Grant {
    Grant::everything(BroadcastPath::root())
}

// spec: Section 1.6, "The server takes the first version in the client's list that it implements"
#[test]
fn the_first_acceptable_offer_is_settled() {
    for_each_with_handshake(|version| async move {
        let other = if version.code_point() == ONE {
            TWO
        } else {
            ONE
        };
        let own = version.code_point();
        let offers: [(&[u64], &[Version]); 4] = [
            (&[own, other], Version::OFFERED),
            (&[FOREIGN, own, other, FOREIGN], Version::OFFERED),
            (&[SIX, own], Version::ALL),
            (&[other, FOREIGN, own], &[Version::Lite06, version]),
        ];
        for (offered, acceptable) in offers {
            let (mut peer, accepted) = client(version, acceptable);
            let mut stream = offer(&mut peer, offered).await;
            assert_eq!(answer(&mut stream).await.version, own);
            let session = let_in(accepted.await.unwrap().unwrap()).await;
            assert_eq!(session.version(), version);
            peer.expect_alive().await;
        }
    });
}

// spec: Section 1.6, "20 003a 03 c0000000ff0dad02 c0000000ff0dad01 c0000000ff00000e 04"
#[test]
fn a_client_in_service_is_answered_to_the_byte() {
    for_each_with_handshake(|version| async move {
        let versions =
            b"\x03\xc0\0\0\0\xff\x0d\xad\x02\xc0\0\0\0\xff\x0d\xad\x01\xc0\0\0\0\xff\0\0\x0e";
        let parameters = b"\x04\x80\x04\x0b\x5c\x01\x02\xc0\0\0\0\xff\xff\xff\xff\x80\x04\x0b\x5a\x01\x07\x0bmoq-lite-rs";
        let (mut peer, accepted) = client(version, &[version]);
        let mut stream = peer.open_raw_bi().await;
        for part in [&b"\x20\0\x3a"[..], versions, parameters] {
            for byte in part {
                stream.send_bytes([*byte]).await;
            }
        }
        let last = version.code_point().to_be_bytes()[7];
        stream
            .expect_bytes(&[0x21, 0, 9, 0xc0, 0, 0, 0, 0xff, 0x0d, 0xad, last, 0])
            .await;
        let request = accepted.await.unwrap().unwrap();
        assert_eq!((request.path(), request.query()), ("/", None));
        assert_eq!(request.version(), Some(version));
        let _session = let_in(request).await;
        peer.expect_alive().await;
    });
}

// spec: Section 1.6, "versions in preference order"
#[test]
fn a_client_offers_what_it_accepts_in_its_order() {
    for_each_with_handshake(|version| async move {
        let (mut peer, connected) = server(version, Version::OFFERED);
        let mut stream = peer.expect_raw_bi().await;
        stream.expect_bytes(b"\x20\0\x12\x02").await;
        stream.expect_bytes(b"\xc0\0\0\0\xff\x0d\xad\x02").await;
        stream.expect_bytes(b"\xc0\0\0\0\xff\x0d\xad\x01\0").await;
        let last = version.code_point().to_be_bytes()[7];
        let answer = [0x21, 0, 9, 0xc0, 0, 0, 0, 0xff, 0x0d, 0xad, last, 0];
        for byte in answer {
            stream.send_bytes([byte]).await;
        }
        let session = connected.await.unwrap().unwrap();
        assert_eq!(session.version(), version);
        peer.expect_alive().await;
    });
}

// spec: Section 1.6, "2 bytes, big endian"
#[test]
fn an_offer_may_be_longer_than_one_byte_counts() {
    for_each_with_handshake(|version| async move {
        for len in [300, 60_000] {
            let (mut peer, accepted) = client(version, &[version]);
            let long = Parameter {
                id: 5,
                value: ParameterValue::Bytes(Bytes::from(vec![b'a'; len])),
            };
            let setup = ClientSetup {
                versions: vec![version.code_point()],
                parameters: vec![long],
            };
            let mut bytes = BytesMut::new();
            setup.put(&mut bytes).expect("it can be written");
            let mut stream = peer.open_raw_bi().await;
            stream.send_bytes(bytes).await;
            answer(&mut stream).await;
            assert!(accepted.await.unwrap().is_ok());
        }
    });
}

fn offered(accepted: Accepted) -> Vec<String> {
    match accepted {
        Err(AcceptError::NoCommonVersion { offered }) => offered,
        Err(error) => panic!("{error}"),
        Ok(request) => panic!("{request:?}"),
    }
}

// spec: Section 1.8, "`moql` handshake, no common version"
#[test]
fn a_client_without_a_common_version_is_turned_away() {
    for_each_with_handshake(|version| async move {
        let (mut peer, accepted) = client(version, &[version]);
        let _stream = offer(&mut peer, &[FOREIGN, SIX]).await;
        peer.expect_close(VERSION).await;
        assert_eq!(
            offered(accepted.await.unwrap()),
            ["0xff00000e", "0xff0dad06"]
        );

        let (client, server) = memory_pair(version);
        let mut peer = Peer::new(client, version);
        let incoming = WithUrl::new(server, "/", version);
        let request = Session::accept(incoming, speaking(version)).await.unwrap();
        let (session, _stream) =
            tokio::join!(request.accept(everything()), offer(&mut peer, &[FOREIGN]));
        assert!(matches!(session, Err(AcceptError::NoCommonVersion { .. })));
        peer.expect_close(VERSION).await;
    });
}

fn chosen<T>(connected: Result<T, ConnectError>) -> Option<String> {
    match connected.err() {
        Some(ConnectError::NoCommonVersion { chosen, .. }) => chosen,
        other => panic!("{other:?}"),
    }
}

// spec: Section 1.8, "`moql` handshake, no common version"
#[test]
fn a_server_that_settles_on_what_was_not_offered_is_left() {
    for_each_with_handshake(|version| async move {
        let other = if version.code_point() == ONE {
            TWO
        } else {
            ONE
        };
        for code_point in [other, FOREIGN, SIX] {
            let (mut peer, connected) = server(version, &[version]);
            let mut stream = peer.expect_raw_bi().await;
            let mut bytes = BytesMut::from(&b"\x21\0\x09\xc0\0\0\0"[..]);
            bytes.extend_from_slice(&u32::try_from(code_point).unwrap().to_be_bytes());
            bytes.extend_from_slice(&[0]);
            stream.send_bytes(bytes).await;
            peer.expect_close(VERSION).await;
            let chosen = chosen(connected.await.unwrap());
            assert_eq!(chosen, Some(format!("{code_point:#x}")));
        }
        let (mut peer, connected) = server(version, &[version]);
        let _stream = peer.expect_raw_bi().await;
        peer.close(VERSION, "");
        assert_eq!(chosen(connected.await.unwrap()), None);
    });
}

// spec: Section 1.6, "on bindings without a URL possibly 0x01 = path"
#[test]
fn the_path_of_an_offer_reaches_the_request() {
    for_each_with_handshake(|version| async move {
        let (client, server) = memory_pair(version);
        let client = client.with_setup_path("/room/a?jwt=x?y");
        let (session, request) = tokio::join!(
            Session::connect_with(client, speaking(version)),
            Session::accept(Established::new(server), speaking(version))
        );
        let request = request.unwrap();
        assert_eq!(request.path(), "/room/a");
        assert_eq!(request.query(), Some("jwt=x?y"));
        assert!(!format!("{request:?}").contains("jwt"), "it is a secret");
        let accepted = let_in(request).await;
        assert!(session.unwrap().is_open() && accepted.is_open());
    });
}

// spec: Section 1.4, "both ends then behave as if `moql` had been agreed"
#[test]
fn without_a_name_the_handshake_follows_the_grant() {
    for_each_with_handshake(|version| async move {
        for protocols in [vec![], vec!["moqt-22".to_owned()]] {
            let (client, server) = memory_pair(version);
            let client = client.with_setup_path("/ignored");
            let incoming = WithUrl {
                connection: server,
                path: "/url?a=b".to_owned(),
                protocols,
            };
            let config = Config::default().with_versions(Version::OFFERED);
            let request = Session::accept(incoming, config).await.unwrap();
            assert_eq!((request.path(), request.query()), ("/url", Some("a=b")));
            assert_eq!(request.version(), None);
            let (session, accepted) = tokio::join!(
                Session::connect_with(client, speaking(version)),
                request.accept(everything())
            );
            assert_eq!(session.unwrap().version(), version);
            assert_eq!(accepted.unwrap().version(), version);
        }
    });
}

// spec: Section 1.8, "WebTransport, no common subprotocol"
#[test]
fn a_server_may_do_without_the_handshake() {
    for_each_with_handshake(|version| async move {
        for protocols in [vec![], vec!["moql".to_owned()]] {
            let (client, server) = memory_pair(version);
            let incoming = WithUrl {
                connection: server,
                path: "/".to_owned(),
                protocols: protocols.clone(),
            };
            let settled = Version::ALL.iter().copied();
            let settled = settled.filter(|version| !version.features().handshake);
            let config = Config::default().with_versions(settled.collect::<Vec<_>>());
            let request = Session::accept(incoming, config).await;
            let Err(AcceptError::NoCommonVersion { offered }) = request else {
                panic!("{request:?}");
            };
            assert_eq!(offered, protocols);
            Peer::new(client, version).expect_close(VERSION).await;
        }
    });
}
