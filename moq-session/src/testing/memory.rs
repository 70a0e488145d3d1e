//! Two ends of a connection in one process: ordered reliable streams, bounded buffers, stream
//! credit, no loss.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use moq_wire::Version;

use crate::transport::{
    End, RecvError, RecvStream, SendError, SendStream, Transport, TransportError, TransportInfo,
    TransportKind, TransportStats,
};

/// Bytes in flight on one stream.
const WINDOW: usize = 64 * 1024;
/// Streams that one end may have open in one direction.
const CREDIT: usize = 128;

/// A client's and a server's end that speak `version`.
#[must_use]
pub fn memory_pair(version: Version) -> (MemoryConnection, MemoryConnection) {
    let info = TransportInfo {
        kind: TransportKind::Memory,
        protocol: Some(version.name().to_owned()),
        ..TransportInfo::default()
    };
    let link = Arc::new(Mutex::new(Link::default()));
    let end = |side| MemoryConnection {
        link: link.clone(),
        side,
        info: Arc::new(info.clone()),
    };
    (end(0), end(1))
}

/// One end of a memory pair.
#[derive(Debug, Clone)]
pub struct MemoryConnection {
    link: Arc<Mutex<Link>>,
    side: usize,
    info: Arc<TransportInfo>,
}

/// What both ends share.
#[derive(Debug, Default)]
struct Link {
    closed: Option<(usize, u32, String)>,
    /// By receiving side.
    uni: [VecDeque<MemoryRecv>; 2],
    bi: [VecDeque<(MemorySend, MemoryRecv)>; 2],
    datagrams: [VecDeque<Bytes>; 2],
    /// Streams opened by a side and not ended yet.
    open: [usize; 2],
    wakers: Wakers,
}

/// Everybody who waits for anything on a link; they all look again.
#[derive(Debug, Default)]
struct Wakers(Vec<Waker>);

impl Wakers {
    fn add(&mut self, cx: &Context<'_>) {
        if !self.0.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.0.push(cx.waker().clone());
        }
    }

    fn wake(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryConnection {
    /// Sets what a client on a binding without a URL would carry in its SETUP.
    #[must_use]
    pub fn with_setup_path(mut self, path: &str) -> Self {
        Arc::make_mut(&mut self.info).setup_path = Some(path.to_owned());
        self
    }

    fn error(&self, link: &Link) -> Option<TransportError> {
        let (by, code, reason) = link.closed.as_ref()?;
        let by = if *by == self.side {
            End::Local
        } else {
            End::Peer
        };
        Some(TransportError::Closed {
            by,
            code: *code,
            reason: reason.clone(),
        })
    }

    fn poll<R>(
        &self,
        cx: &Context<'_>,
        take: impl FnOnce(&mut Link) -> Option<R>,
    ) -> Poll<Result<R, TransportError>> {
        let mut link = lock(&self.link);
        if let Some(error) = self.error(&link) {
            return Poll::Ready(Err(error));
        }
        match take(&mut link) {
            Some(taken) => Poll::Ready(Ok(taken)),
            None => {
                link.wakers.add(cx);
                Poll::Pending
            }
        }
    }

    /// Takes credit for a stream of this end, if there is any.
    fn credit(&self, link: &mut Link) -> Option<Credit> {
        if link.open[self.side] >= CREDIT {
            return None;
        }
        link.open[self.side] += 1;
        Some(Credit {
            link: self.link.clone(),
            side: self.side,
        })
    }

    fn pipe(&self, credit: Option<Credit>) -> (MemorySend, MemoryRecv) {
        let (pipe, link) = (Arc::new(Mutex::new(Pipe::default())), self.link.clone());
        let recv = MemoryRecv {
            pipe: pipe.clone(),
            link: link.clone(),
        };
        (MemorySend { pipe, link, credit }, recv)
    }
}

impl Transport for MemoryConnection {
    type Send = MemorySend;
    type Recv = MemoryRecv;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MemoryRecv, TransportError>> {
        self.poll(cx, |link| link.uni[self.side].pop_front())
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.poll(cx, |link| link.bi[self.side].pop_front())
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemorySend, TransportError>> {
        self.poll(cx, |link| {
            let (send, recv) = self.pipe(Some(self.credit(link)?));
            link.uni[1 - self.side].push_back(recv);
            link.wakers.wake();
            Some(send)
        })
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.poll(cx, |link| {
            let (send, theirs) = self.pipe(Some(self.credit(link)?));
            let (answer, recv) = self.pipe(None);
            link.bi[1 - self.side].push_back((answer, theirs));
            link.wakers.wake();
            Some((send, recv))
        })
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.poll(cx, |link| link.datagrams[self.side].pop_front())
    }

    fn send_datagram(&mut self, payload: Bytes) {
        let mut link = lock(&self.link);
        link.datagrams[1 - self.side].push_back(payload);
        link.wakers.wake();
    }

    fn max_datagram_size(&self) -> usize {
        1_200
    }

    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn stats(&self) -> TransportStats {
        TransportStats::default()
    }

    fn close(&mut self, code: u32, reason: &str) {
        let mut link = lock(&self.link);
        link.closed
            .get_or_insert_with(|| (self.side, code, reason.to_owned()));
        link.wakers.wake();
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let mut link = lock(&self.link);
        if let Some(error) = self.error(&link) {
            return Poll::Ready(error);
        }
        link.wakers.add(cx);
        Poll::Pending
    }
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
struct Credit {
    link: Arc<Mutex<Link>>,
    side: usize,
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
