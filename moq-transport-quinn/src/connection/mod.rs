//! A handle to a connection of quinn.

mod inner;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use moq_session::transport::{Transport, TransportError, TransportInfo, TransportStats};
use quinn::ConnectionError;
use web_transport_quinn::{SessionError, WebTransportError};
use web_transport_trait::poll::Session as _;

use crate::credit::{Accepted, Kind};
use crate::pending::Pending;
use crate::recv::RecvStream;
use crate::send::SendStream;

pub(crate) use inner::{ConnectionInner, negotiated_alpn, server_name};

/// A connection over raw QUIC or WebTransport.
///
/// A clone is a further handle to the same connection, with waits of its own. When the last handle
/// and the last stream are dropped, the connection is closed with code 0.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<ConnectionInner>,
    waits: Waits,
}

/// The operations this handle waits for.
enum Waits {
    Quic(Box<QuicWaits>),
    Web(Box<web_transport_quinn::Session>),
}

#[derive(Default)]
struct QuicWaits {
    accept_uni: Pending<Result<quinn::RecvStream, ConnectionError>>,
    accept_bi: Pending<Result<(quinn::SendStream, quinn::RecvStream), ConnectionError>>,
    open_uni: Pending<Result<quinn::SendStream, ConnectionError>>,
    open_bi: Pending<Result<(quinn::SendStream, quinn::RecvStream), ConnectionError>>,
    datagram: Pending<Result<Bytes, ConnectionError>>,
    closed: Pending<ConnectionError>,
}

impl Clone for Waits {
    fn clone(&self) -> Self {
        match self {
            Self::Quic(_) => Self::Quic(Box::default()),
            Self::Web(session) => Self::Web(session.clone()),
        }
    }
}

impl Connection {
    pub(crate) fn new(inner: Arc<ConnectionInner>) -> Self {
        let waits = match &inner.web {
            Some(session) => Waits::Web(Box::new(session.clone())),
            None => Waits::Quic(Box::default()),
        };
        Self { inner, waits }
    }
}

/// Polls one of quinn's futures, kept in `$wait` between polls, on an own handle.
macro_rules! poll_quinn {
    ($wait:expr, $cx:expr, $quic:expr, $call:ident) => {
        poll_quinn!($wait, $cx, $quic, $call, poll)
    };
    ($wait:expr, $cx:expr, $quic:expr, $call:ident, $poll:ident) => {
        $wait.$poll($cx, || {
            let quic = $quic.clone();
            async move { quic.$call().await }
        })
    };
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The SETUP's path may hold a credential.
        f.debug_struct("Connection")
            .field("kind", &self.inner.info.kind)
            .field("remote", &self.inner.info.remote)
            .finish_non_exhaustive()
    }
}

