//! Putting messages and frames onto a stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use moq_wire::{Encode, EncodeError, Version, code, put_message};

use super::patience::Patience;
use crate::context::Shared;
use crate::error::StreamError;
use crate::limits::Limit;
use crate::transport::SendStream;

/// The sending half of a stream, with what is not taken by the transport yet.
///
/// Dropping it without [`Self::finish`] resets the stream.
#[derive(Debug)]
pub(crate) struct Writer<S: SendStream> {
    stream: S,
    pub(crate) version: Version,
    /// Where messages are encoded; taken off as chunks.
    pub(crate) scratch: BytesMut,
    chunks: Vec<Bytes>,
    /// The first chunk that is not written whole.
    next: usize,
    /// How long the peer may take nothing of what is queued.
    patience: Option<Patience>,
    is_closed: bool,
}

impl<S: SendStream> Writer<S> {
    pub(crate) fn new(stream: S, version: Version) -> Self {
        let (scratch, chunks) = (BytesMut::new(), Vec::new());
        Self {
            stream,
            version,
            scratch,
            chunks,
            next: 0,
            patience: None,
            is_closed: false,
        }
    }

    /// Control streams go before all groups.
    pub(crate) fn control(mut stream: S, version: Version) -> Self {
        stream.set_priority(i32::MAX);
        Self::new(stream, version)
    }

    /// Gives the peer a deadline for taking something of what is queued, the time that an answer may take.
    pub(crate) fn in_time(mut self, shared: &Arc<Shared>) -> Self {
        self.patience = Some(Patience::new(shared, Limit::WriteTime));
        self
    }

    /// Lets the peer take what is queued when it likes.
    pub(crate) fn at_leisure(&mut self) {
        self.patience = None;
    }

    pub(crate) fn set_priority(&mut self, order: i32) {
        self.stream.set_priority(order);
    }

    /// Queues a length-prefixed message; after an error, nothing.
    pub(crate) fn message<M: Encode>(&mut self, message: &M) -> Result<(), EncodeError> {
        put_message(message, &mut self.scratch, self.version)
    }

    /// Makes room for a header and a short payload, by a block that serves many of them.
    pub(crate) fn make_room(&mut self) {
        if self.scratch.capacity() - self.scratch.len() < SHORT + HEADER {
            self.take_scratch();
            self.scratch.reserve(BLOCK);
        }
    }

    /// Queues a payload. A short one is copied, which is cheaper than to pass it on by itself.
    pub(crate) fn payload(&mut self, payload: Bytes) {
        if payload.len() <= SHORT {
            self.scratch.extend_from_slice(&payload);
            return;
        }
        self.take_scratch();
        self.chunks.push(payload);
    }

    /// Whether chunks are queued: after a flush, the transport did not take all.
    pub(crate) fn is_held_up(&self) -> bool {
        !self.chunks.is_empty()
    }

    fn take_scratch(&mut self) {
        if !self.scratch.is_empty() {
            self.chunks.push(self.scratch.split().freeze());
        }
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// [`StreamError::Timeout`] when the peer takes nothing of it in time, where it has a deadline.
    pub(crate) async fn flush(&mut self) -> Result<(), StreamError> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Poll form of [`Self::flush`].
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.take_scratch();
        while self.next < self.chunks.len() {
            let rest = &mut self.chunks[self.next..];
            let Poll::Ready(taken) = self.stream.poll_write_chunks(cx, rest) else {
                let Some(patience) = &mut self.patience else {
                    return Poll::Pending;
                };
                return patience.poll(cx).map(Err);
            };
            taken?;
            if let Some(patience) = &mut self.patience {
                patience.reset();
            }
            let rest = &self.chunks[self.next..];
            self.next += rest.iter().take_while(|chunk| chunk.is_empty()).count();
        }
        self.chunks.clear();
        self.next = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes what is queued and ends the stream well.
    pub(crate) async fn finish(&mut self) -> Result<(), StreamError> {
        self.flush().await?;
        self.end();
        Ok(())
    }

    /// Ends the stream well; everything queued must be flushed.
    pub(crate) fn end(&mut self) {
        self.is_closed = true;
        // The list and what is left of the block would be held until all is acknowledged.
        self.scratch = BytesMut::new();
        self.chunks = Vec::new();
        self.stream.finish();
    }

    /// Waits until the peer has everything, or wants nothing.
    pub(crate) async fn acknowledged(&mut self) -> Result<(), StreamError> {
        poll_fn(|cx| self.poll_closed(cx)).await
    }

    /// Poll form of [`Self::acknowledged`].
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.stream.poll_closed(cx).map_err(Into::into)
    }

    /// Abandons the stream.
    pub(crate) fn reset(&mut self, code: u32) {
        self.is_closed = true;
        self.stream.reset(code);
    }
}

impl<S: SendStream> Drop for Writer<S> {
    fn drop(&mut self) {
        if !self.is_closed {
            self.stream.reset(code::stream::CANCELLED);
        }
    }
}

/// Bytes of a payload that is copied.
const SHORT: usize = 256;
/// Bytes of a frame's header, at most.
const HEADER: usize = 32;
/// Bytes that are allocated for headers and short payloads.
const BLOCK: usize = 1_024;
