//! Streams of the memory pair: bytes in order, and how they end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::memory::{Link, Wakers, lock};
use crate::transport::{End, RecvError, RecvStream, SendError, SendStream, TransportError};

/// Bytes in flight on one stream.
const WINDOW: usize = 64 * 1024;

/// Both ends of one direction of a stream; the sending one holds the credit for it.
pub(super) fn pipe(link: &Arc<Mutex<Link>>, credit: Option<Credit>) -> (MemorySend, MemoryRecv) {
    let (pipe, link) = (Arc::new(Mutex::new(Pipe::default())), link.clone());
    let recv = MemoryRecv {
        pipe: pipe.clone(),
        link: link.clone(),
    };
    (MemorySend { pipe, link, credit }, recv)
}

/// One direction of a stream.
#[derive(Debug, Default)]
struct Pipe {
    chunks: VecDeque<Bytes>,
    buffered: usize,
    end: Option<PipeEnd>,
    stopped: Option<u32>,
    wakers: Wakers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PipeEnd {
    Finished,
    Reset(u32),
}

/// Gives a stream's credit back when its opener has ended it.
#[derive(Debug)]
pub(super) struct Credit {
    link: Arc<Mutex<Link>>,
    side: usize,
}

impl Credit {
    pub(super) fn new(link: Arc<Mutex<Link>>, side: usize) -> Self {
        Self { link, side }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        let mut link = lock(&self.link);
        link.open[self.side] -= 1;
        link.wakers.wake();
    }
}

fn closed(link: &Mutex<Link>) -> Option<TransportError> {
    let link = lock(link);
    if link.is_lost {
        return Some(TransportError::TimedOut);
    }
    let (_, code, reason) = link.closed.as_ref()?;
    Some(TransportError::Closed {
        by: End::Peer,
        code: *code,
        reason: reason.clone(),
    })
}

/// The sending half of a memory stream.
#[derive(Debug)]
pub struct MemorySend {
    pipe: Arc<Mutex<Pipe>>,
    link: Arc<Mutex<Link>>,
    credit: Option<Credit>,
}

impl MemorySend {
    fn wait<R>(&self, cx: &Context<'_>, pipe: &mut Pipe) -> Poll<Result<R, SendError>> {
        pipe.wakers.add(cx);
        lock(&self.link).wakers.add(cx);
        Poll::Pending
    }

    fn end(&mut self, end: PipeEnd) {
        let mut pipe = lock(&self.pipe);
        if pipe.end.is_none() || end != PipeEnd::Finished {
            pipe.end = Some(end);
            pipe.wakers.wake();
        }
        drop(pipe);
        self.credit = None;
    }
}

impl SendStream for MemorySend {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        if let Some(error) = closed(&self.link) {
            return Poll::Ready(Err(error.into()));
        }
        let mut pipe = lock(&self.pipe);
        if let Some(code) = pipe.stopped {
            return Poll::Ready(Err(SendError::Stopped(code)));
        }
        if pipe.end.is_some() {
            return Poll::Ready(Err(SendError::Closed));
        }
        let mut written = 0;
        for chunk in chunks.iter_mut() {
            let room = WINDOW - pipe.buffered;
            let part = chunk.split_to(chunk.len().min(room));
            if part.is_empty() {
                continue;
            }
            written += part.len();
            pipe.buffered += part.len();
            pipe.chunks.push_back(part);
        }
        if written == 0 && chunks.iter().any(|chunk| !chunk.is_empty()) {
            return self.wait(cx, &mut pipe);
        }
        pipe.wakers.wake();
        Poll::Ready(Ok(written))
    }

    fn set_priority(&mut self, _order: i32) {}

    fn finish(&mut self) {
        self.end(PipeEnd::Finished);
    }

    fn reset(&mut self, code: u32) {
        let is_delivered = {
            let pipe = lock(&self.pipe);
            pipe.end == Some(PipeEnd::Finished) && pipe.buffered == 0
        };
        if !is_delivered {
            self.end(PipeEnd::Reset(code));
        }
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if let Some(error) = closed(&self.link) {
            return Poll::Ready(Err(error.into()));
        }
        let mut pipe = lock(&self.pipe);
        if let Some(code) = pipe.stopped {
            return Poll::Ready(Err(SendError::Stopped(code)));
        }
        match pipe.end {
            Some(PipeEnd::Finished) if pipe.buffered == 0 => Poll::Ready(Ok(())),
            Some(PipeEnd::Reset(_)) => Poll::Ready(Err(SendError::Closed)),
            _ => self.wait(cx, &mut pipe),
        }
    }
}

impl Drop for MemorySend {
    fn drop(&mut self) {
        if lock(&self.pipe).end.is_none() {
            self.end(PipeEnd::Reset(0));
        }
    }
}

/// The receiving half of a memory stream.
#[derive(Debug)]
pub struct MemoryRecv {
    pipe: Arc<Mutex<Pipe>>,
    link: Arc<Mutex<Link>>,
}

impl RecvStream for MemoryRecv {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        if let Some(error) = closed(&self.link) {
            return Poll::Ready(Err(error.into()));
        }
        let mut pipe = lock(&self.pipe);
        if let Some(PipeEnd::Reset(code)) = pipe.end {
            return Poll::Ready(Err(RecvError::Reset(code)));
        }
        if pipe.stopped.is_some() {
            return Poll::Ready(Err(RecvError::Closed));
        }
        if let Some(chunk) = pipe.chunks.pop_front() {
            pipe.buffered -= chunk.len();
            pipe.wakers.wake();
            return Poll::Ready(Ok(Some(chunk)));
        }
        if pipe.end.is_some() {
            return Poll::Ready(Ok(None));
        }
        pipe.wakers.add(cx);
        lock(&self.link).wakers.add(cx);
        Poll::Pending
    }

    fn stop(&mut self, code: u32) {
        let mut pipe = lock(&self.pipe);
        let is_delivered = pipe.end.is_some() && pipe.buffered == 0;
        if !is_delivered {
            pipe.stopped.get_or_insert(code);
            pipe.chunks.clear();
            pipe.buffered = 0;
        }
        pipe.wakers.wake();
    }
}

impl Drop for MemoryRecv {
    fn drop(&mut self) {
        self.stop(0);
    }
}
