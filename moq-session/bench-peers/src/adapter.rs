//! The memory transport as moq-net takes it.

use std::fmt;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes};
use moq_session::testing::{MemoryConnection, MemoryRecv, MemorySend};
use moq_session::transport::{
    RecvError, RecvStream, SendError, SendStream, Transport, TransportError,
};
use web_transport_trait::{Stats, StatsUnavailable, poll};

/// A connection, or a half of a stream.
#[derive(Clone)]
pub(crate) struct Adapter<T>(pub(crate) T);

/// Why a connection or a stream ended.
#[derive(Debug)]
pub(crate) enum Error {
    Connection(TransportError),
    Send(SendError),
    Recv(RecvError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Recv(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl web_transport_trait::Error for Error {
    fn session_error(&self) -> Option<(u32, String)> {
        match self {
            Self::Connection(TransportError::Closed { code, reason, .. }) => {
                Some((*code, reason.clone()))
            }
            _ => None,
        }
    }

    fn stream_error(&self) -> Option<u32> {
        match self {
            Self::Send(SendError::Stopped(code)) | Self::Recv(RecvError::Reset(code)) => {
                Some(*code)
            }
            _ => None,
        }
    }
}

impl poll::Session for Adapter<MemoryConnection> {
    type SendStream = Adapter<MemorySend>;
    type RecvStream = Adapter<MemoryRecv>;
    type Error = Error;

    fn poll_accept_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::RecvStream, Error>> {
        self.0
            .poll_accept_uni(cx)
            .map_ok(Adapter)
            .map_err(Error::Connection)
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Self::SendStream, Self::RecvStream), Error>> {
        let accepted = self.0.poll_accept_bi(cx).map_err(Error::Connection);
        accepted.map_ok(|(send, recv)| (Adapter(send), Adapter(recv)))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::SendStream, Error>> {
        self.0
            .poll_open_uni(cx)
            .map_ok(Adapter)
            .map_err(Error::Connection)
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Self::SendStream, Self::RecvStream), Error>> {
        let opened = self.0.poll_open_bi(cx).map_err(Error::Connection);
        opened.map_ok(|(send, recv)| (Adapter(send), Adapter(recv)))
    }

    fn poll_send_datagram(
        &mut self,
        _: &mut Context<'_>,
        payload: &[u8],
    ) -> Poll<Result<(), Error>> {
        self.0.send_datagram(Bytes::copy_from_slice(payload));
        Poll::Ready(Ok(()))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        self.0.poll_recv_datagram(cx).map_err(Error::Connection)
    }

    fn max_datagram_size(&self) -> usize {
        self.0.max_datagram_size()
    }

    fn protocol(&self) -> Option<&str> {
        self.0.info().protocol.as_deref()
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.0.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        self.0.poll_closed(cx).map(Error::Connection)
    }

    fn stats(&self) -> impl Stats {
        StatsUnavailable
    }
}

impl poll::SendStream for Adapter<MemorySend> {
    type Error = Error;

    fn poll_write(&mut self, cx: &mut Context<'_>, mut buf: &[u8]) -> Poll<Result<usize, Error>> {
        self.poll_write_buf(cx, &mut buf)
    }

    /// Takes a buffer's first chunk without a copy where it can be had so.
    fn poll_write_buf<B: Buf>(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut B,
    ) -> Poll<Result<usize, Error>> {
        let wanted = buf.chunk().len();
        let mut chunk = [buf.copy_to_bytes(wanted)];
        // The window is far larger than a group; what did not fit would be lost.
        match self.0.poll_write_chunks(cx, &mut chunk) {
            Poll::Ready(Ok(written)) if written == wanted => Poll::Ready(Ok(written)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Error::Send(error))),
            _ => panic!("the window is full"),
        }
    }

    fn set_priority(&mut self, order: u8) {
        self.0.set_priority(order.into());
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.0.finish();
        Ok(())
    }

    fn reset(&mut self, code: u32) {
        self.0.reset(code);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_closed(cx).map_err(Error::Send)
    }
}

impl poll::RecvStream for Adapter<MemoryRecv> {
    type Error = Error;

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        dst: &mut [u8],
    ) -> Poll<Result<Option<usize>, Error>> {
        let Some(chunk) = ready!(self.0.poll_read_chunk(cx)).map_err(Error::Recv)? else {
            return Poll::Ready(Ok(None));
        };
        let Some(room) = dst.get_mut(..chunk.len()) else {
            return Poll::Ready(Err(Error::Recv(RecvError::Closed)));
        };
        room.copy_from_slice(&chunk);
        Poll::Ready(Ok(Some(chunk.len())))
    }

    fn poll_read_buf<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut B,
    ) -> Poll<Result<Option<usize>, Error>> {
        let Some(chunk) = ready!(self.0.poll_read_chunk(cx)).map_err(Error::Recv)? else {
            return Poll::Ready(Ok(None));
        };
        if buf.remaining_mut() < chunk.len() {
            return Poll::Ready(Err(Error::Recv(RecvError::Closed)));
        }
        buf.put_slice(&chunk);
        Poll::Ready(Ok(Some(chunk.len())))
    }

    fn stop(&mut self, code: u32) {
        self.0.stop(code);
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Pending
    }
}
