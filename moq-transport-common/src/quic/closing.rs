//! How connections and sessions end, in the words of a session.

use moq_session::transport::{End, TransportError};
use quinn_proto::{ConnectionError, VarInt};

use super::code;

/// How a peer ended a WebTransport session.
#[derive(Debug, Clone, Default)]
pub struct SessionEnd {
    /// The session close code.
    pub code: u32,
    /// What the peer says about it, 1024 bytes at most.
    pub reason: String,
}

/// Reads the end of a raw QUIC connection, or of one that has no session yet.
#[must_use]
pub fn raw_error(reason: ConnectionError) -> TransportError {
    match reason {
        ConnectionError::ApplicationClosed(close) => {
            closed_by_peer(code::from_either(close.error_code), &close.reason)
        }
        ConnectionError::LocallyClosed => TransportError::Closed {
            by: End::Local,
            code: 0,
            reason: String::new(),
        },
        ConnectionError::TimedOut => TransportError::TimedOut,
        other => TransportError::lost(other),
    }
}

/// Reads the end of a WebTransport session: its own account if that names a code, otherwise the
/// connection's.
#[must_use]
pub fn web_error(reason: ConnectionError, session: Option<SessionEnd>) -> TransportError {
    if let Some(end) = session {
        return closed_by_peer(end.code, end.reason.as_bytes());
    }
    match reason {
        ConnectionError::ApplicationClosed(close) => {
            match code::from_http3(close.error_code.into_inner()) {
                Some(code) => closed_by_peer(code, &close.reason),
                None if close.error_code == H3_NO_ERROR => closed_by_peer(0, &close.reason),
                None => TransportError::lost(ConnectionError::ApplicationClosed(close)),
            }
        }
        // This end did not close it, so the library did, when the CONNECT stream ended without a
        // capsule: the standard reads that as code 0.
        ConnectionError::LocallyClosed => closed_by_peer(0, b""),
        other => raw_error(other),
    }
}

/// The first `max` bytes of `text`, or a little fewer so as not to split a character.
#[must_use]
pub fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn closed_by_peer(code: u32, reason: &[u8]) -> TransportError {
    let reason = String::from_utf8_lossy(&reason[..reason.len().min(MAX_REASON)]).into_owned();
    TransportError::Closed {
        by: End::Peer,
        code,
        reason,
    }
}

/// The longest reason that WebTransport's close capsule carries, in bytes.
pub const MAX_REASON: usize = 1024;

/// HTTP/3's code for an end without fault.
pub const H3_NO_ERROR: VarInt = VarInt::from_u32(0x100);
