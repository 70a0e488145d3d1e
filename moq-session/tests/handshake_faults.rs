//! Handshakes that fail, and the stream that one leaves behind.

mod common;

use std::time::Duration;

use common::hands::{answer, client, for_each_with_handshake, offer, server, shaken};
use common::scripts::settle;
use common::speaking;
use common::urls::WithUrl;
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    AcceptError, BroadcastPath, ConnectError, Grant, PeerFault, Session, SessionError,
};
use moq_wire::code::session::{CONTROL_TIMEOUT, NO_ERROR, PROTOCOL_VIOLATION};
use moq_wire::code::stream::CANCELLED;

/// How long a handshake may take.
const LIMIT: Duration = Duration::from_secs(10);

// spec: Section 6.1, "no SETUP within a few seconds"
#[test]
fn a_client_that_does_not_shake_hands_is_turned_away() {
    for_each_with_handshake(|version| async move {
        for begun in [&[][..], b"\x20\0\x3a\x03"] {
            let before = tokio::time::Instant::now();
            let (mut peer, accepted) = client(version, &[version]);
            let mut stream = peer.open_raw_bi().await;
            stream.send_bytes(begun).await;
            peer.expect_close(CONTROL_TIMEOUT).await;
            assert_eq!(before.elapsed(), LIMIT);
            let error = accepted.await.unwrap().unwrap_err();
            let is_late = matches!(
                error,
                AcceptError::Session(SessionError::Peer(PeerFault::NoSetup))
            );
            assert!(is_late, "{error}");
        }

        let (client, server) = memory_pair(version);
        let incoming = WithUrl::new(server, "/", version);
        let request = Session::accept(incoming, speaking(version)).await.unwrap();
        let grant = Grant::everything(BroadcastPath::root());
        assert!(request.accept(grant).await.is_err());
        Peer::new(client, version)
            .expect_close(CONTROL_TIMEOUT)
            .await;
    });
}

// spec: Section 6.1, "no SETUP within a few seconds"
#[test]
fn a_server_that_does_not_shake_hands_is_left() {
    for_each_with_handshake(|version| async move {
        let before = tokio::time::Instant::now();
        let (mut peer, connected) = server(version, &[version]);
        let mut stream = peer.expect_raw_bi().await;
        stream.send_bytes(b"\x21\0").await;
        peer.expect_close(CONTROL_TIMEOUT).await;
        assert_eq!(before.elapsed(), LIMIT);
        let error = connected.await.unwrap().unwrap_err();
        let is_late = matches!(
            error,
            ConnectError::Session(SessionError::Peer(PeerFault::NoSetup))
        );
        assert!(is_late, "{error}");
    });
}

/// How the stream goes on after the bytes of a case.
#[derive(Debug, Clone, Copy)]
enum Then {
    Open,
    Fin,
    Reset,
}

/// First messages of a client, and of a server, that are none; the stream's type is left out.
const MALFORMED: [(&[u8], &[u8], Then); 6] = [
    // Bytes are left over.
    (b"\0\x04\x01\x07\0\0", b"\0\x03\x07\0\0", Then::Open),
    // A field runs past the end.
    (b"\0\x02\x01\xc0", b"\0\x01\xc0", Then::Open),
    // A parameter runs past the end.
    (
        b"\0\x05\x01\x07\x01\x07\x09",
        b"\0\x04\x07\x01\x07\x09",
        Then::Open,
    ),
    // More of them than anybody has.
    (b"\0\x04\x01\x07\x7f\xff", b"\0\x03\x07\x7f\xff", Then::Open),
    (b"\0\x3a\x03", b"\0\x09\xc0", Then::Fin),
    (b"\0\x3a\x03", b"\0\x09\xc0", Then::Reset),
];

async fn fail(
    peer: &mut Peer,
    stream: &mut moq_session::testing::Script,
    bytes: &[u8],
    then: Then,
) {
    stream.send_bytes(bytes).await;
    settle().await;
    match then {
        Then::Open => {}
        Then::Fin => stream.finish(),
        Then::Reset => stream.reset(CANCELLED),
    }
    peer.expect_close(PROTOCOL_VIOLATION).await;
}

