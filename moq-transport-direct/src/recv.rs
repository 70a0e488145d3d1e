//! The receiving half of a stream on quinn-proto.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, RecvError};
use moq_transport_common::quic::code;
use quinn_proto::{Chunks, ReadError, ShouldTransmit, StreamId};

use crate::link::Link;

/// The receiving half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before its end, it tells the peer to stop, with code 0.
pub struct RecvStream {
    link: Arc<Link>,
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
    pub(super) fn new(link: &Arc<Link>, id: StreamId, bytes: Bytes) -> Self {
        Self {
            link: link.clone(),
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
        let link = self.link.clone();
        let mut state = link.lock();
        // What came before the end of the connection is still there.
        if !state.is_broken && self.read(&mut state.quic).should_transmit() {
            link.call(&mut state);
        }
        if let Some(bytes) = self.take_ahead() {
            return Poll::Ready(Ok(Some(bytes)));
        }
        if let Some(end) = self.end() {
            return Poll::Ready(end);
        }
        if link.has_ended(&state) {
            drop(state);
            return Poll::Ready(Err(RecvError::Transport(link.error())));
        }
        state.wait_readable(self.id, cx);
        self.waits = true;
        Poll::Pending
    }

    fn stop(&mut self, code: u32) {
        self.ahead = Default::default();
        if !matches!(self.state, State::Open) {
            return;
        }
        self.state = State::Closed;
        let mut state = self.link.lock();
        let Some(quic) = state.live() else { return };
        // It fails on a stream that is closed, where nothing more comes anyway.
        let _ = quic.recv_stream(self.id).stop(code::to_http3(code)).is_ok();
        self.link.call(&mut state);
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        transport::RecvStream::stop(self, 0);
        if self.waits {
            self.link.lock().drop_reader(self.id);
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
