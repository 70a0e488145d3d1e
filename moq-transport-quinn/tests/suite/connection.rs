//! What a connection does besides its streams, over both bindings.

use std::future::poll_fn;
use std::time::Duration;

use crate::suite::support::{
    self, BINDINGS, PROTOCOL, accept_uni, closed, open_uni, pair, read, read_exactly, server, write,
};
use bytes::Bytes;
use moq_session::transport::{End, SendStream as _, Transport, TransportError, TransportKind};

#[tokio::test]
async fn datagrams_arrive() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        assert!(client.max_datagram_size() > 1000);
        client.send_datagram(Bytes::from_static(b"now"));
        let got = poll_fn(|cx| accepted.poll_recv_datagram(cx)).await.unwrap();
        assert_eq!(got, b"now".as_slice());
    }
}

#[tokio::test]
async fn close_code_and_reason_arrive() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        let mut waiting = client.clone();
        accepted.close(0x43, "bye");
        accepted.close(1, "too late");
        for end in [
            closed(&mut client).await,
            poll_fn(|cx| waiting.poll_accept_uni(cx)).await.unwrap_err(),
        ] {
            let TransportError::Closed { by, code, reason } = end else {
                panic!("{end:?}")
            };
            assert_eq!(
                (by, code, reason.as_str()),
                (End::Peer, 0x43, "bye"),
                "{scheme}"
            );
        }
        let end = closed(&mut accepted).await;
        assert!(
            matches!(
                end,
                TransportError::Closed {
                    by: End::Local,
                    code: 0x43,
                    ..
                }
            ),
            "{scheme} {end:?}"
        );
    }
}

#[tokio::test]
async fn a_dropped_connection_and_a_closed_server_end_well() {
    for scheme in BINDINGS {
        let server = server();
        let (client, mut accepted) = pair(&server, scheme).await;
        drop(client);
        let TransportError::Closed { by, code, reason } = closed(&mut accepted).await else {
            panic!("{scheme}: not closed")
        };
        assert_eq!(
            (by, code, reason.as_str()),
            (End::Peer, 0, "dropped"),
            "{scheme}"
        );

        let (mut client, _accepted) = pair(&server, scheme).await;
        server.close(0x10, "going");
        let end = closed(&mut client).await;
        assert!(
            matches!(
                end,
                TransportError::Closed {
                    by: End::Peer,
                    code: 0x10,
                    ..
                }
            ),
            "{scheme} {end:?}"
        );
        assert!(server.accept().await.is_none());
        server.wait_idle().await;
    }
}

#[tokio::test]
async fn more_streams_are_allowed_than_at_first() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        // All stay open, so that no credit comes back.
        let opened = async {
            let mut streams = Vec::new();
            for _ in 0..200 {
                let mut stream = open_uni(&mut client).await;
                write(&mut stream, &[b"x"]).await;
                streams.push(stream);
            }
            streams
        };
        let received = async {
            let mut streams = Vec::new();
            for _ in 0..200 {
                streams.push(accept_uni(&mut accepted).await);
            }
            streams
        };
        let (opened, received) = tokio::join!(opened, received);
        assert_eq!((opened.len(), received.len()), (200, 200));
    }
}

#[tokio::test]
async fn a_peer_may_open_as_many_requests_as_the_session_can_hold() {
    const HELD: usize = 1_100;
    for scheme in BINDINGS {
        let server = server();
        let (client, accepted) = pair(&server, scheme).await;
        open_and_hold(client.clone(), accepted.clone(), HELD).await;
        open_and_hold(accepted, client, HELD).await;
    }
}

/// Opens as many streams as the other end has said that it can hold.
async fn open_and_hold(mut opener: impl Transport, mut holder: impl Transport, count: usize) {
    holder.set_stream_limit(count);
    let (mut opened, mut held) = (Vec::new(), Vec::new());
    for n in 0..count {
        let both = async { tokio::join!(open_bi(&mut opener), accept_begun(&mut holder)) };
        let both = tokio::time::timeout(Duration::from_secs(10), both).await;
        let kind = opener.info().kind;
        let (near, far) = both.unwrap_or_else(|_| panic!("{kind}: no credit for {n}"));
        opened.push(near);
        held.push(far);
    }
    assert_eq!((opened.len(), held.len()), (count, count));
}

/// Opens a stream, on which a byte is sent.
async fn open_bi<T: Transport>(connection: &mut T) -> (T::Send, T::Recv) {
    let (mut send, recv) = support::open_bi(connection).await;
    write(&mut send, &[b"x"]).await;
    (send, recv)
}

/// Accepts a stream, and reads the byte that it begins with.
async fn accept_begun<T: Transport>(connection: &mut T) -> (T::Send, T::Recv) {
    let (send, mut recv) = support::accept_bi(connection).await;
    read_exactly(&mut recv, 1).await;
    (send, recv)
}

#[tokio::test]
async fn paused_streams_leave_room_for_others() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        accepted.set_paused_streams(8);
        // Eight full streams use up the 16 MiB that all share by default.
        let mut unread = Vec::new();
        for _ in 0..8 {
            let mut stream = open_uni(&mut client).await;
            let mut chunks = [Bytes::from(vec![0; 2 << 20])];
            let full = poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks));
            assert!(full.await.unwrap() > 0);
            tokio::spawn(async move {
                while !chunks[0].is_empty() {
                    if poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks))
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            });
            unread.push(accept_uni(&mut accepted).await);
        }
        let mut stream = open_uni(&mut client).await;
        write(&mut stream, &[b"through"]).await;
        stream.finish();
        let (bytes, _) = read(&mut accept_uni(&mut accepted).await).await;
        assert_eq!(bytes, b"through");
        accepted.set_paused_streams(0);
    }
}

#[tokio::test]
async fn info_and_stats_describe_the_connection() {
    for (scheme, kind) in BINDINGS
        .into_iter()
        .zip([TransportKind::Quic, TransportKind::WebTransport])
    {
        let server = server();
        let (client, accepted) = pair(&server, scheme).await;
        for (info, stats) in [
            (client.info(), client.stats()),
            (accepted.info(), accepted.stats()),
        ] {
            assert_eq!(info.kind, kind);
            assert_eq!(info.protocol.as_deref(), Some(PROTOCOL));
            assert!(stats.rtt.is_some() && stats.send_rate.is_some_and(|rate| rate > 0));
        }
        assert_eq!(client.info().remote, Some(server.local_addrs()[0]));
        let path = client.info().setup_path.as_deref();
        assert_eq!(path, (!kind.has_url()).then_some("/room"));
        assert_eq!(accepted.info().setup_path, None);
    }
}
