//! A connected transport over either binding and either engine.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{Transport, TransportError, TransportInfo, TransportStats};

use crate::recv::RecvStream;
use crate::send::SendStream;
use crate::{direct, reference};

/// A connection over raw QUIC or WebTransport.
///
/// A clone is a further handle to the same connection, with waits of its own. When the last handle
/// and the last stream are dropped, the connection is closed with code 0.
#[derive(Clone)]
pub struct Connection(Inner);

#[derive(Clone)]
enum Inner {
    Direct(direct::Connection),
    Reference(reference::Connection),
}

impl Connection {
    pub(crate) fn direct(link: Arc<direct::Link>) -> Self {
        Self(Inner::Direct(direct::Connection::new(link)))
    }

    pub(crate) fn reference(link: Arc<reference::Link>) -> Self {
        Self(Inner::Reference(reference::Connection::new(link)))
    }
}

/// Calls a method of the engine's connection, and maps what it gives.
macro_rules! poll_either {
    ($self:ident.$call:ident($cx:ident), $map:expr) => {
        match &mut $self.0 {
            Inner::Direct(inner) => inner.$call($cx).map_ok($map),
            Inner::Reference(inner) => inner.$call($cx).map_ok($map),
        }
    };
}

/// Calls a method of the engine's connection.
macro_rules! either {
    ($inner:expr, $call:ident($($argument:expr),*)) => {
        match $inner {
            Inner::Direct(inner) => inner.$call($($argument),*),
            Inner::Reference(inner) => inner.$call($($argument),*),
        }
    };
}

impl Transport for Connection {
    type Send = SendStream;
    type Recv = RecvStream;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<RecvStream, TransportError>> {
        poll_either!(self.poll_accept_uni(cx), RecvStream::from)
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        poll_either!(self.poll_accept_bi(cx), |(send, recv)| (
            send.into(),
            recv.into()
        ))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, TransportError>> {
        poll_either!(self.poll_open_uni(cx), SendStream::from)
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        poll_either!(self.poll_open_bi(cx), |(send, recv)| (
            send.into(),
            recv.into()
        ))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        either!(&mut self.0, poll_recv_datagram(cx))
    }

    fn send_datagram(&mut self, payload: Bytes) {
        either!(&mut self.0, send_datagram(payload));
    }

    fn max_datagram_size(&self) -> usize {
        either!(&self.0, max_datagram_size())
    }

    fn info(&self) -> &TransportInfo {
        either!(&self.0, info())
    }

    fn stats(&self) -> TransportStats {
        either!(&self.0, stats())
    }

    fn set_stream_limit(&self, count: usize) {
        either!(&self.0, set_stream_limit(count));
    }

    fn set_paused_streams(&self, count: usize) {
        either!(&self.0, set_paused_streams(count));
    }

    fn close(&mut self, code: u32, reason: &str) {
        either!(&mut self.0, close(code, reason));
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        either!(&mut self.0, poll_closed(cx))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(self.info()).finish()
    }
}
