//! A transport with a bug.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::testing::{MemoryConnection, MemoryRecv, MemorySend};
use moq_session::transport::{Incoming, Transport, TransportError, TransportInfo, TransportStats};

/// A call that can be made to panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    AcceptUni = 1,
    AcceptBi = 2,
    OpenUni = 3,
}

/// Sets off a [`Trap`].
#[derive(Debug, Clone, Default)]
pub struct Trigger(Arc<AtomicU8>);

impl Trigger {
    /// Makes the next such call panic.
    pub fn set(&self, call: Call) {
        self.0.store(call as u8, Ordering::Relaxed);
    }

    fn pass(&self, call: Call) {
        assert!(
            self.0.load(Ordering::Relaxed) != call as u8,
            "a planted bug in {call:?}"
        );
    }
}

/// A memory connection that panics where its trigger says.
#[derive(Debug, Clone)]
pub struct Trap {
    pub inner: MemoryConnection,
    pub trigger: Trigger,
}

impl Transport for Trap {
    type Send = MemorySend;
    type Recv = MemoryRecv;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MemoryRecv, TransportError>> {
        self.trigger.pass(Call::AcceptUni);
        self.inner.poll_accept_uni(cx)
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.trigger.pass(Call::AcceptBi);
        self.inner.poll_accept_bi(cx)
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemorySend, TransportError>> {
        self.trigger.pass(Call::OpenUni);
        self.inner.poll_open_uni(cx)
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        self.inner.poll_open_bi(cx)
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.inner.poll_recv_datagram(cx)
    }

    fn send_datagram(&mut self, payload: Bytes) {
        self.inner.send_datagram(payload);
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn info(&self) -> &TransportInfo {
        self.inner.info()
    }

    fn stats(&self) -> TransportStats {
        self.inner.stats()
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.inner.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        self.inner.poll_closed(cx)
    }
}

impl Incoming for Trap {
    type Transport = Self;

    fn request_path(&self) -> Option<&str> {
        None
    }

    fn protocols(&self) -> &[String] {
        self.inner.info().protocol.as_slice()
    }

    async fn accept(self, _protocol: Option<&str>) -> Result<Self, TransportError> {
        Ok(self)
    }

    async fn refuse(mut self, _status: u16, close_code: u32) {
        self.close(close_code, "refused");
    }
}
