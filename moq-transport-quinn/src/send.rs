//! The sending half of a stream.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use moq_session::transport::{self, SendError};
use moq_transport_common::quic::code;
use quinn::{StoppedError, VarInt, WriteError};

use crate::connection::ConnectionInner;
use crate::credit::Accepted;
use crate::pending::Pending;

/// The sending half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before it was finished or reset, it resets the stream with code 0: what was cut short
/// never looks complete.
pub struct SendStream {
    half: Half,
    /// Whether the end was said, by finishing or resetting.
    ended: bool,
    /// Whether it was abandoned here, before all of it was acknowledged.
    is_reset: bool,
    stopped: Pending<Result<Option<VarInt>, StoppedError>>,
    connection: Arc<ConnectionInner>,
    _accepted: Option<Arc<Accepted>>,
}

enum Half {
    Quic(quinn::SendStream),
    Web(web_transport_quinn::SendStream),
}

impl SendStream {
    pub(crate) fn quic(
        stream: quinn::SendStream,
        connection: &Arc<ConnectionInner>,
        accepted: Option<Arc<Accepted>>,
    ) -> Self {
        Self::new(Half::Quic(stream), connection, accepted)
    }

    pub(crate) fn web(
        stream: web_transport_quinn::SendStream,
        connection: &Arc<ConnectionInner>,
        accepted: Option<Arc<Accepted>>,
    ) -> Self {
        Self::new(Half::Web(stream), connection, accepted)
    }

    fn new(half: Half, connection: &Arc<ConnectionInner>, accepted: Option<Arc<Accepted>>) -> Self {
        Self {
            half,
            ended: false,
            is_reset: false,
            stopped: Pending::default(),
            connection: connection.clone(),
            _accepted: accepted,
        }
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
        if let Some(error) = self.connection.closed_here() {
            return Poll::Ready(Err(error.into()));
        }
        // Both futures take from `chunks` only when they are ready, and leave their waker with the
        // connection, so they may be dropped after one poll.
        let written = match &mut self.half {
            Half::Quic(stream) => {
                let written = ready!(pin!(stream.write_chunks(chunks)).poll(cx));
                written.map_err(|error| quic_error(error, &self.connection))
            }
            Half::Web(stream) => {
                let written = ready!(pin!(stream.write_chunks(chunks)).poll(cx));
                written.map_err(|error| web_error(error, &self.connection))
            }
        };
        Poll::Ready(written.map(|written| written.bytes))
    }

    fn set_priority(&mut self, order: i32) {
        // It fails on a stream that is closed, where the order no longer matters.
        let _ = match &self.half {
            Half::Quic(stream) => stream.set_priority(order).is_ok(),
            Half::Web(stream) => stream.set_priority(order).is_ok(),
        };
    }

    fn finish(&mut self) {
        self.ended = true;
        // It fails on a stream that is closed, which then stays so.
        let _ = match &mut self.half {
            Half::Quic(stream) => stream.finish().is_ok(),
            Half::Web(stream) => stream.finish().is_ok(),
        };
    }

    fn reset(&mut self, code: u32) {
        self.ended = true;
        // As with `finish`.
        self.is_reset |= match &mut self.half {
            Half::Quic(stream) => stream.reset(code::to_http3(code)).is_ok(),
            Half::Web(stream) => stream.reset(code).is_ok(),
        };
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if let Some(error) = self.connection.closed_here() {
            return Poll::Ready(Err(error.into()));
        }
        if self.is_reset {
            return Poll::Ready(Err(SendError::Closed));
        }
        let closed = match &mut self.half {
            Half::Quic(stream) => match ready!(self.stopped.poll(cx, || stream.stopped())) {
                Ok(None) => Ok(()),
                Ok(Some(code)) => Err(SendError::Stopped(code::from_either(code))),
                Err(_) => Err(SendError::Transport(self.connection.error())),
            },
            Half::Web(stream) => {
                let closed = web_transport_trait::poll::SendStream::poll_closed(stream, cx);
                ready!(closed).map_err(|error| web_error(error, &self.connection))
            }
        };
        Poll::Ready(closed)
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        if !self.ended {
            // quinn would finish the stream instead.
            transport::SendStream::reset(self, 0);
        }
    }
}

impl fmt::Debug for SendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendStream")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

fn quic_error(error: WriteError, connection: &ConnectionInner) -> SendError {
    match error {
        WriteError::Stopped(code) => SendError::Stopped(code::from_either(code)),
        WriteError::ClosedStream => SendError::Closed,
        WriteError::ConnectionLost(_) | WriteError::ZeroRttRejected => {
            SendError::Transport(connection.error())
        }
    }
}

fn web_error(error: web_transport_quinn::WriteError, connection: &ConnectionInner) -> SendError {
    use web_transport_quinn::WriteError;
    match error {
        WriteError::Stopped(code) => SendError::Stopped(code),
        WriteError::InvalidStopped(code) => SendError::Stopped(code::from_either(code)),
        WriteError::ClosedStream => SendError::Closed,
        WriteError::SessionError(_) => SendError::Transport(connection.error()),
    }
}
