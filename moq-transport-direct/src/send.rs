//! The sending half of a stream on quinn-proto.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, SendError};
use moq_transport_common::quic::code;
use quinn_proto::{FinishError, StreamId, WriteError};

use crate::conn::State;
use crate::link::Link;

/// The sending half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before it was finished or reset, it resets the stream with code 0: what was cut short
/// never looks complete.
pub struct SendStream {
    link: Arc<Link>,
    id: StreamId,
    /// What names the stream's session, until it is written.
    head: Bytes,
    /// Whether the end was said, by finishing or resetting.
    ended: bool,
    /// Whether it was abandoned here, before all of it was acknowledged.
    is_reset: bool,
    /// Whether a waker was left with the connection.
    waits: bool,
}

impl SendStream {
    pub(super) fn new(link: &Arc<Link>, id: StreamId, head: Bytes) -> Self {
        Self {
            link: link.clone(),
            id,
            head,
            ended: false,
            is_reset: false,
            waits: false,
        }
    }

    /// Writes what is left of the head; an error if not all of it can be written.
    fn write_head(&mut self, state: &mut State) -> Result<(), WriteError> {
        while !self.head.is_empty() {
            let head = std::slice::from_mut(&mut self.head);
            state.quic.send_stream(self.id).write_chunks(head)?;
        }
        Ok(())
    }

    fn write(&mut self, state: &mut State, chunks: &mut [Bytes]) -> Result<usize, WriteError> {
        self.write_head(state)?;
        let written = state.quic.send_stream(self.id).write_chunks(chunks)?;
        Ok(written.bytes)
    }
}

impl transport::SendStream for SendStream {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        if chunks.iter().all(Bytes::is_empty) {
            return Poll::Ready(Ok(0));
        }
        let link = self.link.clone();
        let mut state = link.lock();
        if link.has_ended(&state) {
            drop(state);
            return Poll::Ready(Err(SendError::Transport(link.error())));
        }
        let written = self.write(&mut state, chunks);
        link.call_to_write(&mut state);
        Poll::Ready(match written {
            Ok(bytes) => Ok(bytes),
            Err(WriteError::Blocked) => {
                state.wait_writable(self.id, cx);
                self.waits = true;
                return Poll::Pending;
            }
            Err(WriteError::Stopped(code)) => Err(SendError::Stopped(code::from_either(code))),
            Err(WriteError::ClosedStream) => Err(SendError::Closed),
        })
    }

    fn set_priority(&mut self, order: i32) {
        // It fails on a stream that is closed, where the order no longer matters.
        if let Some(quic) = self.link.lock().live() {
            let _ = quic.send_stream(self.id).set_priority(order).is_ok();
        }
    }

    fn finish(&mut self) {
        self.ended = true;
        let link = self.link.clone();
        let mut state = link.lock();
        if state.ended.is_some() {
            return;
        }
        // It fails on a stream that is closed, which then stays so. Without its head a stream
        // belongs to no session, so that an empty one which can't be written is none at all.
        let _ = match self.write_head(&mut state) {
            Ok(()) => match state.quic.send_stream(self.id).finish() {
                // Nobody wants the rest, and without an end the peer would count it as open.
                Err(FinishError::Stopped(code)) => {
                    state.quic.send_stream(self.id).reset(code).is_ok()
                }
                finished => finished.is_ok(),
            },
            Err(_) => {
                let code = code::to_http3(0);
                state.quic.send_stream(self.id).reset(code).is_ok()
            }
        };
        link.call_to_write(&mut state);
    }

    fn reset(&mut self, code: u32) {
        self.ended = true;
        let mut state = self.link.lock();
        let Some(quic) = state.live() else { return };
        // As with `finish`.
        let mut stream = quic.send_stream(self.id);
        self.is_reset |= stream.reset(code::to_http3(code)).is_ok();
        self.link.call_to_write(&mut state);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let mut state = self.link.lock();
        if state.is_broken {
            drop(state);
            return Poll::Ready(Err(SendError::Transport(self.link.error())));
        }
        if self.is_reset && !self.link.has_ended(&state) {
            return Poll::Ready(Err(SendError::Closed));
        }
        let stopped = state.quic.send_stream(self.id).stopped();
        Poll::Ready(match stopped {
            // quinn-proto forgets a stream when it is acknowledged.
            Err(_) => Ok(()),
            Ok(Some(code)) => Err(SendError::Stopped(code::from_either(code))),
            Ok(None) if self.link.has_ended(&state) => {
                drop(state);
                Err(SendError::Transport(self.link.error()))
            }
            Ok(None) => {
                state.wait_closed(self.id, cx);
                self.waits = true;
                return Poll::Pending;
            }
        })
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        if !self.ended {
            transport::SendStream::reset(self, 0);
        }
        let mut state = self.link.lock();
        if self.waits {
            state.drop_writer(self.id);
        }
        let Some(quic) = state.live() else { return };
        let mut stream = quic.send_stream(self.id);
        if let Ok(Some(code)) = stream.stopped()
            && stream.reset(code).is_ok()
        {
            self.link.call_to_write(&mut state);
        }
    }
}

impl fmt::Debug for SendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendStream")
            .field("id", &self.id)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
