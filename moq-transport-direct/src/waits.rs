//! What tasks wait for on a connection.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use quinn_proto::{ConnectionError, Dir, StreamId};
use rustc_hash::FxHashMap;

use crate::connection::State;
use crate::waiters::{HandleId, Waiters};

/// Who waits on a connection, by what for.
#[derive(Default)]
pub(super) struct Waits {
    next_handle: u64,
    readers: FxHashMap<StreamId, Waker>,
    writers: FxHashMap<StreamId, Waker>,
    /// Those that wait for a stream to be acknowledged or stopped.
    closers: FxHashMap<StreamId, Waker>,
    acceptors: [Waiters; 2],
    openers: [Waiters; 2],
    datagrams: Waiters,
    /// Those that wait for the handshake, the request, or the end.
    stages: Waiters,
}

impl Waits {
    pub(super) fn new_handle(&mut self) -> HandleId {
        self.next_handle += 1;
        HandleId(self.next_handle)
    }

    /// Forgets who waits by a handle.
    pub(super) fn drop_handle(&mut self, handle: HandleId) {
        let all = self.acceptors.iter_mut().chain(&mut self.openers);
        for waiters in all.chain([&mut self.datagrams, &mut self.stages]) {
            waiters.remove(handle);
        }
    }

    pub(super) fn add_reader(&mut self, id: StreamId, cx: &Context<'_>) {
        self.readers.insert(id, cx.waker().clone());
    }

    pub(super) fn add_writer(&mut self, id: StreamId, cx: &Context<'_>) {
        self.writers.insert(id, cx.waker().clone());
    }

    pub(super) fn add_closer(&mut self, id: StreamId, cx: &Context<'_>) {
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

    /// Moves the waker of a stream's reader to `woken`, and says whether there was one.
    pub(super) fn wake_reader(&mut self, id: StreamId, woken: &mut Vec<Waker>) -> bool {
        let reader = self.readers.remove(&id);
        let has_reader = reader.is_some();
        woken.extend(reader);
        has_reader
    }

    pub(super) fn wake_writer(&mut self, id: StreamId, woken: &mut Vec<Waker>) {
        woken.extend(self.writers.remove(&id));
    }

    pub(super) fn wake_closer(&mut self, id: StreamId, woken: &mut Vec<Waker>) {
        woken.extend(self.closers.remove(&id));
    }

    pub(super) fn wake_acceptors(&mut self, dir: Dir, woken: &mut Vec<Waker>) {
        self.acceptors[dir as usize].take(woken);
    }

    pub(super) fn wake_openers(&mut self, dir: Dir, woken: &mut Vec<Waker>) {
        self.openers[dir as usize].take(woken);
    }

    pub(super) fn wake_datagrams(&mut self, woken: &mut Vec<Waker>) {
        self.datagrams.take(woken);
    }

    pub(super) fn wake_stages(&mut self, woken: &mut Vec<Waker>) {
        self.stages.take(woken);
    }

    /// Moves all wakers to `woken`, because nothing works any more.
    pub(super) fn wake_all(&mut self, woken: &mut Vec<Waker>) {
        for streams in [&mut self.readers, &mut self.writers, &mut self.closers] {
            woken.extend(streams.drain().map(|(_, waker)| waker));
        }
        let all = self.acceptors.iter_mut().chain(&mut self.openers);
        for waiters in all.chain([&mut self.datagrams, &mut self.stages]) {
            waiters.take(woken);
        }
    }
}

impl State {
    /// Waits for a stream of the peer: its id, and what was read of it already.
    pub(super) fn poll_accept(
        &mut self,
        dir: Dir,
        handle: HandleId,
        cx: &Context<'_>,
    ) -> Poll<Option<(StreamId, Bytes)>> {
        // What came before the end of the connection is still given.
        let accepted = match &mut self.web {
            Some(web) => web.accept(dir),
            None => self.quic.streams().accept(dir).map(|id| (id, Bytes::new())),
        };
        if accepted.is_some() {
            self.credit.raise(&mut self.quic, dir);
            return Poll::Ready(accepted);
        }
        if self.ended.is_some() {
            return Poll::Ready(None);
        }
        self.waits.acceptors[dir as usize].add(handle, cx);
        Poll::Pending
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
                self.waits.openers[dir as usize].add(handle, cx);
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
        self.waits.datagrams.add(handle, cx);
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
        self.waits.stages.add(handle, cx);
        Poll::Pending
    }
}
