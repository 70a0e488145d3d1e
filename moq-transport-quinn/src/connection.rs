//! A handle to a connection of quinn.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use moq_session::transport::{Transport, TransportError, TransportInfo, TransportStats};
use quinn::ConnectionError;
use web_transport_quinn::{SessionError, WebTransportError};
use web_transport_trait::poll::Session as _;

use crate::credit::{Accepted, Kind};
use crate::link::Link;
use crate::pending::Pending;
use crate::recv::RecvStream;
use crate::send::SendStream;

/// A connection over raw QUIC or WebTransport.
///
/// A clone is a further handle to the same connection, with waits of its own. When the last handle
/// and the last stream are dropped, the connection is closed with code 0.
#[derive(Clone)]
pub struct Connection {
    link: Arc<Link>,
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
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let waits = match &link.web {
            Some(session) => Waits::Web(Box::new(session.clone())),
            None => Waits::Quic(Box::default()),
        };
        Self { link, waits }
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
            .field("kind", &self.link.info.kind)
            .field("remote", &self.link.info.remote)
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
        let link = &self.link;
        if let Some(error) = link.closed_here() {
            return Poll::Ready(Err(error));
        }
        let accepted = || Some(Arc::new(Accepted::count(link, Kind::Uni)));
        let stream = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.accept_uni, cx, link.quic, accept_uni))
                .ok()
                .map(|stream| RecvStream::quic(stream, link, accepted())),
            Waits::Web(session) => ready!(session.poll_accept_uni(cx))
                .ok()
                .map(|stream| RecvStream::web(stream, link, accepted())),
        };
        Poll::Ready(stream.ok_or_else(|| link.error()))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let link = &self.link;
        if let Some(error) = link.closed_here() {
            return Poll::Ready(Err(error));
        }
        let streams = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.accept_bi, cx, link.quic, accept_bi))
                .ok()
                .map(|(send, recv)| {
                    let accepted = Some(Arc::new(Accepted::count(link, Kind::Bidi)));
                    let send = SendStream::quic(send, link, accepted.clone());
                    (send, RecvStream::quic(recv, link, accepted))
                }),
            Waits::Web(session) => ready!(session.poll_accept_bi(cx)).ok().map(|(send, recv)| {
                let accepted = Some(Arc::new(Accepted::count(link, Kind::Bidi)));
                let send = SendStream::web(send, link, accepted.clone());
                (send, RecvStream::web(recv, link, accepted))
            }),
        };
        Poll::Ready(streams.ok_or_else(|| link.error()))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, TransportError>> {
        let link = &self.link;
        if let Some(error) = link.closed_here() {
            return Poll::Ready(Err(error));
        }
        let stream = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(
                waits.open_uni,
                cx,
                link.quic,
                open_uni,
                poll_eager
            ))
            .ok()
            .map(|stream| SendStream::quic(stream, link, None)),
            Waits::Web(session) => ready!(session.poll_open_uni(cx))
                .ok()
                .map(|stream| SendStream::web(stream, link, None)),
        };
        Poll::Ready(stream.ok_or_else(|| link.error()))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SendStream, RecvStream), TransportError>> {
        let link = &self.link;
        if let Some(error) = link.closed_here() {
            return Poll::Ready(Err(error));
        }
        let streams = match &mut self.waits {
            Waits::Quic(waits) => ready!(poll_quinn!(waits.open_bi, cx, link.quic, open_bi))
                .ok()
                .map(|(send, recv)| {
                    (
                        SendStream::quic(send, link, None),
                        RecvStream::quic(recv, link, None),
                    )
                }),
            Waits::Web(session) => ready!(session.poll_open_bi(cx)).ok().map(|(send, recv)| {
                (
                    SendStream::web(send, link, None),
                    RecvStream::web(recv, link, None),
                )
            }),
        };
        Poll::Ready(streams.ok_or_else(|| link.error()))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        let link = &self.link;
        if let Some(error) = link.closed_here() {
            return Poll::Ready(Err(error));
        }
        let datagram = match &mut self.waits {
            Waits::Quic(waits) => {
                ready!(poll_quinn!(waits.datagram, cx, link.quic, read_datagram)).ok()
            }
            Waits::Web(session) => loop {
                match ready!(session.poll_recv_datagram(cx)) {
                    // One that names another session is the peer's mistake, not the end.
                    Err(SessionError::WebTransportError(WebTransportError::UnknownSession)) => {}
                    other => break other.ok(),
                }
            },
        };
        Poll::Ready(datagram.ok_or_else(|| link.error()))
    }

    fn send_datagram(&mut self, payload: Bytes) {
        // quinn would make room by dropping older ones, which are as good as this one. A failure
        // is a loss, as promised.
        let _ = match &self.link.web {
            Some(session) if session.datagram_send_buffer_space() >= payload.len() => {
                session.send_datagram(payload).is_ok()
            }
            None if self.link.quic.datagram_send_buffer_space() >= payload.len() => {
                self.link.quic.send_datagram(payload).is_ok()
            }
            _ => false,
        };
    }

    fn max_datagram_size(&self) -> usize {
        match &self.link.web {
            Some(session) => session.max_datagram_size(),
            None => self.link.quic.max_datagram_size().unwrap_or(0),
        }
    }

    fn info(&self) -> &TransportInfo {
        &self.link.info
    }

    fn stats(&self) -> TransportStats {
        self.link.stats()
    }

    fn set_stream_limit(&self, count: usize) {
        self.link.set_stream_limit(count);
    }

    fn set_paused_streams(&self, count: usize) {
        self.link.set_paused_streams(count);
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.link.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        if let Some(error) = self.link.closed_here() {
            return Poll::Ready(error);
        }
        match &mut self.waits {
            Waits::Quic(waits) => {
                ready!(poll_quinn!(waits.closed, cx, self.link.quic, closed));
            }
            Waits::Web(session) => {
                ready!(session.poll_closed(cx));
            }
        }
        Poll::Ready(self.link.error())
    }
}
