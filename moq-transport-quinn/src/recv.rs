//! The receiving half of a stream.

use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, RecvError};

use crate::{direct, reference};

/// The receiving half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before its end, it tells the peer to stop, with code 0.
#[derive(Debug)]
pub struct RecvStream(Inner);

#[derive(Debug)]
enum Inner {
    Direct(direct::RecvStream),
    Reference(reference::RecvStream),
}

impl transport::RecvStream for RecvStream {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        match &mut self.0 {
            Inner::Direct(inner) => inner.poll_read_chunk(cx),
            Inner::Reference(inner) => inner.poll_read_chunk(cx),
        }
    }

    fn stop(&mut self, code: u32) {
        match &mut self.0 {
            Inner::Direct(inner) => inner.stop(code),
            Inner::Reference(inner) => inner.stop(code),
        }
    }
}

impl From<direct::RecvStream> for RecvStream {
    fn from(stream: direct::RecvStream) -> Self {
        Self(Inner::Direct(stream))
    }
}

impl From<reference::RecvStream> for RecvStream {
    fn from(stream: reference::RecvStream) -> Self {
        Self(Inner::Reference(stream))
    }
}
