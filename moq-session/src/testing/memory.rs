//! Two ends of a connection in one process: ordered reliable streams, bounded buffers, stream
//! credit, no loss.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use moq_wire::Version;

use super::pipe::{Credit, MemoryRecv, MemorySend, pipe};
use crate::transport::{
    End, Transport, TransportError, TransportInfo, TransportKind, TransportStats,
};

/// Streams that one end may have open in one direction.
const CREDIT: usize = 128;

/// A client's and a server's end that speak `version`.
#[must_use]
pub fn memory_pair(version: Version) -> (MemoryConnection, MemoryConnection) {
    let info = TransportInfo {
        kind: TransportKind::Memory,
        protocol: Some(version.alpn().to_owned()),
        ..TransportInfo::default()
    };
    let link = Link {
        allowed: [CREDIT; 2],
        ..Link::default()
    };
    let link = Arc::new(Mutex::new(link));
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
pub(super) struct Link {
    pub(super) closed: Option<(usize, u32, String)>,
    pub(super) is_lost: bool,
    /// By receiving side.
    uni: [VecDeque<MemoryRecv>; 2],
    bi: [VecDeque<(MemorySend, MemoryRecv)>; 2],
    datagrams: [VecDeque<Bytes>; 2],
    /// What each side measures.
    stats: [TransportStats; 2],
    /// Streams opened by a side and not ended yet.
    pub(super) open: [usize; 2],
    /// How many of them there may be at one time.
    allowed: [usize; 2],
    pub(super) wakers: Wakers,
}

/// Everybody who waits for anything on a link; they all look again.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(super) fn add(&mut self, cx: &Context<'_>) {
        if !self.0.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.0.push(cx.waker().clone());
        }
    }

    pub(super) fn wake(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryConnection {
    /// Sets what a client on a binding without a URL would carry in its SETUP.
    #[must_use]
    pub fn with_setup_path(mut self, path: &str) -> Self {
        Arc::make_mut(&mut self.info).setup_path = Some(path.to_owned());
        self
    }

    pub(super) fn is_server(&self) -> bool {
        self.side == 1
    }

    /// Sets how many streams the other end may have open at one time, 128 at first.
    pub fn allow_streams(&self, count: usize) {
        let mut link = lock(&self.link);
        link.allowed[1 - self.side] = count;
        link.wakers.wake();
    }

    /// Sets what this end measures, nothing at first: the rate at which it could send, in bits per
    /// second, and the round-trip time.
    pub fn measure(&self, send_rate: Option<u64>, rtt: Option<Duration>) {
        lock(&self.link).stats[self.side] = TransportStats { rtt, send_rate };
    }

    /// Cuts the connection without a word, as far as it is not closed.
    pub fn lose(&self) {
        let mut link = lock(&self.link);
        link.is_lost = link.closed.is_none();
        link.wakers.wake();
    }

    fn error(&self, link: &Link) -> Option<TransportError> {
        if link.is_lost {
            return Some(TransportError::TimedOut);
        }
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
        if link.open[self.side] >= link.allowed[self.side] {
            return None;
        }
        link.open[self.side] += 1;
        Some(Credit::new(self.link.clone(), self.side))
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
            let (send, recv) = pipe(&self.link, Some(self.credit(link)?));
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
            let (send, theirs) = pipe(&self.link, Some(self.credit(link)?));
            let (answer, recv) = pipe(&self.link, None);
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
        lock(&self.link).stats[self.side]
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
