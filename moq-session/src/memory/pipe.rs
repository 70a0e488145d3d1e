//! Streams of the memory pair: bytes in order, and how they end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::aftermath::Aftermath;
use super::chunks::Chunks;
use super::link::{Credit, Ending, Link};
use crate::transport::{RecvError, RecvStream, SendError, SendStream};

/// Bytes in flight on one stream.
pub(super) const WINDOW: usize = 64 * 1024;

/// One direction of a stream.
#[derive(Debug)]
pub(super) struct Pipe {
    link: Weak<Link>,
    /// What the link knows it by.
    key: usize,
    /// Who sends.
    side: usize,
    /// Bytes that may be in flight.
    window: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chunks: Chunks,
    buffered: usize,
    end: Option<PipeEnd>,
    stopped: Option<u32>,
    /// How the connection ended.
    ending: Option<Ending>,
    /// The receiver has seen the reset.
    is_reset_seen: bool,
    credit: Option<Credit>,
    reader: Option<Waker>,
    /// Waits for room.
    writer: Option<Waker>,
    /// Waits for the end.
    closing: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PipeEnd {
    Finished,
    Reset(u32),
}

impl Pipe {
    pub(super) fn new(
        link: Weak<Link>,
        key: usize,
        side: usize,
        window: usize,
        credit: Option<Credit>,
    ) -> Self {
        let state = Mutex::new(State {
            credit,
            ..State::default()
        });
        Self {
            link,
            key,
            side,
            window,
            state,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells both halves that the connection has ended.
    pub(super) fn end(&self, ending: &Ending) {
        let mut state = self.lock();
        state.ending = Some(ending.clone());
        let State {
            reader,
            writer,
            closing,
            ..
        } = &mut *state;
        let wakers = [reader.take(), writer.take(), closing.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if let Some(link) = self.link.upgrade() {
            link.forget(self.key);
        }
    }
}

impl State {
    /// Whether the other half has all that it is going to have.
    fn is_delivered(&self) -> bool {
        self.end == Some(PipeEnd::Finished) && self.buffered == 0
    }

    /// What follows from a change of the sender, or of the receiver.
    fn aftermath(&mut self, woken: Option<Waker>) -> Aftermath {
        let is_done = self.is_reset_seen || self.stopped.is_some() || self.is_delivered();
        Aftermath {
            woken,
            closed: self.closing.take_if(|_| is_done),
            credit: self.credit.take_if(|_| is_done),
        }
    }

    fn written(&mut self) -> Aftermath {
        let reader = self.reader.take();
        self.aftermath(reader)
    }

    fn read(&mut self) -> Aftermath {
        let writer = self.writer.take();
        self.aftermath(writer)
    }

    /// Takes as much of the chunks as there is room for.
    fn fill(&mut self, chunks: &mut [Bytes], window: usize) -> usize {
        let before = self.buffered;
        for chunk in chunks {
            let room = window - self.buffered;
            let part = chunk.split_to(chunk.len().min(room));
            if !part.is_empty() {
                self.buffered += part.len();
                self.chunks.push(part);
            }
        }
        self.buffered - before
    }

    /// Why nothing more can be sent, besides the sender's own end.
    fn refusal(&self, side: usize) -> Option<SendError> {
        if let Some(ending) = &self.ending {
            return Some(ending.seen_by(side).into());
        }
        self.stopped.map(SendError::Stopped)
    }
}

/// The sending half of a memory stream.
#[derive(Debug)]
pub struct MemorySend(pub(super) Arc<Pipe>);

impl MemorySend {
    fn end(&self, end: PipeEnd) {
        let mut state = self.0.lock();
        let is_cut = end != PipeEnd::Finished;
        let is_finished = state.end == Some(PipeEnd::Finished);
        let is_news = state.end.is_none() || (is_cut && is_finished && !state.is_delivered());
        if !is_news {
            return;
        }
        state.end = Some(end);
        let cut = if is_cut {
            state.buffered = 0;
            std::mem::take(&mut state.chunks)
        } else {
            Chunks::default()
        };
        let aftermath = state.written();
        drop(state);
        drop(cut);
        aftermath.follow();
    }
}

impl SendStream for MemorySend {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        let mut state = self.0.lock();
        if let Some(error) = state.refusal(self.0.side) {
            return Poll::Ready(Err(error));
        }
        if state.end.is_some() {
            return Poll::Ready(Err(SendError::Closed));
        }
        let written = state.fill(chunks, self.0.window);
        if written == 0 && chunks.iter().any(|chunk| !chunk.is_empty()) {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let aftermath = state.written();
        drop(state);
        aftermath.follow();
        Poll::Ready(Ok(written))
    }

    fn set_priority(&mut self, _order: i32) {}

    fn finish(&mut self) {
        self.end(PipeEnd::Finished);
    }

    fn reset(&mut self, code: u32) {
        self.end(PipeEnd::Reset(code));
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let mut state = self.0.lock();
        if let Some(error) = state.refusal(self.0.side) {
            return Poll::Ready(Err(error));
        }
        if state.is_delivered() {
            return Poll::Ready(Ok(()));
        }
        if let Some(PipeEnd::Reset(_)) = state.end {
            return Poll::Ready(Err(SendError::Closed));
        }
        state.closing = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for MemorySend {
    fn drop(&mut self) {
        let is_open = self.0.lock().end.is_none();
        if is_open {
            self.end(PipeEnd::Reset(0));
        }
    }
}

/// The receiving half of a memory stream.
#[derive(Debug)]
pub struct MemoryRecv(pub(super) Arc<Pipe>);

impl RecvStream for MemoryRecv {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        let mut state = self.0.lock();
        if let Some(ending) = &state.ending {
            return Poll::Ready(Err(ending.seen_by(1 - self.0.side).into()));
        }
        if let Some(PipeEnd::Reset(code)) = state.end {
            state.is_reset_seen = true;
            let aftermath = state.read();
            drop(state);
            aftermath.follow();
            return Poll::Ready(Err(RecvError::Reset(code)));
        }
        if state.stopped.is_some() {
            return Poll::Ready(Err(RecvError::Closed));
        }
        if let Some(chunk) = state.chunks.pop() {
            state.buffered -= chunk.len();
            let aftermath = state.read();
            drop(state);
            aftermath.follow();
            return Poll::Ready(Ok(Some(chunk)));
        }
        if state.end.is_some() {
            return Poll::Ready(Ok(None));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn stop(&mut self, code: u32) {
        let mut state = self.0.lock();
        let is_over = state.is_delivered() || state.is_reset_seen;
        let dropped = if is_over {
            Chunks::default()
        } else {
            state.stopped.get_or_insert(code);
            state.buffered = 0;
            std::mem::take(&mut state.chunks)
        };
        let aftermath = state.read();
        drop(state);
        drop(dropped);
        aftermath.follow();
    }
}

impl Drop for MemoryRecv {
    fn drop(&mut self) {
        self.stop(0);
    }
}
