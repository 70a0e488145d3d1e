//! Encoding and decoding of message bodies, and the primitives they are made of.

use std::ops::Range;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::error::{DecodeError, EncodeError};
use crate::varint;
use crate::version::Version;

/// Something that can be appended to a message body.
///
/// Primitives are written so: `u64` as a varint, `Option<u64>` as a varint that is 0 for `None` and
/// else one more than the number, `u8` and `bool` as one byte, `String` as a length and UTF-8,
/// `Duration` as a varint of milliseconds, rounded down to whole ones.
pub trait Encode {
    /// Appends the body's bytes, without any envelope.
    ///
    /// A field that the draft does not have is left out.
    ///
    /// # Errors
    /// [`EncodeError`] if [`Decode`] would refuse the bytes, or if the draft has the field but not
    /// this value. A part of the body may have been appended then, which
    /// [`put_message`](crate::put_message) takes back.
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError>;
}

/// Something that can be taken off the front of a complete message body.
pub trait Decode: Sized {
    /// Takes the value off the front of `buf`, which holds all bytes there will ever be.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong. `buf` then begins with the field that is wrong, or is what
    /// follows them all where fields contradict one another.
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError>;
}

/// Decodes a whole message body, which holds nothing else.
///
/// # Errors
/// [`DecodeError::Trailing`] if bytes are left over, or what is wrong with the message itself.
pub fn decode_body<M: Decode>(mut body: Bytes, version: Version) -> Result<M, DecodeError> {
    decode_whole(&mut body, version)
}

/// Decodes a whole message body, of which an error leaves what was not read.
pub(crate) fn decode_whole<M: Decode>(
    body: &mut Bytes,
    version: Version,
) -> Result<M, DecodeError> {
    let message = M::decode(body, version)?;
    if body.is_empty() {
        Ok(message)
    } else {
        Err(DecodeError::Trailing)
    }
}

/// Decodes a field that has to pass `check`. One that does not is left at the front of `buf`.
pub(crate) fn decode_checked<F: Decode>(
    buf: &mut Bytes,
    version: Version,
    check: impl FnOnce(&F) -> Result<(), DecodeError>,
) -> Result<F, DecodeError> {
    let before = buf.clone();
    let field = F::decode(buf, version)?;
    check(&field).inspect_err(|_| *buf = before)?;
    Ok(field)
}

impl Encode for u64 {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        varint::put(*self, buf, version)
    }
}

impl Decode for u64 {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let (value, size) = varint::peek(buf, version)?.ok_or(DecodeError::PastEnd)?;
        buf.advance(size);
        Ok(value)
    }
}

impl Encode for Option<u64> {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.map_or(0, |value| value.saturating_add(1))
            .encode(buf, version)
    }
}

impl Decode for Option<u64> {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(u64::decode(buf, version)?.checked_sub(1))
    }
}

impl Encode for u8 {
    fn encode(&self, buf: &mut BytesMut, _version: Version) -> Result<(), EncodeError> {
        buf.put_u8(*self);
        Ok(())
    }
}

impl Decode for u8 {
    fn decode(buf: &mut Bytes, _version: Version) -> Result<Self, DecodeError> {
        let first = *buf.first().ok_or(DecodeError::PastEnd)?;
        buf.advance(1);
        Ok(first)
    }
}

impl Encode for bool {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        u8::from(*self).encode(buf, version)
    }
}

impl Decode for bool {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        if let Some(&other @ 2..) = buf.first() {
            return Err(DecodeError::Bool(other));
        }
        Ok(u8::decode(buf, version)? == 1)
    }
}

impl Encode for Duration {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        u64::try_from(self.as_millis())
            .unwrap_or(u64::MAX)
            .encode(buf, version)
    }
}

impl Decode for Duration {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        u64::decode(buf, version).map(Self::from_millis)
    }
}

impl Encode for String {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        put_bytes(self.as_bytes(), buf, version)
    }
}

impl Decode for String {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        take_text(buf, version, |text| Ok(text.into()))
    }
}

/// Appends a length and `bytes`.
pub(crate) fn put_bytes(
    bytes: &[u8],
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    varint::put(bytes.len() as u64, buf, version)?;
    buf.put_slice(bytes);
    Ok(())
}

/// Takes a length and that many bytes off the front of `buf`.
pub(crate) fn take_bytes(buf: &mut Bytes, version: Version) -> Result<Bytes, DecodeError> {
    let Range { start, end } = peek_bytes(buf, version)?;
    buf.advance(start);
    Ok(buf.split_to(end - start))
}

