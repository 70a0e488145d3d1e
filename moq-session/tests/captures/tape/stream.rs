//! The halves of a stream in a session's hands.

use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{RecvError, RecvStream, SendError, SendStream};
use tokio::time::Instant;

use super::Tape;
use crate::recording::{End, Half};

/// The session's sending half of a stream.
#[derive(Debug)]
pub(crate) struct TapeSend {
    pub(super) tape: Tape,
    pub(super) line: usize,
}

impl TapeSend {
    fn with<R>(
        &self,
        then: impl FnOnce(&mut Half) -> Result<R, SendError>,
    ) -> Result<R, SendError> {
        let mut state = self.tape.state();
        if let Some(error) = state.error() {
            return Err(error.into());
        }
        let half = state.lines[self.line].sent.as_mut();
        half.map_or(Err(SendError::Closed), then)
    }

    fn end(&self, end: End) {
        let mut state = self.tape.state();
        let is_open = state.closed.is_none();
        let line = &mut state.lines[self.line];
        let half = line.sent.as_mut().filter(|_| is_open);
        if let Some(half) = half.filter(|half| half.end == End::Open) {
            half.end = end;
            line.ended_at = Some(Instant::now());
        }
    }
}

impl SendStream for TapeSend {
    fn poll_write_chunks(
        &mut self,
        _cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        Poll::Ready(self.with(|half| match (half.stop, half.end) {
            (Some(code), _) => Err(SendError::Stopped(code)),
            (None, End::Open) => {
                let before = half.bytes.len();
                for chunk in chunks {
                    half.bytes.extend_from_slice(&std::mem::take(chunk));
                }
                Ok(half.bytes.len() - before)
            }
            _ => Err(SendError::Closed),
        }))
    }

    fn set_priority(&mut self, _order: i32) {}

    fn finish(&mut self) {
        self.end(End::Fin);
    }

    fn reset(&mut self, code: u32) {
        self.end(End::Reset(code));
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let closed = self.with(|half| match (half.end, half.stop) {
            (End::Fin, _) => Ok(true),
            (End::Reset(_), _) => Err(SendError::Closed),
            (End::Open, Some(code)) => Err(SendError::Stopped(code)),
            (End::Open, None) => Ok(false),
        });
        match closed {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => self.tape.state().wait(cx),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for TapeSend {
    fn drop(&mut self) {
        self.end(End::Reset(0));
    }
}

/// The session's receiving half of a stream.
#[derive(Debug)]
pub(crate) struct TapeRecv {
    pub(super) tape: Tape,
    pub(super) line: usize,
}

impl RecvStream for TapeRecv {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        let mut state = self.tape.state();
        if let Some(error) = state.error() {
            return Poll::Ready(Err(error.into()));
        }
        let line = &mut state.lines[self.line];
        let Some(half) = &line.played else {
            return Poll::Ready(Err(RecvError::Closed));
        };
        if half.stop.is_some() {
            return Poll::Ready(Err(RecvError::Closed));
        }
        if let End::Reset(code) = half.end {
            return Poll::Ready(Err(RecvError::Reset(code)));
        }
        let chunk = Bytes::copy_from_slice(half.bytes.get(line.read..).unwrap_or_default());
        line.read = half.bytes.len();
        if !chunk.is_empty() {
            return Poll::Ready(Ok(Some(chunk)));
        }
        line.has_read_end = half.end != End::Open;
        match line.has_read_end {
            true => Poll::Ready(Ok(None)),
            false => state.wait(cx),
        }
    }

    fn stop(&mut self, code: u32) {
        let mut state = self.tape.state();
        let is_open = state.closed.is_none();
        let line = &mut state.lines[self.line];
        let is_stoppable = is_open && !line.has_read_end;
        let half = line.played.as_mut().filter(|_| is_stoppable);
        if let Some(half) = half.filter(|half| half.stop.is_none()) {
            half.stop = Some(code);
            line.stopped_at = Some(Instant::now());
        }
    }
}

impl Drop for TapeRecv {
    fn drop(&mut self) {
        let is_ended = {
            let state = self.tape.state();
            let played = state.lines[self.line].played.as_ref();
            played.is_none_or(|half| half.end != End::Open)
        };
        // Letting go of what its sender has ended is nothing that a peer could see.
        if !is_ended {
            self.stop(0);
        }
    }
}
