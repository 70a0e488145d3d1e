//! A handle to a connection on quinn-proto.

mod core;
mod guard;
mod inner;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use moq_session::transport::{Transport, TransportError, TransportInfo, TransportStats};
use quinn_proto::{Dir, StreamId};

use crate::recv::RecvStream;
use crate::send::SendStream;
use crate::waiters::HandleId;

pub(crate) use self::core::{ConnectionCore, State, now};
pub(crate) use guard::ConnectionGuard;
pub(crate) use inner::ConnectionInner;

/// A connection over raw QUIC or WebTransport.
///
/// A clone is a further handle to the same connection, with waits of its own. When the last handle
/// and the last stream are dropped, the connection is closed with code 0.
pub struct Connection {
    pub(crate) inner: Arc<ConnectionInner>,
    handle: HandleId,
}

impl Connection {
    pub(crate) fn new(inner: Arc<ConnectionInner>) -> Self {
        let handle = inner.lock().waits.new_handle();
        Self { inner, handle }
    }

    fn poll_accept(
        &self,
        dir: Dir,
        cx: &Context<'_>,
    ) -> Poll<Result<(StreamId, Bytes), TransportError>> {
        self.inner.poll(|state| {
            if self.inner.is_closed_here() {
                return Poll::Ready(None);
            }
            let accepted = ready!(state.poll_accept(dir, self.handle, cx));
            // Accepting gives the peer credit for another stream.
            self.inner.call(state);
            Poll::Ready(accepted)
        })
    }

    fn poll_open(
        &self,
        dir: Dir,
        cx: &Context<'_>,
    ) -> Poll<Result<(StreamId, Bytes), TransportError>> {
        self.inner.poll(|state| {
            if self.inner.has_ended(state) {
                return Poll::Ready(None);
            }
            let opened = ready!(state.poll_open(dir, self.handle, cx));
            let web = state.web.as_ref();
            let head = web.map_or_else(Bytes::new, |web| web.head(dir));
            Poll::Ready(opened.map(|id| (id, head)))
        })
    }
}

impl Clone for Connection {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.inner.lock().waits.drop_handle(self.handle);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("kind", &self.inner.info.kind)
            .field("remote", &self.inner.info.remote)
            .finish_non_exhaustive()
    }
}

impl Transport for Connection {
    type Send = SendStream;
    type Recv = RecvStream;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<RecvStream, TransportError>> {
        let (id, bytes) = ready!(self.poll_accept(Dir::Uni, cx))?;
        Poll::Ready(Ok(RecvStream::new(&self.inner, id, bytes)))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let (id, bytes) = ready!(self.poll_accept(Dir::Bi, cx))?;
        let send = SendStream::new(&self.inner, id, Bytes::new());
        Poll::Ready(Ok((send, RecvStream::new(&self.inner, id, bytes))))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, TransportError>> {
        let (id, head) = ready!(self.poll_open(Dir::Uni, cx))?;
        Poll::Ready(Ok(SendStream::new(&self.inner, id, head)))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let (id, head) = ready!(self.poll_open(Dir::Bi, cx))?;
        let send = SendStream::new(&self.inner, id, head);
        Poll::Ready(Ok((send, RecvStream::new(&self.inner, id, Bytes::new()))))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.inner.poll(|state| {
            if self.inner.is_closed_here() {
                return Poll::Ready(None);
            }
            let datagram = state.poll_datagram(self.handle, cx);
            if state.web.as_ref().is_some_and(|web| web.has_to_close()) {
                self.inner.call(state);
            }
            datagram
        })
    }

    fn send_datagram(&mut self, payload: Bytes) {
        let _ = self.inner.with(|state| {
            if state.ended.is_some() {
                return;
            }
            let web = state.web.as_ref();
            let head = web.map_or(&[][..], |web| web.datagram_head());
            let datagram = join(head, payload);
            // quinn-proto would make room by dropping older ones, which are as good as this one. A
            // failure is a loss, as promised.
            let mut datagrams = state.quic.datagrams();
            if datagrams.send_buffer_space() >= datagram.len()
                && datagrams.send(datagram, false).is_ok()
            {
                self.inner.call(state);
            }
        });
    }

    fn max_datagram_size(&self) -> usize {
        let size = self.inner.with(|state| {
            let web = state.web.as_ref();
            let head = web.map_or(0, |web| web.datagram_head().len());
            let size = state.live()?.datagrams().max_size()?;
            Some(size.saturating_sub(head))
        });
        size.flatten().unwrap_or(0)
    }

    fn info(&self) -> &TransportInfo {
        &self.inner.info
    }

    fn stats(&self) -> TransportStats {
        self.inner.stats()
    }

    fn heard(&self) -> Option<u64> {
        Some(self.inner.heard())
    }

    fn ping(&self) {
        self.inner.ping();
    }

    fn set_stream_limit(&self, count: usize) {
        self.inner.set_stream_limit(count);
    }

    fn set_paused_streams(&self, count: usize) {
        self.inner.set_paused_streams(count);
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.inner.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let mut state = self.inner.lock();
        if !self.inner.has_ended(&state) {
            let waits = state.poll_stage(self.handle, cx, |_| None::<()>);
            ready!(waits.map(|_| ()));
        }
        drop(state);
        Poll::Ready(self.inner.error())
    }
}

fn join(head: &[u8], payload: Bytes) -> Bytes {
    if head.is_empty() {
        return payload;
    }
    let mut bytes = BytesMut::with_capacity(head.len() + payload.len());
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(&payload);
    bytes.freeze()
}
