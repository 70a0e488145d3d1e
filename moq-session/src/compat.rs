//! Any session of `web_transport_trait` as a transport.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use web_transport_trait::poll;
use web_transport_trait::{Error, Stats};

use crate::transport::{
    End, MaybeSend, MaybeSync, RecvError, RecvStream, SendError, SendStream, Streams, Transport,
    TransportError, TransportInfo, TransportKind, TransportStats,
};

/// Carries moq-lite over any session of `web_transport_trait` 0.5 that can be cloned.
///
/// Writes copy where the session's `poll_write_buf` does, which is the default there. The trait
/// tells neither the request's path nor the binding: where there is no URL, give the path with
/// [`Self::with_setup_path`]; without that the binding counts as WebTransport.
#[derive(Debug, Clone)]
pub struct Compat<S> {
    session: S,
    info: Arc<TransportInfo>,
    /// This end closed the connection.
    is_closed: Arc<AtomicBool>,
}

/// What a session has to be besides the trait.
///
/// Implemented by whatever meets it.
pub trait CompatSession:
    poll::Session<
        SendStream: MaybeSend + MaybeSync + 'static,
        RecvStream: MaybeSend + MaybeSync + 'static,
        Error: Send + Sync,
    > + Clone
    + MaybeSend
    + MaybeSync
    + 'static
{
}

impl<S> CompatSession for S where
    S: poll::Session<
            SendStream: MaybeSend + MaybeSync + 'static,
            RecvStream: MaybeSend + MaybeSync + 'static,
            Error: Send + Sync,
        > + Clone
        + MaybeSend
        + MaybeSync
        + 'static
{
}

impl<S: CompatSession> Compat<S> {
    /// Wraps a session whose protocol is negotiated.
    #[must_use]
    pub fn new(session: S) -> Self {
        let info = TransportInfo {
            kind: TransportKind::WebTransport,
            protocol: session.protocol().map(str::to_owned),
            ..TransportInfo::default()
        };
        Self {
            session,
            info: Arc::new(info),
            is_closed: Arc::default(),
        }
    }

    /// On a binding without a URL: path and query that a client puts into its SETUP.
    #[must_use]
    pub fn with_setup_path(mut self, path: &str) -> Self {
        let info = Arc::make_mut(&mut self.info);
        info.kind = TransportKind::Quic;
        info.setup_path = Some(path.to_owned());
        self
    }

    fn error(&self, error: S::Error) -> TransportError {
        let by = if self.is_closed.load(Ordering::Relaxed) {
            End::Local
        } else {
            End::Peer
        };
        transport_error(error, by)
    }
}

fn transport_error<E: Error + Send + Sync>(error: E, by: End) -> TransportError {
    match error.session_error() {
        Some((code, reason)) => TransportError::Closed { by, code, reason },
        None => TransportError::lost(error),
    }
}

impl<S: CompatSession> Transport for Compat<S> {
    type Send = CompatSend<S::SendStream>;
    type Recv = CompatRecv<S::RecvStream>;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Recv, TransportError>> {
        let stream = ready!(self.session.poll_accept_uni(cx));
        Poll::Ready(stream.map(CompatRecv).map_err(|error| self.error(error)))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Streams<Self>, TransportError>> {
        let streams = ready!(self.session.poll_accept_bi(cx));
        let streams = streams.map(|(send, recv)| (CompatSend(send), CompatRecv(recv)));
        Poll::Ready(streams.map_err(|error| self.error(error)))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Send, TransportError>> {
        let stream = ready!(self.session.poll_open_uni(cx));
        Poll::Ready(stream.map(CompatSend).map_err(|error| self.error(error)))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Streams<Self>, TransportError>> {
        let streams = ready!(self.session.poll_open_bi(cx));
        let streams = streams.map(|(send, recv)| (CompatSend(send), CompatRecv(recv)));
        Poll::Ready(streams.map_err(|error| self.error(error)))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        let datagram = ready!(self.session.poll_recv_datagram(cx));
        Poll::Ready(datagram.map_err(|error| self.error(error)))
    }

    fn send_datagram(&mut self, payload: Bytes) {
        // A datagram that there is no room for is lost, so nobody has to be woken.
        let mut cx = Context::from_waker(Waker::noop());
        let _ = self.session.poll_send_datagram(&mut cx, &payload);
    }

    fn max_datagram_size(&self) -> usize {
        self.session.max_datagram_size()
    }

    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn stats(&self) -> TransportStats {
        let stats = self.session.stats();
        TransportStats {
            rtt: stats.rtt(),
            send_rate: stats.estimated_send_rate(),
        }
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.session.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let error = ready!(self.session.poll_closed(cx));
        Poll::Ready(self.error(error))
    }
}

/// The sending half of a stream of a [`Compat`] session.
pub struct CompatSend<S>(S);

/// The receiving half of a stream of a [`Compat`] session.
pub struct CompatRecv<S>(S);

fn send_error<E: Error>(error: E) -> SendError {
    match error.stream_error() {
        Some(code) => SendError::Stopped(code),
        None => SendError::Transport(stream_lost(&error)),
    }
}

fn recv_error<E: Error>(error: E) -> RecvError {
    match error.stream_error() {
        Some(code) => RecvError::Reset(code),
        None => RecvError::Transport(stream_lost(&error)),
    }
}

/// The end of a connection as one of its streams sees it; the session's own error is the better one.
fn stream_lost(error: &impl Error) -> TransportError {
    match error.session_error() {
        Some((code, reason)) => TransportError::Closed {
            by: End::Peer,
            code,
            reason,
        },
        None => TransportError::lost(error.to_string()),
    }
}

impl<S> SendStream for CompatSend<S>
where
    S: poll::SendStream + MaybeSend + MaybeSync + 'static,
{
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        let mut written = 0;
        for chunk in chunks {
            while !chunk.is_empty() {
                match self.0.poll_write_buf(cx, chunk) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(SendError::Closed)),
                    Poll::Ready(Ok(size)) => written += size,
                    Poll::Ready(Err(_)) | Poll::Pending if written > 0 => {
                        return Poll::Ready(Ok(written));
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(send_error(error))),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
        Poll::Ready(Ok(written))
    }

    fn set_priority(&mut self, order: i32) {
        self.0.set_priority(order);
    }

    fn finish(&mut self) {
        // A stream that cannot be finished has been stopped or lost, which `poll_closed` tells.
        let _ = self.0.finish();
    }

    fn reset(&mut self, code: u32) {
        self.0.reset(code);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.0.poll_closed(cx).map_err(send_error)
    }
}

impl<S> RecvStream for CompatRecv<S>
where
    S: poll::RecvStream + MaybeSend + MaybeSync + 'static,
{
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        loop {
            let chunk = ready!(self.0.poll_read_chunk(cx, MAX_CHUNK)).map_err(recv_error)?;
            if chunk.as_ref().is_none_or(|chunk| !chunk.is_empty()) {
                return Poll::Ready(Ok(chunk));
            }
        }
    }

    fn stop(&mut self, code: u32) {
        self.0.stop(code);
    }
}

impl<S> fmt::Debug for CompatSend<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompatSend").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for CompatRecv<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompatRecv").finish_non_exhaustive()
    }
}

/// Bytes that are read at a time.
const MAX_CHUNK: usize = 64 * 1024;
