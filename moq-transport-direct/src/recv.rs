//! The receiving half of a stream on quinn-proto.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, RecvError};
use moq_transport_common::quic::code;
use quinn_proto::{Chunks, ReadError, ShouldTransmit, StreamId, VarInt};

use crate::connection;
use crate::connection::ConnectionInner;

/// The receiving half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before its end, it tells the peer to stop, with code 0.
pub struct RecvStream {
    connection: Arc<ConnectionInner>,
    id: StreamId,
    /// What was read ahead, in order; often the last of a stream together with its end.
    ahead: [Bytes; 2],
    state: State,
    /// Whether a waker was left with the connection.
    waits: bool,
}

/// quinn-proto forgets a stream at its end, so what happened is kept here.
#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    Finished,
    Reset(u32),
    Closed,
}

impl RecvStream {
    pub(super) fn new(connection: &Arc<ConnectionInner>, id: StreamId, bytes: Bytes) -> Self {
        Self {
            connection: connection.clone(),
            id,
            ahead: [bytes, Bytes::new()],
            state: State::Open,
            waits: false,
        }
    }

    /// Reads ahead, and says whether the peer should be told that there is room again.
    fn read(&mut self, quic: &mut quinn_proto::Connection) -> ShouldTransmit {
        let mut stream = quic.recv_stream(self.id);
        let Ok(mut chunks) = stream.read(true) else {
            self.state = State::Closed;
            return ShouldTransmit::default();
        };
        self.fill(&mut chunks);
        chunks.finalize()
    }

    /// Reads as much as there is room for, up to the end of the stream.
    fn fill(&mut self, chunks: &mut Chunks<'_>) {
        for room in &mut self.ahead {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) => *room = chunk.bytes,
                Ok(None) => {
                    self.state = State::Finished;
                    return;
                }
                Err(ReadError::Reset(code)) => {
                    self.state = State::Reset(code::from_either(code));
                    return;
                }
                Err(ReadError::Blocked) => return,
            }
        }
    }

    /// Waits until there is something to read, or an end.
    fn poll_more(&mut self, state: &mut connection::State, cx: &Context<'_>) -> Poll<()> {
        // What came before the end of the connection is still there.
        if self.read(&mut state.quic).should_transmit() {
            self.connection.call(state);
        }
        let has_more = self.ahead.iter().any(|bytes| !bytes.is_empty());
        if has_more || !matches!(self.state, State::Open) || self.connection.has_ended(state) {
            return Poll::Ready(());
        }
        state.waits.add_reader(self.id, cx);
        self.waits = true;
        Poll::Pending
    }

    fn take_ahead(&mut self) -> Option<Bytes> {
        let mut ahead = self.ahead.iter_mut().filter(|bytes| !bytes.is_empty());
        ahead.next().map(std::mem::take)
    }

    /// What an ended stream gives, when nothing is left of it.
    fn end(&self) -> Option<Result<Option<Bytes>, RecvError>> {
        match self.state {
            State::Open => None,
            State::Finished => Some(Ok(None)),
            State::Reset(code) => Some(Err(RecvError::Reset(code))),
            State::Closed => Some(Err(RecvError::Closed)),
        }
    }
}

impl transport::RecvStream for RecvStream {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        if let Some(bytes) = self.take_ahead() {
            return Poll::Ready(Ok(Some(bytes)));
        }
        if let Some(end) = self.end() {
            return Poll::Ready(end);
        }
        let connection = self.connection.clone();
        let polled = connection.with(|state| self.poll_more(state, cx));
        if polled.is_some_and(|polled| polled.is_pending()) {
            return Poll::Pending;
        }
        if let Some(bytes) = self.take_ahead() {
            return Poll::Ready(Ok(Some(bytes)));
        }
        let end = || Err(RecvError::Transport(connection.error()));
        Poll::Ready(self.end().unwrap_or_else(end))
    }

    fn stop(&mut self, code: u32) {
        self.ahead = Default::default();
        if !matches!(self.state, State::Open) {
            return;
        }
        self.state = State::Closed;
        let _ = self.connection.with(|state| {
            let Some(quic) = state.live() else { return };
            stop(quic, self.id, code::to_http3(code));
            self.connection.call(state);
        });
    }
}

/// Stops a stream, or takes it to its end if that is here: then quinn-proto forgets it and tells the
/// peer of the credit for another one, which it does not for one that is stopped.
pub(super) fn stop(quic: &mut quinn_proto::Connection, id: StreamId, code: VarInt) {
    let mut stream = quic.recv_stream(id);
    if let Ok(mut chunks) = stream.read(true) {
        while let Ok(Some(_)) = chunks.next(usize::MAX) {}
        // The driver is called in any case.
        let _ = chunks.finalize();
    }
    // It fails on a stream that is closed, where nothing more comes anyway.
    let _ = stream.stop(code).is_ok();
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        transport::RecvStream::stop(self, 0);
        if self.waits {
            self.connection.lock().waits.drop_reader(self.id);
        }
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
