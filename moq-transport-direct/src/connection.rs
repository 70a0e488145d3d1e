//! A handle to a connection on quinn-proto.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use moq_session::transport::{Transport, TransportError, TransportInfo, TransportStats};
use quinn_proto::{Dir, StreamId};

use crate::link::Link;
use crate::recv::RecvStream;
use crate::send::SendStream;
use crate::waiters::HandleId;

/// A connection over raw QUIC or WebTransport.
///
/// A clone is a further handle to the same connection, with waits of its own. When the last handle
/// and the last stream are dropped, the connection is closed with code 0.
pub struct Connection {
    link: Arc<Link>,
    handle: HandleId,
}

impl Connection {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let handle = link.lock().new_handle();
        Self { link, handle }
    }

    fn poll_accept(
        &self,
        dir: Dir,
        cx: &Context<'_>,
    ) -> Poll<Result<(StreamId, Bytes), TransportError>> {
        let mut state = self.link.lock();
        if self.link.is_closed_here() {
            drop(state);
            return Poll::Ready(Err(self.link.error()));
        }
        let accepted = ready!(state.poll_accept(dir, self.handle, cx));
        // Accepting gives the peer credit for another stream.
        self.link.call(&mut state);
        drop(state);
        Poll::Ready(accepted.ok_or_else(|| self.link.error()))
    }

    fn poll_open(
        &self,
        dir: Dir,
        cx: &Context<'_>,
    ) -> Poll<Result<(StreamId, Bytes), TransportError>> {
        let mut state = self.link.lock();
        if self.link.has_ended(&state) {
            drop(state);
            return Poll::Ready(Err(self.link.error()));
        }
        let opened = ready!(state.poll_open(dir, self.handle, cx));
        let head = state
            .web
            .as_ref()
            .map_or_else(Bytes::new, |web| web.head(dir));
        drop(state);
        let opened = opened.map(|id| (id, head));
        Poll::Ready(opened.ok_or_else(|| self.link.error()))
    }
}

impl Clone for Connection {
    fn clone(&self) -> Self {
        Self::new(self.link.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.lock().drop_handle(self.handle);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("kind", &self.link.info.kind)
            .field("remote", &self.link.info.remote)
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
        Poll::Ready(Ok(RecvStream::new(&self.link, id, bytes)))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let (id, bytes) = ready!(self.poll_accept(Dir::Bi, cx))?;
        let send = SendStream::new(&self.link, id, Bytes::new());
        Poll::Ready(Ok((send, RecvStream::new(&self.link, id, bytes))))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, TransportError>> {
        let (id, head) = ready!(self.poll_open(Dir::Uni, cx))?;
        Poll::Ready(Ok(SendStream::new(&self.link, id, head)))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let (id, head) = ready!(self.poll_open(Dir::Bi, cx))?;
        let send = SendStream::new(&self.link, id, head);
        Poll::Ready(Ok((send, RecvStream::new(&self.link, id, Bytes::new()))))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        let mut state = self.link.lock();
        if self.link.is_closed_here() {
            drop(state);
            return Poll::Ready(Err(self.link.error()));
        }
        let datagram = state.poll_datagram(self.handle, cx);
        if state.web.as_ref().is_some_and(|web| web.has_to_close()) {
            self.link.call(&mut state);
        }
        drop(state);
        let datagram = ready!(datagram);
        Poll::Ready(datagram.ok_or_else(|| self.link.error()))
    }

    fn send_datagram(&mut self, payload: Bytes) {
        let mut guard = self.link.lock();
        let state = &mut *guard;
        if state.ended.is_some() {
            return;
        }
        let head = state
            .web
            .as_ref()
            .map_or(&[][..], |web| web.datagram_head());
        let datagram = if head.is_empty() {
            payload
        } else {
            let mut bytes = BytesMut::with_capacity(head.len() + payload.len());
            bytes.extend_from_slice(head);
            bytes.extend_from_slice(&payload);
            bytes.freeze()
        };
        // quinn-proto would make room by dropping older ones, which are as good as this one. A
        // failure is a loss, as promised.
        if state.quic.datagrams().send_buffer_space() >= datagram.len()
            && state.quic.datagrams().send(datagram, false).is_ok()
        {
            self.link.call_to_write(state);
        }
    }

    fn max_datagram_size(&self) -> usize {
        let mut state = self.link.lock();
        let head = state
            .web
            .as_ref()
            .map_or(0, |web| web.datagram_head().len());
        let size = state.live().and_then(|quic| quic.datagrams().max_size());
        size.unwrap_or(0).saturating_sub(head)
    }

    fn info(&self) -> &TransportInfo {
        &self.link.info
    }

    fn stats(&self) -> TransportStats {
        self.link.stats()
    }

    fn heard(&self) -> Option<u64> {
        Some(self.link.heard())
    }

    fn ping(&self) {
        self.link.ping();
    }

    fn set_stream_limit(&self, count: usize) {
        self.link.set_stream_limit(count);
    }

    fn set_paused_streams(&self, count: usize) {
        self.link.set_paused_streams(count);
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.link.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let mut state = self.link.lock();
        if !self.link.has_ended(&state) {
            let waits = state.poll_stage(self.handle, cx, |_| None::<()>);
            ready!(waits.map(|_| ()));
        }
        drop(state);
        Poll::Ready(self.link.error())
    }
}
