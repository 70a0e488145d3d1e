//! The error codes of HTTP/3, QPACK and WebTransport that this end uses.

use quinn_proto::VarInt;

/// A datagram that names no stream.
pub(crate) const H3_DATAGRAM_ERROR: VarInt = VarInt::from_u32(0x33);

/// A stream that this end has read enough of.
pub(crate) const H3_NO_ERROR: VarInt = VarInt::from_u32(0x100);

/// A stream that the peer may not open, or may open once.
pub(crate) const H3_STREAM_CREATION_ERROR: VarInt = VarInt::from_u32(0x103);

/// A stream has ended that has to last as long as the connection.
pub(crate) const H3_CLOSED_CRITICAL_STREAM: VarInt = VarInt::from_u32(0x104);

/// A frame that may not come here.
pub(crate) const H3_FRAME_UNEXPECTED: VarInt = VarInt::from_u32(0x105);

/// A frame whose payload is not laid out as its type says.
pub(crate) const H3_FRAME_ERROR: VarInt = VarInt::from_u32(0x106);

/// More than this end is ready to read.
pub(crate) const H3_EXCESSIVE_LOAD: VarInt = VarInt::from_u32(0x107);

/// An id that stands for nothing, or goes the wrong way.
pub(crate) const H3_ID_ERROR: VarInt = VarInt::from_u32(0x108);

/// A setting that may not be sent, or not with its value.
pub(crate) const H3_SETTINGS_ERROR: VarInt = VarInt::from_u32(0x109);

/// A control stream that does not begin with SETTINGS.
pub(crate) const H3_MISSING_SETTINGS: VarInt = VarInt::from_u32(0x10a);

/// A request that nobody has looked at.
pub(crate) const H3_REQUEST_REJECTED: VarInt = VarInt::from_u32(0x10b);

/// A request that ended, or took too long, before it was whole.
pub(crate) const H3_REQUEST_INCOMPLETE: VarInt = VarInt::from_u32(0x10d);

/// A request, or a capsule, that is malformed.
pub(crate) const H3_MESSAGE_ERROR: VarInt = VarInt::from_u32(0x10e);

/// Fields that cannot be decoded.
pub(crate) const QPACK_DECOMPRESSION_FAILED: VarInt = VarInt::from_u32(0x200);

/// An instruction of the peer's encoder that needs a dynamic table, which this end does not have.
pub(crate) const QPACK_ENCODER_STREAM_ERROR: VarInt = VarInt::from_u32(0x201);

/// An instruction of the peer's decoder about a table that this end does not use.
pub(crate) const QPACK_DECODER_STREAM_ERROR: VarInt = VarInt::from_u32(0x202);

/// A stream of a WebTransport session that this end does not keep any longer, or at all.
pub(crate) const WT_BUFFERED_STREAM_REJECTED: VarInt = VarInt::from_u32(0x3994_bd84);
