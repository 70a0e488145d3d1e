//! What tasks wait for on a connection.

use std::task::{Context, Poll};

use bytes::Bytes;
use quinn_proto::{ConnectionError, Dir, StreamId, VarInt};

use crate::conn::State;
use crate::waiters::HandleId;

impl State {
    /// Waits for a stream of the peer: its id, and what was read of it already.
    pub(super) fn poll_accept(
        &mut self,
        dir: Dir,
        handle: HandleId,
        cx: &Context<'_>,
    ) -> Poll<Option<(StreamId, Bytes)>> {
        if self.is_broken {
            return Poll::Ready(None);
        }
        // What came before the end of the connection is still given.
        let accepted = match &mut self.web {
            Some(web) => web.accept(dir),
            None => self.quic.streams().accept(dir).map(|id| (id, Bytes::new())),
        };
        if accepted.is_some() {
            self.raise_credit(dir);
            return Poll::Ready(accepted);
        }
        if self.ended.is_some() {
            return Poll::Ready(None);
        }
        self.acceptors[dir as usize].add(handle, cx);
        Poll::Pending
    }

    /// Allows the peer more streams when half of what it may have is in use. It is little at first,
    /// since quinn-proto keeps a slot for each stream that is allowed.
    fn raise_credit(&mut self, dir: Dir) {
        let allowed = self.quic.max_concurrent_streams(dir);
        let limit = u64::from(match dir {
            Dir::Bi => self.bidi_limit,
            Dir::Uni => self.limits.uni,
        });
        let open = self.quic.streams().remote_open_streams(dir);
        if open >= allowed.div_ceil(2) && allowed < limit {
            let allowed = u32::try_from((allowed * 2).min(limit)).unwrap_or(u32::MAX);
            self.quic
                .set_max_concurrent_streams(dir, VarInt::from_u32(allowed));
        }
    }

    /// Opens a stream, waiting for the peer's credit.
    pub(super) fn poll_open(
        &mut self,
        dir: Dir,
        handle: HandleId,
        cx: &Context<'_>,
    ) -> Poll<Option<StreamId>> {
        if self.ended.is_some() {
            return Poll::Ready(None);
        }
        match self.quic.streams().open(dir) {
            Some(id) => Poll::Ready(Some(id)),
            None => {
                self.openers[dir as usize].add(handle, cx);
                Poll::Pending
            }
        }
    }

    /// Waits for a datagram.
    pub(super) fn poll_datagram(
        &mut self,
        handle: HandleId,
        cx: &Context<'_>,
    ) -> Poll<Option<Bytes>> {
        if self.is_broken {
            return Poll::Ready(None);
        }
        while let Some(datagram) = self.quic.datagrams().recv() {
            let payload = match &mut self.web {
                Some(web) => web.datagram(datagram),
                None => Some(datagram),
            };
            if payload.is_some() {
                return Poll::Ready(payload);
            }
        }
        if self.ended.is_some() {
            return Poll::Ready(None);
        }
        self.datagrams.add(handle, cx);
        Poll::Pending
    }

    /// Waits until `ready` finds something, or the end.
    pub(super) fn poll_stage<T>(
        &mut self,
        handle: HandleId,
        cx: &Context<'_>,
        ready: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Poll<Result<T, ConnectionError>> {
        if !self.is_broken
            && let Some(output) = ready(self)
        {
            return Poll::Ready(Ok(output));
        }
        if let Some(reason) = &self.ended {
            return Poll::Ready(Err(reason.clone()));
        }
        self.stages.add(handle, cx);
        Poll::Pending
    }

    pub(super) fn wait_readable(&mut self, id: StreamId, cx: &Context<'_>) {
        self.readers.insert(id, cx.waker().clone());
    }

    pub(super) fn wait_writable(&mut self, id: StreamId, cx: &Context<'_>) {
        self.writers.insert(id, cx.waker().clone());
    }

    pub(super) fn wait_closed(&mut self, id: StreamId, cx: &Context<'_>) {
        self.closers.insert(id, cx.waker().clone());
    }

    /// Forgets who waits to read a stream.
    pub(super) fn drop_reader(&mut self, id: StreamId) {
        self.readers.remove(&id);
    }

    /// Forgets who waits to write a stream, or for its end.
    pub(super) fn drop_writer(&mut self, id: StreamId) {
        self.writers.remove(&id);
        self.closers.remove(&id);
    }
}
