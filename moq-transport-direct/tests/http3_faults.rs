//! What clients do wrong in HTTP/3, and what that costs.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod odd;
#[allow(dead_code, reason = "the suite uses the rest of it")]
#[path = "../../moq-transport-quinn/tests/suite/support.rs"]
mod support;

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::time::Duration;

use moq_session::transport::{Incoming as _, Transport as _};
use moq_transport_direct::{Connection, Server, ServerConfig};
use odd::*;
use quinn_proto::Dir;
use support::{accept_uni, closed, read, server};

/// The server's end of a connection.
type Accepted = Connection;

fn bind(config: ServerConfig) -> Server {
    Server::bind(config, NonZeroUsize::MIN).unwrap()
}

/// One of each kind; the readers have tables of all of them.
#[tokio::test]
async fn what_breaks_http3_ends_the_connection_by_its_code() {
    let settings = settings();
    let grease = [0x21, 0].repeat(40_000);
    for (uni, bidi, code) in [
        // A push; SETTINGS with a setting of HTTP/2, and none; a dynamic table.
        (&[1][..], &[][..], 0x103),
        (&[0, 4, 2, 3, 1], &[], 0x109),
        (&[0, 7, 1, 0], &[], 0x10a),
        (&[2, 0xc0], &[], 0x201),
        (&[3, 0x80], &[], 0x202),
        // A session that no client can make; a request that begins with DATA.
        (&[0x40, 0x54, 1], &[], 0x108),
        (&settings, &[0, 1, 0], 0x105),
        // A mark of a stream on the control stream, and in the middle of another; fields of a
        // dynamic table; frames without end.
        (&[&settings[..], &[0x40, 0x41, 0]].concat(), &[], 0x106),
        (&[], &[0x21, 0, 0x40, 0x41, 0], 0x106),
        (&[], &[1, 3, 0, 0, 0x80], 0x200),
        (&[], &grease, 0x107),
    ] {
        let server = server();
        let odd = Odd::connect(&server).await;
        let (mut first, _uni) = (odd.quic.open_uni().await.unwrap(), odd.uni(&settings).await);
        // They fail when the end comes before all is written.
        let _ = first.write_all(uni).await.is_ok();
        let (mut send, _recv) = odd.quic.open_bi().await.unwrap();
        let _ = send.write_all(bidi).await.is_ok();
        assert_eq!(odd.closed_with().await, code, "{uni:?} {:?}", bidi.get(..9));
    }
}

#[tokio::test]
async fn there_is_one_control_stream() {
    let server = server();
    let (odd, _accepted, _connect, _control) = session(&server).await;
    let _second = odd.uni(&settings()).await;
    assert_eq!(odd.closed_with().await, 0x103);
}

#[tokio::test]
async fn streams_of_the_connection_neither_end_nor_are_reset() {
    for is_reset in [false, true] {
        for kind in [0, 2, 3] {
            let server = server();
            let (odd, _accepted, _connect, control) = session(&server).await;
            let mut stream = match kind {
                0 => control,
                _ => odd.uni(&[kind]).await,
            };
            // What follows it is answered when its type was read.
            let (_send, mut recv) = odd.bidi(&GET).await;
            assert!(!recv.read_to_end(1000).await.unwrap().is_empty());
            match is_reset {
                true => stream.reset(NO_ERROR).unwrap(),
                false => stream.finish().unwrap(),
            }
            assert_eq!(odd.closed_with().await, 0x104, "{kind} {is_reset}");
        }
    }
}

#[tokio::test]
async fn an_end_within_a_frame_ends_the_connection() {
    for stream in [&GET[..5], &[1], &[0x21, 2, 9], &BIDI[..1], &BIDI[..2]] {
        let server = server();
        let odd = Odd::connect(&server).await;
        let (mut send, _recv) = odd.bidi(stream).await;
        send.finish().unwrap();
        assert_eq!(odd.closed_with().await, 0x106, "{stream:?}");
    }
}

#[tokio::test]
async fn what_is_no_request_for_a_session_is_refused_and_the_next_one_is_served() {
    let server = server();
    let odd = Odd::connect(&server).await;
    let _control = odd.uni(&settings()).await;
    let (send, mut recv) = odd.bidi(&GET).await;
    let answer = recv.read_to_end(1000).await.unwrap();
    // HEADERS with the status, then DATA.
    assert_eq!(&answer[..10], [1, 9, 0, 0, 0x5f, 9, 3, b'4', b'0', b'4']);
    assert_eq!(send.stopped().await.unwrap(), Some(NO_ERROR));

    // Without a method; cut off.
    let (send, mut recv) = odd.bidi(&[1, 3, 0, 0, 0xc1]).await;
    assert_eq!(send.stopped().await.unwrap(), Some(MESSAGE_ERROR));
    assert_eq!(recv.received_reset().await.unwrap(), Some(MESSAGE_ERROR));
    let (mut send, mut recv) = odd.bidi(&[0x21, 0]).await;
    send.finish().unwrap();
    assert_eq!(recv.received_reset().await.unwrap(), Some(INCOMPLETE));

    let _connect = odd.bidi(&request()).await;
    let accepted = accept(server.accept().await.unwrap()).await;
    let (_send, mut recv) = odd.bidi(&GET).await;
    assert!(!recv.read_to_end(1000).await.unwrap().is_empty());
    drop(accepted);
}

