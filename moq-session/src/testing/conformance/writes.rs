//! What a write takes.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::join;

use super::hands::{MUCH, begun, full, next, once, pattern, read, within, write};
use super::run::Ends;
use super::waker::Flag;
use crate::transport::{RecvStream as _, SendError, SendStream as _, Transport};

/// A write returns the bytes that it took. Chunks taken whole are empty, and a chunk taken in part
/// begins at its first byte not taken.
pub async fn a_write_says_what_it_took<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    let body = Bytes::from(pattern(MUCH, 3));
    let mut chunks = [
        body.slice(..1_000),
        Bytes::new(),
        body.slice(1_000..MUCH - 1_000),
        body.slice(MUCH - 1_000..),
    ];
    let written = poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks));
    let written = within("write", written).await.expect("it is open");
    assert!(written > 1_000 && written < MUCH, "{written} bytes taken");
    assert!(chunks[0].is_empty() && chunks[1].is_empty());
    assert_eq!(chunks[2], body.slice(written..MUCH - 1_000));
    assert_eq!(chunks[3], body.slice(MUCH - 1_000..));
    send.finish();
    let (bytes, end) = read(&mut recv).await;
    assert!(end.is_ok() && bytes == body[..written], "{end:?}");
}

/// A write that returns `Pending` has taken nothing.
pub async fn a_pending_write_has_taken_nothing<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv, filled) = full(&mut ends.near, &mut ends.far).await;
    for _ in 0..3 {
        let mut chunks = [
            Bytes::from_static(b"not yet"),
            Bytes::from_static(b"nor this"),
        ];
        assert!(once(|cx| send.poll_write_chunks(cx, &mut chunks)).is_pending());
        assert_eq!(chunks[0], b"not yet"[..]);
        assert_eq!(chunks[1], b"nor this"[..]);
    }
    send.finish();
    let (bytes, end) = read(&mut recv).await;
    assert!(end.is_ok(), "{end:?}");
    assert_eq!(bytes.len(), filled);
    assert!(bytes.iter().all(|byte| *byte == 0));
}

/// A write of empty chunks takes 0 bytes at once, where there is no room, too.
pub async fn a_write_of_nothing_is_done_at_once<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, _recv, _) = full(&mut ends.near, &mut ends.far).await;
    for chunks in [&mut [][..], &mut [Bytes::new(), Bytes::new()]] {
        let written = once(|cx| send.poll_write_chunks(cx, chunks));
        assert!(matches!(written, Poll::Ready(Ok(0))), "{written:?}");
    }
}

/// A write goes on when the reader has made room, and no byte is lost or sent twice.
pub async fn a_write_goes_on_when_there_is_room<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    let body = Bytes::from(pattern(MUCH / 2, 4));
    let sent = async {
        // Cut so that writes end inside of chunks.
        for piece in 0..8 {
            let len = body.len() / 8;
            write(&mut send, body.slice(piece * len..(piece + 1) * len)).await;
        }
        send.finish();
    };
    let ((), (bytes, end)) = join(sent, read(&mut recv)).await;
    assert!(end.is_ok() && bytes == body, "{end:?}");
}

/// Nothing can be written on a stream that was finished or reset here.
pub async fn nothing_is_written_after_the_end<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for is_reset in [false, true] {
        let (mut send, _recv) = begun(&mut ends.near, &mut ends.far).await;
        if is_reset {
            send.reset(1);
        } else {
            send.finish();
        }
        let mut chunks = [Bytes::from_static(b"late")];
        let written = once(|cx| send.poll_write_chunks(cx, &mut chunks));
        assert!(
            matches!(written, Poll::Ready(Err(SendError::Closed))),
            "reset: {is_reset}: {written:?}"
        );
        assert_eq!(chunks[0], b"late"[..]);
    }
}

/// A write fails with the peer's code once it has stopped the stream; one that waits is woken.
pub async fn a_write_to_a_stopped_stream_fails_with_the_code<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv, _) = full(&mut ends.near, &mut ends.far).await;
    let mut chunks = [Bytes::from_static(b"x")];
    let flag = Flag::new();
    let waiting = send.poll_write_chunks(&mut flag.context(), &mut chunks);
    assert!(waiting.is_pending());
    recv.stop(0x21);
    let woken = flag.ready("a write to a stopped stream", |cx| {
        send.poll_write_chunks(cx, &mut chunks)
    });
    let woken = woken.await;
    let again = once(|cx| send.poll_write_chunks(cx, &mut chunks));
    for written in [Poll::Ready(woken), again] {
        assert!(
            matches!(written, Poll::Ready(Err(SendError::Stopped(0x21)))),
            "{written:?}"
        );
    }
    // The connection lives on.
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    write(&mut send, &b"on"[..]).await;
    assert_eq!(next(&mut recv).await, b"on"[..]);
}