// spec: Section 6.1, "SETUP unparsable, above 64 KiB or above 64 parameters; Setup stream reset early"
#[test]
fn a_malformed_handshake_closes_the_session() {
    for_each_with_handshake(|version| async move {
        for (clients, servers, then) in MALFORMED {
            eprintln!("{clients:x?} {then:?}");
            let (mut peer, accepted) = client(version, &[version]);
            let mut stream = peer.open_raw_bi().await;
            fail(&mut peer, &mut stream, &[b"\x20", clients].concat(), then).await;
            let error = accepted.await.unwrap().unwrap_err();
            let is_theirs = matches!(error, AcceptError::Session(SessionError::Peer(_)));
            assert!(is_theirs, "{error}");

            let (mut peer, connected) = server(version, &[version]);
            let mut stream = peer.expect_raw_bi().await;
            fail(&mut peer, &mut stream, &[b"\x21", servers].concat(), then).await;
            let error = connected.await.unwrap().unwrap_err();
            let is_theirs = matches!(error, ConnectError::Session(SessionError::Peer(_)));
            assert!(is_theirs, "{error}");
        }
        // A client has nothing to wait for but the answer.
        let (mut peer, _connected) = server(version, &[version]);
        let mut stream = peer.expect_raw_bi().await;
        fail(&mut peer, &mut stream, b"\x20", Then::Open).await;
    });
}

// spec: Section 6.1, "unknown stream type"
#[test]
fn a_stream_before_the_handshake_is_reset() {
    for_each_with_handshake(|version| async move {
        let (mut peer, accepted) = client(version, &[version]);
        for kind in [0, 1, 2, 0x21] {
            let mut early = peer.open_raw_bi().await;
            early.send_bytes([kind]).await;
            early.expect_reset(CANCELLED).await;
        }
        let mut stream = offer(&mut peer, &[version.code_point()]).await;
        answer(&mut stream).await;
        assert_eq!(accepted.await.unwrap().unwrap().version(), Some(version));
    });
}

// spec: Section 1.6, "The reference implementation never sends one and ignores those it receives"
#[test]
fn session_info_is_ignored_unless_it_is_malformed() {
    for_each_with_handshake(|version| async move {
        for is_server in [false, true] {
            let (session, mut peer) = shaken(version, is_server).await;
            let stream = peer.session_stream().unwrap();
            stream.send_bytes([1, 0, 2, 0x40, 9, 1]).await;
            settle().await;
            stream.send_bytes([7]).await;
            settle().await;
            assert!(session.is_open());
            peer.expect_alive().await;
            peer.session_stream().unwrap().send_bytes([2, 0, 0]).await;
            peer.expect_close(PROTOCOL_VIOLATION).await;
            let error = session.closed().await;
            assert!(matches!(error, SessionError::Peer(_)), "{error}");
        }
    });
}

// spec: Section 1.6, "A FIN or reset of this stream ends the session"
#[test]
fn the_session_ends_with_its_stream() {
    for_each_with_handshake(|version| async move {
        for (is_server, is_reset) in [(false, false), (false, true), (true, false), (true, true)] {
            let (session, mut peer) = shaken(version, is_server).await;
            settle().await;
            assert!(session.is_open());
            let stream = peer.session_stream().unwrap();
            if is_reset {
                stream.reset(CANCELLED);
            } else {
                stream.finish();
            }
            peer.expect_close(NO_ERROR).await;
            let error = session.closed().await;
            assert!(matches!(error, SessionError::Ended), "{error}");
        }
    });
}

// spec: Section 1.6, "the same stream stays open for the life of the session"
#[test]
fn the_stream_is_ended_by_nobody_here() {
    for_each_with_handshake(|version| async move {
        for is_server in [false, true] {
            let (session, mut peer) = shaken(version, is_server).await;
            let stream = peer.session_stream().unwrap();
            stream.expect_silence(Duration::from_secs(30)).await;
            assert!(session.is_open());
        }
    });
}

// spec: Section 1.6, "Opening a bidirectional stream with stream type 0x0"
// spec: Section 6.1, "type of another version, including bidi 0x0"
#[test]
fn a_second_handshake_is_an_unknown_stream() {
    for_each_with_handshake(|version| async move {
        for is_server in [false, true] {
            let (session, mut peer) = shaken(version, is_server).await;
            let mut again = offer(&mut peer, &[version.code_point()]).await;
            again.expect_reset(CANCELLED).await;
            let mut obsolete = peer.open_raw_bi().await;
            obsolete.send_bytes([0, 1, 0]).await;
            obsolete.expect_reset(CANCELLED).await;
            assert!(session.is_open());
        }
    });
}
