//! The transport between two ends in one process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use moq_session::Version;
use moq_session::memory::{MemoryConnection, MemoryRecv, MemorySend, memory_pair};
use moq_session::transport::{
    RecvError, RecvStream as _, SendError, SendStream as _, Transport as _,
};

/// More than a stream holds.
const MUCH: usize = 100_000;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn pair() -> (MemoryConnection, MemoryConnection) {
    memory_pair(Version::Lite06)
}

async fn stream(
    from: &mut MemoryConnection,
    to: &mut MemoryConnection,
) -> (MemorySend, MemoryRecv) {
    let send = poll_fn(|cx| from.poll_open_uni(cx)).await.unwrap();
    let recv = poll_fn(|cx| to.poll_accept_uni(cx)).await.unwrap();
    (send, recv)
}

async fn write(send: &mut MemorySend, bytes: &'static [u8]) {
    let mut chunks = [Bytes::from_static(bytes)];
    poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks))
        .await
        .unwrap();
}

async fn read(recv: &mut MemoryRecv) -> Option<Bytes> {
    poll_fn(|cx| recv.poll_read_chunk(cx)).await.unwrap()
}

#[tokio::test]
async fn a_stream_counts_until_the_other_end_has_all_of_it() {
    type Done = fn(MemorySend, MemoryRecv) -> Option<MemoryRecv>;
    let ways: [(&str, Done); 3] = [
        ("reset", |mut send, mut recv| {
            send.reset(1);
            let read = recv.poll_read_chunk(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(read, Poll::Ready(Err(RecvError::Reset(1)))));
            Some(recv)
        }),
        ("stopped", |_send, mut recv| {
            recv.stop(1);
            Some(recv)
        }),
        ("given up", |_send, _recv| None),
    ];
    let (mut near, mut far) = pair();
    far.allow_uni(1);
    for (way, done) in ways {
        let (mut send, recv) = stream(&mut near, &mut far).await;
        write(&mut send, b"data").await;
        let (woken, waker) = Count::new();
        let mut cx = Context::from_waker(&waker);
        assert!(near.poll_open_uni(&mut cx).is_pending(), "{way}");
        let _left = done(send, recv);
        assert_eq!(woken.get(), 1, "{way}");
    }
    let (mut send, mut recv) = stream(&mut near, &mut far).await;
    write(&mut send, b"data").await;
    send.finish();
    let (woken, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(near.poll_open_uni(&mut cx).is_pending(), "it is not read");
    assert!(send.poll_closed(&mut cx).is_pending(), "it is not read");
    assert_eq!(read(&mut recv).await.as_deref(), Some(&b"data"[..]));
    assert_eq!(woken.get(), 2);
    assert!(matches!(send.poll_closed(&mut cx), Poll::Ready(Ok(()))));
    assert!(near.poll_open_uni(&mut cx).is_ready());
    assert_eq!(read(&mut recv).await, None);
}

#[tokio::test]
async fn room_and_the_end_are_waited_for_apart() {
    let (mut near, mut far) = pair();
    let (mut send, mut recv) = stream(&mut near, &mut far).await;
    let (for_room, room) = Count::new();
    let (for_end, end) = Count::new();
    let (mut room, mut end) = (Context::from_waker(&room), Context::from_waker(&end));
    let mut chunks = [Bytes::from(vec![7; MUCH])];
    assert!(send.poll_write_chunks(&mut room, &mut chunks).is_ready());
    assert!(send.poll_write_chunks(&mut room, &mut chunks).is_pending());
    assert!(send.poll_closed(&mut end).is_pending());
    read(&mut recv).await;
    assert_eq!((for_room.get(), for_end.get()), (1, 0));
    assert!(send.poll_write_chunks(&mut room, &mut chunks).is_ready());
    recv.stop(9);
    assert_eq!(for_end.get(), 1);
    let closed = send.poll_closed(&mut end);
    assert!(matches!(closed, Poll::Ready(Err(SendError::Stopped(9)))));
}

#[tokio::test]
async fn a_request_counts_until_it_is_read_and_its_answer_does_not() {
    let (mut near, mut far) = pair();
    far.allow_bi(1);
    let (mut send, _answer) = poll_fn(|cx| near.poll_open_bi(cx)).await.unwrap();
    let (_answering, mut recv) = poll_fn(|cx| far.poll_accept_bi(cx)).await.unwrap();
    write(&mut send, b"request").await;
    send.finish();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(near.poll_open_bi(cx).is_pending());
    assert!(near.poll_open_uni(cx).is_ready(), "another kind");
    assert_eq!(read(&mut recv).await.as_deref(), Some(&b"request"[..]));
    assert!(near.poll_open_bi(cx).is_ready());
}

#[tokio::test]
async fn datagrams_that_nobody_reads_are_lost() {
    let (mut near, mut far) = pair();
    for _ in 0..10_000 {
        near.send_datagram(Bytes::from_static(b"now"));
    }
    let cx = &mut Context::from_waker(Waker::noop());
    let mut count = 0;
    while let Poll::Ready(datagram) = far.poll_recv_datagram(cx) {
        assert_eq!(datagram.unwrap(), b"now"[..]);
        count += 1;
    }
    assert_eq!(count, 1_024);
}

#[tokio::test]
async fn what_nobody_took_goes_with_the_connection() {
    let (mut near, far) = pair();
    let mut send = poll_fn(|cx| near.poll_open_uni(cx)).await.unwrap();
    write(&mut send, b"data").await;
    drop(far);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(send.poll_closed(cx), Poll::Ready(Err(_))));
}
