//! The receiving half of a stream.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use moq_session::transport::{self, RecvError};
use moq_transport_common::quic::code;
use quinn::ReadError;

use crate::connection::ConnectionInner;
use crate::credit::Accepted;

/// The receiving half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before its end, it tells the peer to stop, with code 0.
pub struct RecvStream {
    half: Half,
    state: State,
    connection: Arc<ConnectionInner>,
    _accepted: Option<Arc<Accepted>>,
}

enum Half {
    Quic(quinn::RecvStream),
    Web(web_transport_quinn::RecvStream),
}

/// quinn reports the end of a stream to whoever reads on after a reset or a stop, so what really
/// happened is kept here.
#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    Finished,
    Reset(u32),
    Stopped,
}

impl RecvStream {
    pub(crate) fn quic(
        stream: quinn::RecvStream,
        connection: &Arc<ConnectionInner>,
        accepted: Option<Arc<Accepted>>,
    ) -> Self {
        Self::new(Half::Quic(stream), connection, accepted)
    }

    pub(crate) fn web(
        stream: web_transport_quinn::RecvStream,
        connection: &Arc<ConnectionInner>,
        accepted: Option<Arc<Accepted>>,
    ) -> Self {
        Self::new(Half::Web(stream), connection, accepted)
    }

    fn new(half: Half, connection: &Arc<ConnectionInner>, accepted: Option<Arc<Accepted>>) -> Self {
        Self {
            half,
            state: State::Open,
            connection: connection.clone(),
            _accepted: accepted,
        }
    }

    fn poll_half(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        // Both futures take bytes only when they are ready, and leave their waker with the
        // connection, so they may be dropped after one poll.
        let chunk = match &mut self.half {
            Half::Quic(stream) => {
                let chunk = ready!(pin!(stream.read_chunk(usize::MAX, true)).poll(cx));
                chunk.map_err(|error| quic_error(error, &self.connection))
            }
            Half::Web(stream) => {
                let chunk = ready!(pin!(stream.read_chunk(usize::MAX, true)).poll(cx));
                chunk.map_err(|error| web_error(error, &self.connection))
            }
        };
        Poll::Ready(chunk.map(|chunk| chunk.map(|chunk| chunk.bytes)))
    }
}

impl transport::RecvStream for RecvStream {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        match self.state {
            State::Open => {}
            State::Finished => return Poll::Ready(Ok(None)),
            State::Reset(code) => return Poll::Ready(Err(RecvError::Reset(code))),
            State::Stopped => return Poll::Ready(Err(RecvError::Closed)),
        }
        if let Some(error) = self.connection.closed_here() {
            return Poll::Ready(Err(error.into()));
        }
        loop {
            let chunk = ready!(self.poll_half(cx));
            match &chunk {
                Ok(Some(bytes)) if bytes.is_empty() => continue,
                Ok(None) => self.state = State::Finished,
                Err(RecvError::Reset(code)) => self.state = State::Reset(*code),
                _ => {}
            }
            return Poll::Ready(chunk);
        }
    }

    fn stop(&mut self, code: u32) {
        if !matches!(self.state, State::Open) {
            return;
        }
        self.state = State::Stopped;
        // It fails on a stream that is closed, where nothing more comes anyway.
        let _ = match &mut self.half {
            Half::Quic(stream) => stream.stop(code::to_http3(code)).is_ok(),
            Half::Web(stream) => stream.stop(code).is_ok(),
        };
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        // quinn would send a plain 0, which some peers do not understand.
        transport::RecvStream::stop(self, 0);
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn quic_error(error: ReadError, connection: &ConnectionInner) -> RecvError {
    match error {
        ReadError::Reset(code) => RecvError::Reset(code::from_either(code)),
        ReadError::ClosedStream | ReadError::IllegalOrderedRead => RecvError::Closed,
        ReadError::ConnectionLost(_) | ReadError::ZeroRttRejected => {
            RecvError::Transport(connection.error())
        }
    }
}

fn web_error(error: web_transport_quinn::ReadError, connection: &ConnectionInner) -> RecvError {
    use web_transport_quinn::ReadError;
    match error {
        ReadError::Reset(code) => RecvError::Reset(code),
        ReadError::InvalidReset(code) => RecvError::Reset(code::from_either(code)),
        ReadError::ClosedStream | ReadError::IllegalOrderedRead => RecvError::Closed,
        ReadError::SessionError(_) => RecvError::Transport(connection.error()),
    }
}
