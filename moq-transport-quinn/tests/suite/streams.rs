//! What the streams of a connection do, over both bindings.

use std::future::poll_fn;
use std::task::Poll;

use crate::suite::support::{
    BINDINGS, accept_bi, accept_uni, acknowledged, foreign_pair, open_bi, open_uni, pair, read,
    read_exactly, server, write,
};
use bytes::Bytes;
use moq_session::transport::{RecvError, RecvStream as _, SendError, SendStream as _};

#[tokio::test]
async fn streams_carry_bytes_both_ways() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;

        let mut uni = open_uni(&mut client).await;
        uni.set_priority(7);
        write(&mut uni, &[b"one", b"", b"two"]).await;
        uni.finish();
        let mut received = accept_uni(&mut accepted).await;
        let (bytes, end) = read(&mut received).await;
        assert_eq!(
            (bytes.as_slice(), end.is_ok()),
            (b"onetwo".as_slice(), true)
        );
        assert!(acknowledged(&mut uni).await.is_ok());

        let (mut ask, mut answer) = open_bi(&mut client).await;
        write(&mut ask, &[b"ping"]).await;
        ask.finish();
        let (mut respond, mut asked) = accept_bi(&mut accepted).await;
        let (bytes, _) = read(&mut asked).await;
        assert_eq!(bytes, b"ping");
        write(&mut respond, &[b"pong"]).await;
        respond.finish();
        assert_eq!(read(&mut answer).await.0, b"pong");
    }
}

#[tokio::test]
async fn a_stream_of_higher_order_overtakes_one_that_has_begun() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        let mut low = open_uni(&mut client).await;
        low.set_priority(1);
        // As much as may be on its way, so that nothing of it is held back.
        let mut chunks = [Bytes::from(vec![7; 2 << 20])];
        poll_fn(|cx| low.poll_write_chunks(cx, &mut chunks))
            .await
            .unwrap();
        low.finish();
        let mut low = accept_uni(&mut accepted).await;
        let begun = poll_fn(|cx| low.poll_read_chunk(cx)).await.unwrap();
        let begun = begun.unwrap();

        let mut high = open_uni(&mut client).await;
        high.set_priority(2);
        write(&mut high, &[b"urgent"]).await;
        high.finish();
        let mut high = accept_uni(&mut accepted).await;
        assert_eq!(read(&mut high).await.0, b"urgent");
        // Were it sent after `low`, all of that would be here by now.
        let mut here = begun.len();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Ok(Some(chunk))) = low.poll_read_chunk(&mut cx) {
            here += chunk.len();
        }
        assert!(here < 2 << 20, "{scheme}: {here} bytes came first");
    }
}

#[tokio::test]
async fn large_writes_go_on_when_the_reader_makes_room() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        let mut uni = open_uni(&mut client).await;
        let payload = Bytes::from(vec![7; 9 << 20]);
        let sent = async {
            let mut chunks = [payload.clone()];
            while !chunks[0].is_empty() {
                poll_fn(|cx| uni.poll_write_chunks(cx, &mut chunks))
                    .await
                    .unwrap();
            }
            uni.finish();
        };
        let received = async { read(&mut accept_uni(&mut accepted).await).await };
        let ((), (bytes, end)) = tokio::join!(sent, received);
        assert!(end.is_ok() && bytes == payload);
    }
}

