//! What follows the handshake on its stream.

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::version::Version;

/// Says what either side can send, on the stream of the handshake. Any number of them.
///
/// Draft: SESSION_INFO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionInfo {
    /// Bits per second, at most 62 bits, if known. A known 0 is written as 1, because 0 means unknown.
    pub bitrate: Option<u64>,
}

impl Encode for SessionInfo {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        let bitrate = self.bitrate.map_or(0, |bitrate| bitrate.max(1));
        bitrate.encode(buf, version)
    }
}

impl Decode for SessionInfo {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let bitrate = u64::decode(buf, version)?;
        Ok(Self {
            bitrate: Some(bitrate).filter(|&bitrate| bitrate > 0),
        })
    }
}