impl Transport for Connection {
    type Send = SendStream;
    type Recv = RecvStream;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<RecvStream, TransportError>> {
        let inner = &self.inner;
        if let Some(error) = inner.closed_here() {
            return Poll::Ready(Err(error));
        }
        let accepted = || Some(Arc::new(Accepted::count(inner, Kind::Uni)));
        let stream = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.accept_uni, cx, inner.quic, accept_uni))
                .ok()
                .map(|stream| RecvStream::quic(stream, inner, accepted())),
            Waits::Web(session) => ready!(session.poll_accept_uni(cx))
                .ok()
                .map(|stream| RecvStream::web(stream, inner, accepted())),
        };
        Poll::Ready(stream.ok_or_else(|| inner.error()))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let inner = &self.inner;
        if let Some(error) = inner.closed_here() {
            return Poll::Ready(Err(error));
        }
        let streams = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.accept_bi, cx, inner.quic, accept_bi))
                .ok()
                .map(|(send, recv)| {
                    let accepted = Some(Arc::new(Accepted::count(inner, Kind::Bidi)));
                    let send = SendStream::quic(send, inner, accepted.clone());
                    (send, RecvStream::quic(recv, inner, accepted))
                }),
            Waits::Web(session) => ready!(session.poll_accept_bi(cx)).ok().map(|(send, recv)| {
                let accepted = Some(Arc::new(Accepted::count(inner, Kind::Bidi)));
                let send = SendStream::web(send, inner, accepted.clone());
                (send, RecvStream::web(recv, inner, accepted))
            }),
        };
        Poll::Ready(streams.ok_or_else(|| inner.error()))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, TransportError>> {
        let inner = &self.inner;
        if let Some(error) = inner.closed_here() {
            return Poll::Ready(Err(error));
        }
        let stream = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(
                waits.open_uni,
                cx,
                inner.quic,
                open_uni,
                poll_eager
            ))
            .ok()
            .map(|stream| SendStream::quic(stream, inner, None)),
            Waits::Web(session) => ready!(session.poll_open_uni(cx))
                .ok()
                .map(|stream| SendStream::web(stream, inner, None)),
        };
        Poll::Ready(stream.ok_or_else(|| inner.error()))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let inner = &self.inner;
        if let Some(error) = inner.closed_here() {
            return Poll::Ready(Err(error));
        }
        let streams = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.open_bi, cx, inner.quic, open_bi))
                .ok()
                .map(|(send, recv)| {
                    (
                        SendStream::quic(send, inner, None),
                        RecvStream::quic(recv, inner, None),
                    )
                }),
            Waits::Web(session) => ready!(session.poll_open_bi(cx)).ok().map(|(send, recv)| {
                (
                    SendStream::web(send, inner, None),
                    RecvStream::web(recv, inner, None),
                )
            }),
        };
        Poll::Ready(streams.ok_or_else(|| inner.error()))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        let inner = &self.inner;
        if let Some(error) = inner.closed_here() {
            return Poll::Ready(Err(error));
        }
        let datagram = match &mut self.waits {
            Waits::Quic(waits) => {
                ready!(poll_quinn!(waits.datagram, cx, inner.quic, read_datagram)).ok()
            }
            Waits::Web(session) => loop {
                match ready!(session.poll_recv_datagram(cx)) {
                    // One that names another session is the peer's mistake, not the end.
                    Err(SessionError::WebTransportError(WebTransportError::UnknownSession)) => {}
                    other => break other.ok(),
                }
            },
        };
        Poll::Ready(datagram.ok_or_else(|| inner.error()))
    }

    fn send_datagram(&mut self, payload: Bytes) {
        // quinn would make room by dropping older ones, which are as good as this one. A failure
        // is a loss, as promised.
        let _ = match &self.inner.web {
            Some(session) if session.datagram_send_buffer_space() >= payload.len() => {
                session.send_datagram(payload).is_ok()
            }
            None if self.inner.quic.datagram_send_buffer_space() >= payload.len() => {
                self.inner.quic.send_datagram(payload).is_ok()
            }
            _ => false,
        };
    }

    fn max_datagram_size(&self) -> usize {
        match &self.inner.web {
            Some(session) => session.max_datagram_size(),
            None => self.inner.quic.max_datagram_size().unwrap_or(0),
        }
    }

    fn info(&self) -> &TransportInfo {
        &self.inner.info
    }

    fn stats(&self) -> TransportStats {
        self.inner.stats()
    }

    fn set_stream_limit(&self, count: usize) {
        self.inner.set_stream_limit(count);
    }

    fn set_paused_streams(&self, count: usize) {
        self.inner.set_paused_streams(count);
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.inner.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        if let Some(error) = self.inner.closed_here() {
            return Poll::Ready(error);
        }
        match &mut self.waits {
            Waits::Quic(waits) => {
                ready!(poll_quinn!(waits.closed, cx, self.inner.quic, closed));
            }
            Waits::Web(session) => {
                ready!(session.poll_closed(cx));
            }
        }
        Poll::Ready(self.inner.error())
    }
}
