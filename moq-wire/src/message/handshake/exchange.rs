//! The two messages of the handshake.

use bytes::{Buf, Bytes, BytesMut};

use super::FORM;
use super::parameter::{Parameter, put_parameters, take_parameters};
use crate::codec::{Decode, Encode, decode_checked, decode_whole};
use crate::envelope::decode_or_put_back;
use crate::error::{DecodeError, EncodeError};
use crate::limits::MAX_HANDSHAKE_VERSIONS;
use crate::varint;
use crate::version::Version;

/// Offers versions. The first message of the client.
///
/// Draft: SETUP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientSetup {
    /// Code points, most wanted first; some may stand for other protocols.
    pub versions: Vec<u64>,
    /// Of no meaning to a server that speaks only moq-lite.
    pub parameters: Vec<Parameter>,
}

impl ClientSetup {
    /// The type of the message, which is that of its stream.
    pub const STREAM_TYPE: u64 = CLIENT;

    /// An offer of `versions`, as far as a handshake can settle them.
    #[must_use]
    pub fn new(versions: &[Version]) -> Self {
        let settled = versions
            .iter()
            .filter(|version| version.features().handshake);
        Self {
            versions: settled.map(|version| version.code_point()).collect(),
            parameters: Vec::new(),
        }
    }

    /// The first offered version that is among `acceptable`.
    #[must_use]
    pub fn choose(&self, acceptable: &[Version]) -> Option<Version> {
        let mut offered = self.versions.iter().copied();
        offered.find_map(|code_point| {
            Version::from_code_point(code_point).filter(|version| acceptable.contains(version))
        })
    }

    /// Appends the whole message, the stream's type included.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`] in [`EncodeError::Refused`] above 128 versions or 64 KiB,
    /// [`DecodeError::TooManyParameters`] above 64 parameters, [`EncodeError::ParameterKind`], or
    /// [`DecodeError::VarInt`]. Nothing is appended then.
    pub fn put(&self, buf: &mut BytesMut) -> Result<(), EncodeError> {
        put_message(CLIENT, buf, |buf| {
            let count = self.versions.len() as u64;
            check_count(&count)?;
            count.encode(buf, FORM)?;
            let mut versions = self.versions.iter();
            versions.try_for_each(|version| version.encode(buf, FORM))?;
            put_parameters(&self.parameters, buf)
        })
    }

    /// Takes the whole message off the front of `buf`, the stream's type included.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedType`], or what is wrong with the message itself; `buf` then begins where
    /// the bytes are wrong.
    pub fn split(buf: &mut BytesMut) -> Result<Option<Self>, DecodeError> {
        split_message(CLIENT, buf)
    }
}

impl Decode for ClientSetup {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let count = decode_checked(buf, version, check_count)?;
        let versions = (0..count).map(|_| u64::decode(buf, version));
        Ok(Self {
            versions: versions.collect::<Result<_, _>>()?,
            parameters: take_parameters(buf, version)?,
        })
    }
}

/// Settles the version. The first message of the server.
///
/// Draft: SETUP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSetup {
    /// The code point of one of the versions that were offered.
    pub version: u64,
    /// Usually none.
    pub parameters: Vec<Parameter>,
}

impl ServerSetup {
    /// Settles on `version`.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version: version.code_point(),
            parameters: Vec::new(),
        }
    }

    /// Appends the whole message, its type included.
    ///
    /// # Errors
    /// As for [`ClientSetup::put`].
    pub fn put(&self, buf: &mut BytesMut) -> Result<(), EncodeError> {
        put_message(SERVER, buf, |buf| {
            self.version.encode(buf, FORM)?;
            put_parameters(&self.parameters, buf)
        })
    }

    /// Takes the whole message off the front of `buf`, its type included.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedType`], or what is wrong with the message itself; `buf` then begins where
    /// the bytes are wrong.
    pub fn split(buf: &mut BytesMut) -> Result<Option<Self>, DecodeError> {
        split_message(SERVER, buf)
    }
}

impl Decode for ServerSetup {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self {
            version: u64::decode(buf, version)?,
            parameters: take_parameters(buf, version)?,
        })
    }
}

fn check_count(versions: &u64) -> Result<(), DecodeError> {
    if *versions > MAX_HANDSHAKE_VERSIONS {
        return Err(DecodeError::TooLong);
    }
    Ok(())
}

/// Appends a type, the length of `body` in two bytes, and what `body` appends; after an error, nothing.
fn put_message(
    kind: u64,
    buf: &mut BytesMut,
    body: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let before = buf.len();
    varint::put(kind, buf, FORM)?;
    let start = buf.len();
    buf.extend_from_slice(&[0, 0]);
    let len = body(buf).and_then(|()| {
        let len = u16::try_from(buf.len() - start - 2);
        len.map_err(|_| DecodeError::TooLong.into())
    });
    match len {
        Ok(len) => buf[start..start + 2].copy_from_slice(&len.to_be_bytes()),
        Err(_) => buf.truncate(before),
    }
    len.map(|_| ())
}

fn split_message<M: Decode>(kind: u64, buf: &mut BytesMut) -> Result<Option<M>, DecodeError> {
    let Some((found, size)) = varint::peek(buf, FORM)? else {
        return Ok(None);
    };
    if found != kind {
        return Err(DecodeError::UnexpectedType(found));
    }
    let Some(len) = buf[size..].first_chunk().copied().map(u16::from_be_bytes) else {
        return Ok(None);
    };
    let end = size + 2 + usize::from(len);
    if buf.len() < end {
        return Ok(None);
    }
    let mut message = buf.split_to(end).freeze();
    message.advance(size + 2);
    decode_or_put_back(message, buf, |message| decode_whole(message, FORM)).map(Some)
}

const CLIENT: u64 = 0x20;
const SERVER: u64 = 0x21;
