//! The CONNECT stream of a WebTransport session: HTTP/3 frames with capsules in them.

use bytes::{Buf, BytesMut};
use moq_transport_common::quic::SessionEnd;
use web_transport_proto::{Capsule, CapsuleError, Frame};

/// Finds the capsule that ends a session. Whatever else comes is skipped.
#[derive(Default)]
pub(super) struct Capsules {
    /// Bytes of the stream that are not a whole frame.
    frames: BytesMut,
    /// Bytes of frames that are not a whole capsule.
    capsules: BytesMut,
}

impl Capsules {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.frames.extend_from_slice(bytes);
    }

    /// The session's end, if it is among the bytes pushed. A peer that floods the stream or does
    /// not speak the format ends it as well.
    pub(super) fn take_end(&mut self) -> Option<SessionEnd> {
        loop {
            let mut rest = &self.frames[..];
            let Ok((kind, payload)) = Frame::read(&mut rest) else {
                break;
            };
            if kind == Frame::DATA {
                self.capsules.extend_from_slice(payload.chunk());
            }
            let length = payload.remaining();
            rest.advance(length);
            self.frames.advance(self.frames.len() - rest.len());
        }
        loop {
            let mut rest = &self.capsules[..];
            match Capsule::decode(&mut rest) {
                Ok(Capsule::CloseWebTransportSession { code, reason }) => {
                    return Some(SessionEnd { code, reason });
                }
                Ok(_) => self.capsules.advance(self.capsules.len() - rest.len()),
                Err(CapsuleError::UnexpectedEnd | CapsuleError::VarInt(_)) => break,
                Err(_) => return Some(SessionEnd::default()),
            }
        }
        let is_flood = self.frames.len() + self.capsules.len() > MAX_UNREAD;
        is_flood.then(SessionEnd::default)
    }
}

/// The most bytes of a frame or a capsule that is not whole yet.
const MAX_UNREAD: usize = 128 << 10;
