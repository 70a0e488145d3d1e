//! Datagrams: a group of one frame without a stream.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::id::{GroupSequence, SubscribeId};
use crate::version::Version;

/// A group of exactly one frame. Stands alone in a datagram, without an envelope.
///
/// Decoding takes everything there is, and copies nothing.
///
/// Draft: Datagrams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The subscription it belongs to.
    pub subscribe_id: SubscribeId,
    /// Which group.
    pub sequence: GroupSequence,
    /// In units of the track's timescale, at most 62 bits.
    pub timestamp: u64,
    /// The frame; may be empty.
    pub payload: Bytes,
}

impl Encode for Datagram {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.subscribe_id.encode(buf, version)?;
        self.sequence.encode(buf, version)?;
        self.timestamp.encode(buf, version)?;
        buf.put_slice(&self.payload);
        Ok(())
    }
}

impl Decode for Datagram {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self {
            subscribe_id: SubscribeId::decode(buf, version)?,
            sequence: GroupSequence::decode(buf, version)?,
            timestamp: u64::decode(buf, version)?,
            payload: buf.split_to(buf.len()),
        })
    }
}
