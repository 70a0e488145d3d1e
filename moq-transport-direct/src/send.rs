//! The sending half of a stream on quinn-proto.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, SendError};
use moq_transport_common::quic::code;
use quinn_proto::{FinishError, StreamId, WriteError};

use crate::connection::ConnectionInner;
use crate::connection::State;

/// The sending half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before it was finished or reset, it resets the stream with code 0: what was cut short
/// never looks complete.
pub struct SendStream {
    connection: Arc<ConnectionInner>,
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
    pub(super) fn new(connection: &Arc<ConnectionInner>, id: StreamId, head: Bytes) -> Self {
        Self {
            connection: connection.clone(),
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

    /// Writes what there is room for, or waits for room; `None` where the connection has ended.
    fn poll_write(
        &mut self,
        state: &mut State,
        cx: &Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Option<Result<usize, SendError>>> {
        if self.connection.has_ended(state) {
            return Poll::Ready(None);
        }
        let written = self.write(state, chunks);
        self.connection.call(state);
        Poll::Ready(Some(match written {
            Ok(bytes) => Ok(bytes),
            Err(WriteError::Blocked) => {
                state.waits.add_writer(self.id, cx);
                self.waits = true;
                return Poll::Pending;
            }
            Err(WriteError::Stopped(code)) => Err(SendError::Stopped(code::from_either(code))),
            Err(WriteError::ClosedStream) => Err(SendError::Closed),
        }))
    }

    /// Says that the stream is whole.
    fn write_end(&mut self, state: &mut State) {
        // It fails on a stream that is closed, which then stays so. Without its head a stream
        // belongs to no session, so that an empty one which can't be written is none at all.
        let _ = match self.write_head(state) {
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
        let connection = self.connection.clone();
        let polled = connection.with(|state| self.poll_write(state, cx, chunks));
        let lost = || Err(SendError::Transport(connection.error()));
        polled
            .unwrap_or(Poll::Ready(None))
            .map(|written| written.unwrap_or_else(lost))
    }

    fn set_priority(&mut self, order: i32) {
        let _ = self.connection.with(|state| {
            // It fails on a stream that is closed, where the order no longer matters.
            if let Some(quic) = state.live() {
                let _ = quic.send_stream(self.id).set_priority(order).is_ok();
            }
        });
    }

    fn finish(&mut self) {
        self.ended = true;
        let connection = self.connection.clone();
        let _ = connection.with(|state| {
            if state.ended.is_none() {
                self.write_end(state);
                connection.call(state);
            }
        });
    }

    fn reset(&mut self, code: u32) {
        self.ended = true;
        let is_reset = self.connection.with(|state| {
            let Some(quic) = state.live() else {
                return false;
            };
            // It fails on a stream that is closed, which then stays so.
            let is_reset = quic.send_stream(self.id).reset(code::to_http3(code));
            self.connection.call(state);
            is_reset.is_ok()
        });
        self.is_reset |= is_reset.unwrap_or_default();
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let connection = self.connection.clone();
        let polled = connection.with(|state| {
            if self.is_reset && !connection.has_ended(state) {
                return Poll::Ready(Some(Err(SendError::Closed)));
            }
            Poll::Ready(match state.quic.send_stream(self.id).stopped() {
                // quinn-proto forgets a stream when it is acknowledged.
                Err(_) => Some(Ok(())),
                Ok(Some(code)) => Some(Err(SendError::Stopped(code::from_either(code)))),
                Ok(None) if connection.has_ended(state) => None,
                Ok(None) => {
                    state.waits.add_closer(self.id, cx);
                    self.waits = true;
                    return Poll::Pending;
                }
            })
        });
        let lost = || Err(SendError::Transport(connection.error()));
        polled
            .unwrap_or(Poll::Ready(None))
            .map(|closed| closed.unwrap_or_else(lost))
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        if !self.ended {
            transport::SendStream::reset(self, 0);
        }
        let _ = self.connection.with(|state| {
            if self.waits {
                state.waits.drop_writer(self.id);
            }
            let Some(quic) = state.live() else { return };
            let mut stream = quic.send_stream(self.id);
            if let Ok(Some(code)) = stream.stopped()
                && stream.reset(code).is_ok()
            {
                self.connection.call(state);
            }
        });
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
