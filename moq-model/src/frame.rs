//! The unit of content.

use bytes::Bytes;

/// A payload with its media time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// In units of the track's timescale.
    pub timestamp: u64,
    /// The bytes, which may be empty; clones share them.
    pub payload: Bytes,
}

impl Frame {
    /// What a held frame costs, in bytes.
    pub(crate) fn charge(&self) -> u64 {
        (self.payload.len() + size_of::<Self>()) as u64
    }
}
