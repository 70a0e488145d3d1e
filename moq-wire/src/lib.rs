//! The moq-lite wire format: bytes to messages and back, for every draft in service.
//!
//! Writing a request: the stream's type, then the message.
//!
//! ```
//! use bytes::BytesMut;
//! use moq_wire::{BiStream, Path, Track, Version, put_message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let version = Version::Lite06;
//! let mut stream = BytesMut::new();
//! BiStream::Track.put(&mut stream, version)?;
//! let request = Track { broadcast: Path::new("room")?, track: "chat".into() };
//! put_message(&request, &mut stream, version)?;
//! assert_eq!(stream, b"\x06\x0a\x04room\x04chat"[..]);
//! # Ok(())
//! # }
//! ```
//!
//! Reading it, from a buffer that grows as bytes arrive:
//!
//! ```
//! use bytes::BytesMut;
//! use moq_wire::{BiStream, Track, Version, limits, split_decoded, varint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let version = Version::Lite06;
//! let mut stream = BytesMut::from(&b"\x06\x0a\x04room\x04chat"[..]);
//! if let Some(code) = varint::split(&mut stream, version)? {
//!     assert_eq!(BiStream::from_code(code, version), Some(BiStream::Track));
//! }
//! if let Some(request) = split_decoded::<Track>(&mut stream, limits::MAX_MESSAGE, version)? {
//!     assert_eq!(request.track, "chat");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Drafts
//!
//! A [`Version`] is negotiated by name and stands for a row of [`Features`]. Where the draft is settled
//! inside the session, the first stream starts with [`ClientSetup`] and [`ServerSetup`].
//!
//! # Messages
//!
//! Every stream starts with its type ([`BiStream`], [`UniStream`]). After it come messages, each with its
//! length in front ([`put_message`], [`split_message`]) and a body of its own layout ([`Encode`],
//! [`Decode`]). Three kinds of stream need a codec of their own: announcements ([`AnnounceEncoder`],
//! [`AnnounceDecoder`]), answers to a subscription ([`SubscribeResponse`]) and runs of frames
//! ([`FrameEncoder`], [`FrameDecoder`]).
//!
//! # Reading
//!
//! Whatever reads a growing buffer answers `Ok(None)` when more bytes are needed, and takes nothing off
//! the buffer until it has a whole item. A [`DecodeError`] means that no further bytes can help; the
//! buffer then begins where the bytes are wrong, as far as one field is to blame.
//!
//! # Writing
//!
//! An encoder refuses what a decoder would refuse, with an [`EncodeError`] that says why, and appends
//! nothing then. What it writes reads as the same message, but for fields that the draft does not have.
//!
//! Nothing here does I/O, asks the time, panics on what a peer sends, or allocates on the word of a peer.

pub mod code;
mod codec;
mod envelope;
mod error;
mod features;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod id;
mod layout;
pub mod limits;
mod message;
mod path;
mod stream;
pub mod varint;
mod version;

pub use codec::{Decode, Encode, decode_body};
pub use envelope::{put_message, split_decoded, split_message};
pub use error::{DecodeError, EncodeError, PathError, UnknownVersion};
pub use features::{Features, HopForm, ProbeForm, VarIntForm};
pub use id::{GroupSequence, HopId, SubscribeId};
pub use message::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceItem, AnnounceOk, AnnounceRequest,
    ClientSetup, Datagram, Fetch, FrameDecoder, FrameEncoder, FrameHeader, Goaway, GroupHeader,
    GroupStart, Parameter, ParameterValue, Probe, ProbeLevel, Role, Route, ServerSetup,
    SessionInfo, Setup, Subscribe, SubscribeOk, SubscribeResponse, SubscribeUpdate, Track,
    TrackInfo,
};
pub use path::Path;
pub use stream::{BiStream, UniStream};
pub use version::Version;
