//! Two ends of a connection in one process: ordered reliable streams, bounded buffers, stream
//! credit, no loss.

mod aftermath;
mod chunks;
mod link;
mod pipe;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use moq_wire::Version;

use crate::transport::{Transport, TransportError, TransportInfo, TransportKind, TransportStats};
use link::{Link, LinkEnd};

pub use pipe::{MemoryRecv, MemorySend};

/// A client's and a server's end that speak `version`.
#[must_use]
pub fn memory_pair(version: Version) -> (MemoryConnection, MemoryConnection) {
    let info = TransportInfo {
        kind: TransportKind::Memory,
        protocol: Some(version.alpn().to_owned()),
        ..TransportInfo::default()
    };
    let (link, info) = (Arc::new(Link::default()), Arc::new(info));
    let end = |side| MemoryConnection {
        end: Arc::new(LinkEnd::new(link.clone(), side)),
        link: link.clone(),
        side,
        info: info.clone(),
    };
    (end(0), end(1))
}

/// One end of a memory pair. The connection is closed with 0 when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct MemoryConnection {
    #[expect(dead_code, reason = "it is there to be dropped")]
    end: Arc<LinkEnd>,
    link: Arc<Link>,
    side: usize,
    info: Arc<TransportInfo>,
}

impl MemoryConnection {
    /// Sets what a client on a binding without a URL would carry in its SETUP.
    #[must_use]
    pub fn with_setup_path(mut self, path: &str) -> Self {
        Arc::make_mut(&mut self.info).setup_path = Some(path.to_owned());
        self
    }

    /// Whether this is the server's end.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.side == 1
    }

    /// Sets how many unidirectional streams the other end may have open at one time, 128 at first. One
    /// counts until this end has all of it.
    pub fn allow_uni(&self, count: usize) {
        self.link
            .allow(1 - self.side, |side| &mut side.uni_credit, count);
    }

    /// Sets how many bidirectional streams the other end may have open at one time, 128 at first. One
    /// counts until this end has all that the other sends on it.
    pub fn allow_bi(&self, count: usize) {
        self.link
            .allow(1 - self.side, |side| &mut side.bi_credit, count);
    }

    /// Sets how many bytes the other end may have in flight on each stream, 64 KiB at first. It counts for
    /// streams that are opened from now on, by whichever end.
    pub fn allow_bytes(&self, count: usize) {
        self.link.allow_bytes(1 - self.side, count);
    }

    /// Sets what this end measures, nothing at first: the rate at which it could send, in bits per
    /// second, and the round-trip time.
    pub fn measure(&self, send_rate: Option<u64>, rtt: Option<Duration>) {
        let stats = TransportStats { rtt, send_rate };
        self.link.measure(self.side, stats);
    }

    /// Sets whether this end leaves pings of the other one without an answer until it is not silent any
    /// more, as a process that is stopped does. What it writes arrives all the same.
    pub fn set_silent(&self, is_silent: bool) {
        self.link.set_silent(self.side, is_silent);
    }

    /// Cuts the connection without a word, as far as it is not closed.
    pub fn lose(&self) {
        self.link.lose();
    }
}

/// Bytes of a datagram: what fits on a network fits here with a longer header.
const MAX_DATAGRAM: usize = 2_048;

impl Transport for MemoryConnection {
    type Send = MemorySend;
    type Recv = MemoryRecv;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MemoryRecv, TransportError>> {
        self.link.poll_take(self.side, cx, |side| &mut side.uni)
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.link.poll_take(self.side, cx, |side| &mut side.bi)
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemorySend, TransportError>> {
        self.link.poll_open_uni(self.side, cx)
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.link.poll_open_bi(self.side, cx)
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.link
            .poll_take(self.side, cx, |side| &mut side.datagrams)
    }

    fn send_datagram(&mut self, payload: Bytes) {
        self.link.send_datagram(1 - self.side, payload);
    }

    fn max_datagram_size(&self) -> usize {
        MAX_DATAGRAM
    }

    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn stats(&self) -> TransportStats {
        self.link.stats(self.side)
    }

    fn heard(&self) -> Option<u64> {
        Some(self.link.heard(self.side))
    }

    fn ping(&self) {
        self.link.ping(self.side);
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.link.close(self.side, code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        self.link.poll_ended(self.side, cx)
    }
}
