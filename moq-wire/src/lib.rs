//! The moq-lite wire format: bytes to messages and back, for every draft in service.
//!
//! A [`Version`] is negotiated by name and stands for a row of [`Features`]. A stream starts with a
//! [`varint`] that names its type ([`BiStream`], [`UniStream`]); after it come messages, each in an
//! envelope ([`split_message`], [`put_message`]) with a body of its own layout ([`Encode`],
//! [`Decode`]). Three kinds of stream need a codec of their own: announcements
//! ([`AnnounceEncoder`], [`AnnounceDecoder`]), answers to a subscription ([`SubscribeResponse`])
//! and runs of frames ([`FrameEncoder`], [`FrameDecoder`]). Where the draft is settled inside the
//! session, the first stream starts with [`ClientSetup`] and [`ServerSetup`] instead.
//!
//! Whatever reads a growing buffer answers `Ok(None)` when more bytes are needed, and takes nothing
//! off the buffer until it has a whole item. An error means that no further bytes can help; the buffer
//! then begins where the bytes are wrong, as far as one field is to blame. Nothing here does I/O, asks the time, panics on input, or allocates on the word of a peer.
//!
//! ```
//! use bytes::BytesMut;
//! use moq_wire::{BiStream, Path, Track, Version, decode_body, limits, put_message, split_message, varint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let version = Version::Lite06;
//! let request = Track { broadcast: Path::new("room")?, track: "chat".into() };
//!
//! let mut stream = BytesMut::new();
//! varint::put(BiStream::Track.code(), &mut stream, version);
//! put_message(&request, &mut stream, version);
//!
//! let code = varint::split(&mut stream, version)?.ok_or("incomplete")?;
//! assert_eq!(BiStream::from_code(code, version), Some(BiStream::Track));
//! let body = split_message(&mut stream, limits::MAX_MESSAGE, version)?.ok_or("incomplete")?;
//! assert_eq!(decode_body::<Track>(body, version)?, request);
//! # Ok(())
//! # }
//! ```

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
pub use features::{Features, VarIntForm};
pub use id::{GroupSequence, HopId, SubscribeId};
pub use message::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, ClientSetup,
    Datagram, Fetch, FrameDecoder, FrameEncoder, FrameHeader, Goaway, GroupHeader, GroupStart,
    Parameter, ParameterValue, Probe, ProbeLevel, Role, Route, ServerSetup, SessionInfo, Setup,
    Subscribe, SubscribeOk, SubscribeResponse, SubscribeUpdate, Track, TrackInfo,
};
pub use path::Path;
pub use stream::{BiStream, UniStream};
pub use version::Version;