#[tokio::test]
async fn streams_that_are_not_wanted_may_not_be_opened_for_ever() {
    let unknown = [0x21, 1];
    for (dir, stream) in [
        (Dir::Uni, &unknown[..]),
        // A stream of another session; a request for a page, and one without a method.
        (Dir::Uni, &[0x40, 0x54, 4]),
        (Dir::Bi, &GET),
        (Dir::Bi, &[1, 3, 0, 0, 0xc1]),
    ] {
        let server = server();
        let (odd, _accepted, _connect, _control) = session(&server).await;
        let flood = async {
            let mut opened = 0;
            while open(&odd, dir, stream).await.is_some() {
                opened += 1;
            }
            opened
        };
        let opened = tokio::time::timeout(Duration::from_secs(60), flood).await;
        assert!(opened.unwrap() >= 1024, "{stream:?}");
        assert_eq!(odd.closed_with().await, 0x107, "{stream:?}");
    }
}

/// Opens a stream, and gives up all that the server could wait for or answer.
async fn open(odd: &Odd, dir: Dir, bytes: &[u8]) -> Option<()> {
    let mut send = match dir {
        Dir::Uni => odd.quic.open_uni().await.ok()?,
        Dir::Bi => odd.quic.open_bi().await.ok()?.0,
    };
    // It fails once the server has stopped the stream.
    let _ = send.write_all(bytes).await.is_ok();
    let _ = send.finish().is_ok();
    Some(())
}

#[tokio::test]
async fn a_session_may_be_asked_for_by_its_newer_name() {
    let server = server();
    let odd = Odd::connect(&server).await;
    let _control = odd.uni(&settings()).await;
    let mut request = request();
    let name = request.windows(12).position(|name| name == b"webtransport");
    let end = name.unwrap() + 12;
    request.splice(end..end, *b"-h3");
    // Its length and that of the frame, both of one byte.
    request[end - 13] += 3;
    request[1] += 3;
    let _connect = odd.bidi(&request).await;
    let incoming = server.accept().await.unwrap();
    assert_eq!(incoming.request_path(), Some("/room?x=1"));
}

#[tokio::test]
async fn a_capsule_that_is_malformed_resets_the_session() {
    for (capsule, reason) in [
        (&[0, 4, 0x68, 0x43, 0x44, 5][..], "1024 bytes"),
        (&[0, 6, 0x68, 0x43, 3, 0, 0, 7], "without a code"),
        (&[0, 2, 0x17, 5], "cut off"),
    ] {
        let server = server();
        let (odd, mut accepted, (mut connect, mut answer), _control) = session(&server).await;
        connect.write_all(capsule).await.unwrap();
        if reason == "cut off" {
            connect.finish().unwrap();
        } else {
            assert_eq!(connect.stopped().await.unwrap(), Some(MESSAGE_ERROR));
        }
        assert_eq!(answer.received_reset().await.unwrap(), Some(MESSAGE_ERROR));
        let end = closed(&mut accepted).await.to_string();
        assert!(end.contains(reason), "{end}");
        // A client that goes on is left all the same.
        assert_eq!(odd.closed_with().await, NO_ERROR.into_inner());
    }
}

#[tokio::test]
async fn a_stream_has_a_while_to_say_what_it_is_for() {
    let server = server();
    let (odd, mut accepted, _connect, _control) = session(&server).await;
    let uni = odd.uni(&UNI[..2]).await;
    let (bidi, mut back) = odd.bidi(&BIDI[..2]).await;
    let (request, mut answer) = odd.bidi(&GET[..3]).await;
    // What is whole has no deadline, whatever it says then.
    let mut whole = odd.uni(&UNI).await;
    let mut recv = accept_uni(&mut accepted).await;

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
    assert_eq!(uni.stopped().await.unwrap(), Some(INCOMPLETE));
    assert_eq!(bidi.stopped().await.unwrap(), Some(INCOMPLETE));
    assert_eq!(back.received_reset().await.unwrap(), Some(INCOMPLETE));
    assert_eq!(request.stopped().await.unwrap(), Some(INCOMPLETE));
    assert_eq!(answer.received_reset().await.unwrap(), Some(INCOMPLETE));
    whole.write_all(b"late").await.unwrap();
    whole.finish().unwrap();
    let (bytes, end) = read(&mut recv).await;
    assert_eq!((bytes.as_slice(), end.is_ok()), (&b"late"[..], true));
}

#[tokio::test]
async fn a_datagram_that_names_no_stream_ends_the_connection() {
    let server = server();
    let (odd, mut accepted, _connect, _control) = session(&server).await;
    odd.quic.send_datagram(vec![0x40, 0, 8].into()).unwrap();
    let datagram = poll_fn(|cx| accepted.poll_recv_datagram(cx)).await;
    assert_eq!(datagram.unwrap(), &[8][..]);
    odd.quic.send_datagram(vec![0x40].into()).unwrap();
    let end = poll_fn(|cx| accepted.poll_recv_datagram(cx)).await;
    assert!(end.is_err());
    assert_eq!(odd.closed_with().await, 0x33);
}
