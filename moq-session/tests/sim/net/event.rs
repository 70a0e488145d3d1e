//! What travels.

use std::fmt;

use bytes::Bytes;

/// A stream's number, and the side that sends.
pub(super) type PipeId = (u64, usize);

/// Something on its way.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) conn: usize,
    /// Where it arrives.
    pub(super) to: usize,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// The first sign of a stream, and whether it is bidirectional.
    Open(u64, bool),
    Data(PipeId, Bytes),
    Fin(PipeId),
    Reset(PipeId, u32),
    Stop(PipeId, u32),
    Credit(PipeId, usize),
    Ack(PipeId),
    Datagram(Bytes),
    Close(u32, String),
    Lost,
    /// The connection was silent for too long. Not sent by anybody.
    Idle,
    /// A link was down for too long in a direction, if it still is. Not sent by anybody.
    Down(usize, usize, u64),
}

impl What {
    /// Which stream it is about, and a number for its content.
    pub(super) fn numbers(&self) -> (u64, u64) {
        match self {
            Self::Open(stream, is_bi) => (*stream, u64::from(*is_bi)),
            Self::Data(id, bytes) => (id.0, bytes.len() as u64 + 16),
            Self::Fin(id) => (id.0, 2),
            Self::Reset(id, code) | Self::Stop(id, code) => (id.0, u64::from(*code) << 8 | 3),
            Self::Credit(id, count) => (id.0, (*count as u64) << 8 | 4),
            Self::Ack(id) => (id.0, 5),
            Self::Datagram(bytes) => (0, bytes.len() as u64),
            Self::Close(code, _) => (0, u64::from(*code) << 8 | 6),
            Self::Lost | Self::Idle | Self::Down(..) => (0, 7),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(stream, true) => write!(f, "bidirectional stream {stream}"),
            Self::Open(stream, false) => write!(f, "unidirectional stream {stream}"),
            Self::Data(id, bytes) => write!(f, "stream {}: {} bytes", id.0, bytes.len()),
            Self::Fin(id) => write!(f, "stream {}: end", id.0),
            Self::Reset(id, code) => write!(f, "stream {}: reset {code:#x}", id.0),
            Self::Stop(id, code) => write!(f, "stream {}: stop {code:#x}", id.0),
            Self::Credit(id, usize::MAX) => write!(f, "stream {}: credit for the rest", id.0),
            Self::Credit(id, count) => write!(f, "stream {}: credit for {count} bytes", id.0),
            Self::Ack(id) => write!(f, "stream {}: acknowledged", id.0),
            Self::Datagram(bytes) => write!(f, "a datagram of {} bytes", bytes.len()),
            Self::Close(code, reason) => write!(f, "close {code:#x} {reason}"),
            Self::Lost => f.write_str("lost"),
            Self::Idle => f.write_str("idle for too long"),
            Self::Down(..) => f.write_str("down for too long"),
        }
    }
}
