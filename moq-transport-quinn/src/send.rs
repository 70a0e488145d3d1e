//! The sending half of a stream.

use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{self, SendError};

use crate::{direct, reference};

/// The sending half of a stream of a [`Connection`](crate::Connection).
///
/// Dropped before it was finished or reset, it resets the stream with code 0: what was cut short
/// never looks complete.
#[derive(Debug)]
pub struct SendStream(Inner);

#[derive(Debug)]
enum Inner {
    Direct(direct::SendStream),
    Reference(reference::SendStream),
}

/// Calls a method of the engine's stream.
macro_rules! either {
    ($inner:expr, $call:ident($($argument:expr),*)) => {
        match $inner {
            Inner::Direct(inner) => inner.$call($($argument),*),
            Inner::Reference(inner) => inner.$call($($argument),*),
        }
    };
}

impl transport::SendStream for SendStream {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        either!(&mut self.0, poll_write_chunks(cx, chunks))
    }

    fn set_priority(&mut self, order: i32) {
        either!(&mut self.0, set_priority(order));
    }

    fn finish(&mut self) {
        either!(&mut self.0, finish());
    }

    fn reset(&mut self, code: u32) {
        either!(&mut self.0, reset(code));
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        either!(&mut self.0, poll_closed(cx))
    }
}

impl From<direct::SendStream> for SendStream {
    fn from(stream: direct::SendStream) -> Self {
        Self(Inner::Direct(stream))
    }
}

impl From<reference::SendStream> for SendStream {
    fn from(stream: reference::SendStream) -> Self {
        Self(Inner::Reference(stream))
    }
}
