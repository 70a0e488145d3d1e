//! Everything that a task can wait for on a connection, and what ends each wait.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::hands::{
    accept_bi, accept_uni, begun, full, once, open_bi, open_uni, read, read_whole, within, write,
};
use super::run::Ends;
use crate::transport::{RecvError, RecvStream, SendError, SendStream, Transport, TransportError};

/// Something that is waited for, and not there yet.
pub(super) struct Wait {
    pub(super) name: &'static str,
    /// Polls for it, at the near end.
    pub(super) poll: Box<Attempt>,
    /// Makes it come.
    pub(super) end: Pin<Box<dyn Future<Output = ()>>>,
}

/// A poll for what is waited for.
type Attempt = dyn FnMut(&mut Context<'_>) -> Poll<Result<(), Failure>>;

/// Why a wait failed.
pub(super) enum Failure {
    Connection(TransportError),
    Send(SendError),
    Recv(RecvError),
}

impl Wait {
    fn new<T, E: Into<Failure>>(
        name: &'static str,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, E>> + 'static,
        end: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self {
            name,
            poll: Box::new(move |cx| poll(cx).map(|it| it.map(drop).map_err(Into::into))),
            end: Box::pin(end),
        }
    }
}

/// All waits, on one connection. Those that use up stream credit come last; an earlier one that ends may
/// give some back.
pub(super) async fn all<N: Transport, F: Transport>(ends: &mut Ends<N, F>) -> Vec<Wait> {
    let mut waits = vec![
        read_chunk(ends).await,
        write_chunks(ends).await,
        acknowledgement(ends).await,
        uni(ends),
        bi(ends),
        closing(ends),
    ];
    if ends.near_can.datagrams {
        waits.push(received(ends));
    }
    waits.push(credit_bi(ends).await);
    waits.push(credit_uni(ends).await);
    waits
}

/// A stream of the peer.
pub(super) fn uni<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let poll = move |cx: &mut Context<'_>| near.poll_accept_uni(cx);
    Wait::new("accept_uni", poll, async move {
        let mut send = open_uni(&mut far).await;
        write(&mut send, &b"x"[..]).await;
        send.finish();
    })
}

/// A request of the peer.
pub(super) fn bi<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let poll = move |cx: &mut Context<'_>| near.poll_accept_bi(cx);
    Wait::new("accept_bi", poll, async move {
        let (mut send, _) = open_bi(&mut far).await;
        write(&mut send, &b"x"[..]).await;
        send.finish();
    })
}

/// A datagram.
pub(super) fn received<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let poll = move |cx: &mut Context<'_>| near.poll_recv_datagram(cx);
    Wait::new("recv_datagram", poll, async move {
        far.send_datagram(Bytes::from_static(b"x"));
    })
}

/// The connection's end.
pub(super) fn closing<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let poll = move |cx: &mut Context<'_>| near.poll_closed(cx).map(Ok::<_, Failure>);
    Wait::new("closed", poll, async move { far.close(0, "") })
}

/// Bytes of a stream.
pub(super) async fn read_chunk<N: Transport, F: Transport>(ends: &mut Ends<N, F>) -> Wait {
    let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
    let poll = move |cx: &mut Context<'_>| recv.poll_read_chunk(cx);
    Wait::new("read", poll, async move {
        write(&mut send, &b"x"[..]).await;
        send.finish();
    })
}

/// Room on a stream.
pub(super) async fn write_chunks<N: Transport, F: Transport>(ends: &mut Ends<N, F>) -> Wait {
    let (mut send, recv, filled) = full(&mut ends.near, &mut ends.far).await;
    let recv = Rc::new(RefCell::new(recv));
    let reader = recv.clone();
    let mut chunks = [Bytes::from_static(b"x")];
    let poll = move |cx: &mut Context<'_>| {
        let _kept = &recv;
        send.poll_write_chunks(cx, &mut chunks)
    };
    Wait::new("write", poll, async move {
        let mut taken = 0;
        while taken < filled {
            let chunk = within(
                "read",
                poll_fn(|cx| reader.borrow_mut().poll_read_chunk(cx)),
            );
            let chunk = chunk.await.expect("it goes on").expect("it is not over");
            taken += chunk.len();
        }
    })
}

/// A stream's acknowledgement.
pub(super) async fn acknowledgement<N: Transport, F: Transport>(ends: &mut Ends<N, F>) -> Wait {
    let (send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    let send = Rc::new(RefCell::new(send));
    let finish = send.clone();
    let poll = move |cx: &mut Context<'_>| send.borrow_mut().poll_closed(cx);
    Wait::new("closed stream", poll, async move {
        finish.borrow_mut().finish();
        read_whole(&mut recv).await;
    })
}

/// Credit for a unidirectional stream.
pub(super) async fn credit_uni<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let mut open = exhaust_uni(&mut near).await;
    let poll = move |cx: &mut Context<'_>| near.poll_open_uni(cx);
    Wait::new("open_uni", poll, async move {
        open.iter_mut().for_each(SendStream::finish);
        for _ in 0..open.len() {
            read_whole(&mut accept_uni(&mut far).await).await;
        }
    })
}

/// Credit for a bidirectional stream.
pub(super) async fn credit_bi<N: Transport, F: Transport>(ends: &Ends<N, F>) -> Wait {
    let (mut near, mut far) = (ends.near.clone(), ends.far.clone());
    let mut open = exhaust_bi(&mut near).await;
    let poll = move |cx: &mut Context<'_>| near.poll_open_bi(cx);
    Wait::new("open_bi", poll, async move {
        for (send, back) in &mut open {
            send.finish();
            back.stop(0);
        }
        for _ in 0..open.len() {
            let (mut answer, mut recv) = accept_bi(&mut far).await;
            // It may be over by a stop, or not yet.
            let _ = read(&mut recv).await;
            answer.finish();
        }
    })
}

/// Opens unidirectional streams until there is no credit for another, with a byte on each.
pub(super) async fn exhaust_uni<T: Transport>(end: &mut T) -> Vec<T::Send> {
    let mut open = Vec::new();
    while let Poll::Ready(stream) = once(|cx| end.poll_open_uni(cx)) {
        let mut stream = stream.expect("the connection is there");
        write(&mut stream, &b"x"[..]).await;
        open.push(stream);
        assert!(open.len() < MOST, "there is no limit to open streams");
    }
    open
}

/// The same of bidirectional ones.
pub(super) async fn exhaust_bi<T: Transport>(end: &mut T) -> Vec<(T::Send, T::Recv)> {
    let mut open = Vec::new();
    while let Poll::Ready(streams) = once(|cx| end.poll_open_bi(cx)) {
        let mut streams = streams.expect("the connection is there");
        write(&mut streams.0, &b"x"[..]).await;
        open.push(streams);
        assert!(open.len() < MOST, "there is no limit to open streams");
    }
    open
}

/// More streams than any peer allows another to open for nothing.
const MOST: usize = 5_000;

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => fmt::Debug::fmt(error, f),
            Self::Send(error) => fmt::Debug::fmt(error, f),
            Self::Recv(error) => fmt::Debug::fmt(error, f),
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Connection(error)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Transport(error) => Self::Connection(error),
            other => Self::Send(other),
        }
    }
}

impl From<RecvError> for Failure {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Transport(error) => Self::Connection(error),
            other => Self::Recv(other),
        }
    }
}