/// Takes a length and that much text off the front of `buf`, as what `read` makes of it.
pub(crate) fn take_text<T>(
    buf: &mut Bytes,
    version: Version,
    read: impl FnOnce(&str) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let range = peek_bytes(buf, version)?;
    let end = range.end;
    let text = str::from_utf8(&buf[range]).map_err(|_| DecodeError::Utf8)?;
    let value = read(text)?;
    buf.advance(end);
    Ok(value)
}

/// Where the bytes are whose length is at the front of `buf`.
fn peek_bytes(buf: &Bytes, version: Version) -> Result<Range<usize>, DecodeError> {
    let (len, start) = varint::peek(buf, version)?.ok_or(DecodeError::PastEnd)?;
    let end = usize::try_from(len)
        .ok()
        .and_then(|len| start.checked_add(len))
        .filter(|&end| end <= buf.len());
    end.map(|end| start..end).ok_or(DecodeError::PastEnd)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::Lite06;

    #[test]
    fn optional_numbers_are_shifted_by_one() {
        for (value, byte) in [(None, 0), (Some(0), 1), (Some(62), 63)] {
            assert_eq!(encoded(&value), Ok(BytesMut::from(&[byte][..])));
            assert_eq!(decode_body(Bytes::from(vec![byte]), VERSION), Ok(value));
        }
        let largest = Some(varint::MAX - 1);
        assert_eq!(encoded(&largest), Ok(BytesMut::from(&[0xff; 8][..])));
        for value in [varint::MAX, u64::MAX] {
            assert_eq!(encoded(&Some(value)), Err(DecodeError::VarInt.into()));
        }
    }

    #[test]
    fn durations_are_whole_milliseconds_and_bounded() {
        let one = BytesMut::from(&[1][..]);
        assert_eq!(encoded(&Duration::from_micros(1999)), Ok(one));
        let longest = Duration::from_millis(varint::MAX);
        let read = decode_body(Bytes::from_static(&[0xff; 8]), VERSION);
        assert_eq!(read, Ok(longest));
        assert_eq!(encoded(&longest), Ok(BytesMut::from(&[0xff; 8][..])));
        for longer in [longest + Duration::from_millis(1), Duration::MAX] {
            assert_eq!(encoded(&longer), Err(DecodeError::VarInt.into()));
        }
    }

    #[test]
    fn a_bool_is_zero_or_one() {
        assert_eq!(decode_body(Bytes::from_static(&[1]), VERSION), Ok(true));
        assert_eq!(
            decode_body::<bool>(Bytes::from_static(&[2]), VERSION),
            Err(DecodeError::Bool(2))
        );
    }

    #[test]
    fn a_declared_length_is_not_believed() {
        let body = Bytes::from_static(&[0xff; 8]);
        assert_eq!(
            decode_body::<String>(body, VERSION),
            Err(DecodeError::PastEnd)
        );
    }

    #[test]
    fn bytes_left_over_are_an_error() {
        assert_eq!(
            decode_body::<u64>(Bytes::from_static(&[1, 0]), VERSION),
            Err(DecodeError::Trailing)
        );
    }

    #[test]
    fn an_error_leaves_the_field_that_is_wrong() {
        fn left<M: Decode>(body: &'static [u8]) -> Bytes {
            let mut buf = Bytes::from_static(body);
            assert!(M::decode(&mut buf, VERSION).is_err());
            buf
        }
        assert_eq!(left::<bool>(&[7, 1]), [7, 1][..]);
        assert_eq!(left::<String>(&[2, b'a', 0xff, 9]), [2, b'a', 0xff, 9][..]);
        assert_eq!(left::<String>(&[3, b'a']), [3, b'a'][..]);
        assert_eq!(left::<u64>(&[0x40]), [0x40][..]);
        // A broadcast, then a track's name that is no text.
        let request = &[1, b'r', 1, 0xff];
        assert_eq!(left::<crate::Track>(request), request[2..]);
        // A priority and an age, then a timescale of 0.
        assert_eq!(left::<crate::TrackInfo>(&[5, 9, 0]), [0][..]);
    }

    fn encoded(value: &impl Encode) -> Result<BytesMut, EncodeError> {
        let mut buf = BytesMut::new();
        value.encode(&mut buf, VERSION).map(|()| buf)
    }
}
