//! HTTP/3 as clients of other makes may speak it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod odd;
#[allow(dead_code, reason = "the suite uses the rest of it")]
#[path = "../../moq-transport-quinn/tests/suite/support.rs"]
mod support;

use std::future::poll_fn;
use std::num::NonZeroUsize;

use moq_session::transport::{End, Incoming as _, Transport as _, TransportError};
use moq_transport_direct::{Connection, RecvStream, SendStream, Server, ServerConfig};
use odd::*;
use support::{accept_uni, closed, read, server};
use web_transport_proto::{ConnectRequest, http};

/// The server's end of a connection.
type Accepted = Connection;

fn bind(config: ServerConfig) -> Server {
    Server::bind(config, NonZeroUsize::MIN).unwrap()
}

#[tokio::test]
async fn the_page_that_asks_is_known_before_it_is_answered() {
    let server = server();
    let odd = Odd::connect(&server).await;
    let _control = odd.uni(&settings()).await;
    let url = url::Url::parse("https://relay.example/room").unwrap();
    let page = "https://page.example".parse().unwrap();
    let request = ConnectRequest::new(url).with_header(http::header::ORIGIN, page);
    let mut bytes = Vec::new();
    request.encode(&mut bytes).unwrap();
    let _connect = odd.bidi(&bytes).await;
    let info = server.accept().await.unwrap().info();
    assert_eq!(info.authority.as_deref(), Some("relay.example"));
    assert_eq!(info.origin.as_deref(), Some("https://page.example"));
}

#[tokio::test]
async fn streams_of_http3_come_in_any_order_and_in_pieces() {
    let server = server();
    let odd = Odd::connect(&server).await;
    let qpack = (odd.uni(&[2]).await, odd.uni(&[3]).await);
    let grease = odd.uni(&[0x21, 1, 2, 3]).await;
    let (mut connect, _answer) = odd.bidi(&[]).await;
    let pieces = async {
        for byte in request() {
            connect.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        odd.uni(&settings()).await
    };
    let (_control, incoming) = tokio::join!(pieces, server.accept());
    let incoming = incoming.unwrap();
    assert_eq!(incoming.request_path(), Some("/room?x=1"));
    assert_eq!(grease.stopped().await.unwrap(), Some(STREAM_CREATION_ERROR));

    let mut accepted = accept(incoming).await;
    let mut sent = odd.uni(&UNI[..2]).await;
    sent.write_all(&UNI[2..]).await.unwrap();
    sent.write_all(b"payload").await.unwrap();
    sent.finish().unwrap();
    let (bytes, end) = read(&mut accept_uni(&mut accepted).await).await;
    assert_eq!((bytes.as_slice(), end.is_ok()), (&b"payload"[..], true));
    drop(qpack);
}

#[tokio::test]
async fn streams_before_their_request_are_kept() {
    let server = server();
    let odd = Odd::connect(&server).await;
    let long = vec![7; 100_000];
    let mut uni = odd.uni(&[&UNI[..], &long].concat()).await;
    uni.finish().unwrap();
    // The session is named by its CONNECT stream, which is the first of the bidirectional ones.
    let (mut connect, _answer) = odd.quic.open_bi().await.unwrap();
    let (mut bidi, _back) = odd.bidi(&[&BIDI[..], b"too"].concat()).await;
    bidi.finish().unwrap();
    let _control = odd.uni(&settings()).await;
    // All of it, the ends too, is there before the request.
    assert_eq!(uni.stopped().await.unwrap(), None);
    assert_eq!(bidi.stopped().await.unwrap(), None);
    connect.write_all(&request()).await.unwrap();

    let mut accepted = accept(server.accept().await.unwrap()).await;
    let (bytes, end) = read(&mut accept_uni(&mut accepted).await).await;
    assert_eq!((bytes, end.is_ok()), (long, true));
    let (_send, mut recv) = accept_bi(&mut accepted).await;
    let (bytes, end) = read(&mut recv).await;
    assert_eq!((bytes.as_slice(), end.is_ok()), (&b"too"[..], true));
}

#[tokio::test]
async fn streams_and_datagrams_of_other_sessions_are_refused() {
    let server = server();
    let (odd, mut accepted, _connect, _control) = session(&server).await;
    let uni = odd.uni(&[0x40, 0x54, 4, 1]).await;
    assert_eq!(uni.stopped().await.unwrap(), Some(NO_SESSION));
    let (send, mut recv) = odd.bidi(&[0x40, 0x41, 4, 1]).await;
    assert_eq!(send.stopped().await.unwrap(), Some(NO_SESSION));
    assert_eq!(recv.received_reset().await.unwrap(), Some(NO_SESSION));
    let (again, _answer) = odd.bidi(&request()).await;
    assert_eq!(again.stopped().await.unwrap(), Some(REJECTED));

    odd.quic.send_datagram(vec![1, 7].into()).unwrap();
    odd.quic.send_datagram(vec![0, 8].into()).unwrap();
    let datagram = poll_fn(|cx| accepted.poll_recv_datagram(cx)).await;
    assert_eq!(datagram.unwrap(), &[8][..]);
}

#[tokio::test]
async fn a_session_ends_by_a_capsule_in_pieces_or_without_one() {
    for (pieces, code, reason) in [
        // Another capsule, then the end with code 0x102 and "ok", over two DATA frames with a
        // frame of an unknown type in between.
        (
            &[
                &[0, 4, 0x17, 0, 0x68, 0x43][..],
                &[0x21, 1, 9, 0, 7, 6, 0, 0, 1],
                &[2, b'o', b'k'],
            ][..],
            0x102,
            "ok",
        ),
        (&[], 0, ""),
    ] {
        let server = server();
        let (odd, mut accepted, (mut connect, _answer), _control) = session(&server).await;
        for piece in pieces {
            connect.write_all(piece).await.unwrap();
        }
        if pieces.is_empty() {
            connect.finish().unwrap();
        }
        let TransportError::Closed {
            by,
            code: told,
            reason: words,
        } = closed(&mut accepted).await
        else {
            panic!("not closed")
        };
        assert_eq!((by, told, words.as_str()), (End::Peer, code, reason));
        assert_eq!(odd.closed_with().await, NO_ERROR.into_inner());
    }
}

async fn accept_bi(connection: &mut Connection) -> (SendStream, RecvStream) {
    poll_fn(|cx| connection.poll_accept_bi(cx)).await.unwrap()
}
