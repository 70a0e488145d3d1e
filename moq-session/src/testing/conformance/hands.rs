//! What every case does with connections and streams, each with a deadline.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use moq_model::platform::clock;

use crate::transport::{
    RecvError, RecvStream, SendError, SendStream, Streams, Transport, TransportError,
};

/// Waits for something that has to happen.
pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match clock::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: nothing happens for {DEADLINE:?}"),
    }
}

/// Polls once, for whom it does not matter when to come again.
pub(super) fn once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) async fn open_uni<T: Transport>(end: &mut T) -> T::Send {
    let opened = within("open a stream", poll_fn(|cx| end.poll_open_uni(cx))).await;
    opened.expect("the connection is there")
}

pub(super) async fn open_bi<T: Transport>(end: &mut T) -> Streams<T> {
    let opened = within("open a request", poll_fn(|cx| end.poll_open_bi(cx))).await;
    opened.expect("the connection is there")
}

pub(super) async fn accept_uni<T: Transport>(end: &mut T) -> T::Recv {
    let accepted = within("accept a stream", poll_fn(|cx| end.poll_accept_uni(cx))).await;
    accepted.expect("the connection is there")
}

pub(super) async fn accept_bi<T: Transport>(end: &mut T) -> Streams<T> {
    let accepted = within("accept a request", poll_fn(|cx| end.poll_accept_bi(cx))).await;
    accepted.expect("the connection is there")
}

pub(super) async fn datagram<T: Transport>(end: &mut T) -> Bytes {
    let received = poll_fn(|cx| end.poll_recv_datagram(cx));
    let received = within("receive a datagram", received).await;
    received.expect("the connection is there")
}

pub(super) async fn closed<T: Transport>(end: &mut T) -> TransportError {
    within("the end", poll_fn(|cx| end.poll_closed(cx))).await
}

/// A unidirectional stream on which one byte has been sent and received.
pub(super) async fn begun<N: Transport, F: Transport>(
    near: &mut N,
    far: &mut F,
) -> (N::Send, F::Recv) {
    let mut send = open_uni(near).await;
    write(&mut send, &b"x"[..]).await;
    let mut recv = accept_uni(far).await;
    assert_eq!(next(&mut recv).await, b"x"[..]);
    (send, recv)
}

/// A bidirectional stream on which one byte has gone to the far end.
pub(super) async fn begun_bi<N: Transport, F: Transport>(
    near: &mut N,
    far: &mut F,
) -> (Streams<N>, Streams<F>) {
    let (mut send, back) = open_bi(near).await;
    write(&mut send, &b"x"[..]).await;
    let (answer, mut recv) = accept_bi(far).await;
    assert_eq!(next(&mut recv).await, b"x"[..]);
    ((send, back), (answer, recv))
}

/// Writes all of it.
pub(super) async fn write<S: SendStream>(stream: &mut S, bytes: impl Into<Bytes>) {
    let mut chunks = [bytes.into()];
    while !chunks[0].is_empty() {
        let written = poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks));
        let written = within("write", written).await.expect("it is open");
        assert!(written > 0, "a write that took nothing was ready");
    }
}

/// A stream without room for another byte, and how many bytes are on their way.
pub(super) async fn full<N: Transport, F: Transport>(
    near: &mut N,
    far: &mut F,
) -> (N::Send, F::Recv, usize) {
    let (mut send, recv) = begun(near, far).await;
    let (mut filled, mut idle) = (fill(&mut send).await, 0);
    // What is acknowledged may make room. A stream behind it shows that all of it has been sent.
    while idle < 10 {
        let mut behind = open_uni(near).await;
        behind.set_priority(-1);
        write(&mut behind, &b"x"[..]).await;
        behind.finish();
        read_whole(&mut accept_uni(far).await).await;
        let more = fill(&mut send).await;
        filled += more;
        idle = if more == 0 { idle + 1 } else { 0 };
    }
    (send, recv, filled)
}

/// Writes zeros until there is no room, and returns how many.
async fn fill<S: SendStream>(stream: &mut S) -> usize {
    let mut chunks = [Bytes::from(vec![0; MUCH])];
    let full = poll_fn(|cx| {
        loop {
            match stream.poll_write_chunks(cx, &mut chunks) {
                Poll::Ready(written) => drop(written.expect("it is open")),
                Poll::Pending => return Poll::Ready(()),
            }
        }
    });
    within("fill a stream", full).await;
    MUCH - chunks[0].len()
}

/// The next bytes, which are not the end.
pub(super) async fn next<R: RecvStream>(stream: &mut R) -> Bytes {
    let chunk = within("read", poll_fn(|cx| stream.poll_read_chunk(cx))).await;
    let chunk = chunk.expect("it goes on").expect("it is not over");
    assert!(!chunk.is_empty(), "a chunk is never empty");
    chunk
}

/// All bytes, and how they ended.
pub(super) async fn read<R: RecvStream>(stream: &mut R) -> (Vec<u8>, Result<(), RecvError>) {
    let mut bytes = Vec::new();
    loop {
        match within("read", poll_fn(|cx| stream.poll_read_chunk(cx))).await {
            Ok(Some(chunk)) => {
                assert!(!chunk.is_empty(), "a chunk is never empty");
                bytes.extend_from_slice(&chunk);
            }
            Ok(None) => return (bytes, Ok(())),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

/// All bytes of a stream that ends well.
pub(super) async fn read_whole<R: RecvStream>(stream: &mut R) -> Vec<u8> {
    let (bytes, end) = read(stream).await;
    end.expect("it ends well");
    bytes
}

/// How a stream to the peer ended.
pub(super) async fn acknowledged<S: SendStream>(stream: &mut S) -> Result<(), SendError> {
    let ended = poll_fn(|cx| stream.poll_closed(cx));
    within("an acknowledgement", ended).await
}

/// Bytes of which every stretch is another.
pub(super) fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from((at * 31 + at / 251 + seed) % 251).unwrap_or_default())
        .collect()
}

/// More than any stream holds on its way.
pub(super) const MUCH: usize = 32 << 20;

/// Codes for streams, at the ends of what there is and of what is mapped.
pub(super) const CODES: [u32; 8] = [0, 1, 0x33, 29, 30, 31, 64 + 65_535, u32::MAX];

/// How long anything may take that has to happen.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