#[tokio::test]
async fn reset_and_stop_codes_arrive_as_they_were_given() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        for code in [0, 1, 0x33, 64, 64 + 65535] {
            let mut uni = open_uni(&mut client).await;
            write(&mut uni, &[b"x"]).await;
            let mut received = accept_uni(&mut accepted).await;
            assert_eq!(read_exactly(&mut received, 1).await, b"x");
            uni.reset(code);
            for _again in 0..2 {
                let (_, end) = read(&mut received).await;
                assert!(
                    matches!(end, Err(RecvError::Reset(got)) if got == code),
                    "{scheme} {end:?}"
                );
            }

            let mut uni = open_uni(&mut client).await;
            write(&mut uni, &[b"x"]).await;
            accept_uni(&mut accepted).await.stop(code);
            let end = acknowledged(&mut uni).await;
            assert!(
                matches!(end, Err(SendError::Stopped(got)) if got == code),
                "{scheme} {end:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_dropped_never_looks_complete() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, mut accepted) = pair(&server, scheme).await;
        let mut cut = open_uni(&mut client).await;
        write(&mut cut, &[b"half"]).await;
        let mut received = accept_uni(&mut accepted).await;
        assert_eq!(read_exactly(&mut received, 4).await, b"half");
        drop(cut);
        let (_, end) = read(&mut received).await;
        assert!(matches!(end, Err(RecvError::Reset(0))), "{scheme} {end:?}");

        let mut unread = open_uni(&mut client).await;
        write(&mut unread, &[b"x"]).await;
        drop(accept_uni(&mut accepted).await);
        let end = acknowledged(&mut unread).await;
        assert!(
            matches!(end, Err(SendError::Stopped(0))),
            "{scheme} {end:?}"
        );

        let mut finished = open_uni(&mut client).await;
        write(&mut finished, &[b"whole"]).await;
        finished.finish();
        drop(finished);
        let (bytes, end) = read(&mut accept_uni(&mut accepted).await).await;
        assert_eq!((bytes.as_slice(), end.is_ok()), (b"whole".as_slice(), true));
    }
}

#[tokio::test]
async fn a_stopped_stream_has_no_end() {
    let server = server();
    let (mut client, mut accepted) = pair(&server, "moqt").await;
    let mut uni = open_uni(&mut client).await;
    write(&mut uni, &[b"x"]).await;
    let mut received = accept_uni(&mut accepted).await;
    received.stop(1);
    assert!(matches!(
        read(&mut received).await.1,
        Err(RecvError::Closed)
    ));
}

/// Newer libraries send stream codes unmapped on raw QUIC.
#[tokio::test]
async fn plain_codes_are_read_on_raw_quic() {
    let server = server();
    let (_endpoint, foreign, mut accepted) = foreign_pair(&server).await;

    let mut uni = foreign.open_uni().await.unwrap();
    uni.write_all(b"x").await.unwrap();
    let mut received = accept_uni(&mut accepted).await;
    assert_eq!(read_exactly(&mut received, 1).await, b"x");
    uni.reset(quinn::VarInt::from_u32(0x36)).unwrap();
    assert!(matches!(
        read(&mut received).await.1,
        Err(RecvError::Reset(0x36))
    ));

    let mut sent = open_uni(&mut accepted).await;
    write(&mut sent, &[b"x"]).await;
    let mut theirs = foreign.accept_uni().await.unwrap();
    theirs.stop(quinn::VarInt::from_u32(0x35)).unwrap();
    assert!(matches!(
        acknowledged(&mut sent).await,
        Err(SendError::Stopped(0x35))
    ));

    // What is sent here is mapped.
    let mut sent = open_uni(&mut accepted).await;
    write(&mut sent, &[b"x"]).await;
    let mut theirs = foreign.accept_uni().await.unwrap();
    sent.reset(0x33);
    let reset = theirs.received_reset().await.unwrap().unwrap();
    assert_eq!(reset.into_inner(), 0x52e4_a40f_a90f);
}

/// A stream that the peer stopped is reset when it is finished, or its credit would never come back.
#[tokio::test]
async fn streams_that_were_stopped_give_their_credit_back() {
    let server = server();
    let (_endpoint, foreign, mut accepted) = foreign_pair(&server).await;
    // quinn allows 100 streams at once.
    for _ in 0..250 {
        let mut sent = open_uni(&mut accepted).await;
        write(&mut sent, &[b"x"]).await;
        let mut theirs = foreign.accept_uni().await.unwrap();
        theirs.stop(quinn::VarInt::from_u32(1)).unwrap();
        assert!(acknowledged(&mut sent).await.is_err());
        sent.finish();
    }
}
