//! Envelopes: the length in front of a message, and where messages are of several kinds, the type
//! in front of the length.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_whole};
use crate::error::{DecodeError, EncodeError};
use crate::limits::MAX_MESSAGE;
use crate::varint;
use crate::version::Version;

/// Takes the body of one message of at most `max_len` bytes off the front of `buf`.
///
/// `Ok(None)` means that more bytes are needed; nothing is taken then.
///
/// # Errors
/// [`DecodeError::TooLong`] as soon as the declared length is known to be above `max_len`.
pub fn split_message(
    buf: &mut BytesMut,
    max_len: usize,
    version: Version,
) -> Result<Option<Bytes>, DecodeError> {
    split_body(buf, 0, max_len, version)
}

/// Takes one message of at most `max_len` bytes off the front of `buf` and decodes it.
///
/// `Ok(None)` means that more bytes are needed; nothing is taken then.
///
/// # Errors
/// As [`split_message`], or what is wrong with the message itself; `buf` then begins with the field
/// that is wrong, or with what follows the message where its fields contradict one another.
pub fn split_decoded<M: Decode>(
    buf: &mut BytesMut,
    max_len: usize,
    version: Version,
) -> Result<Option<M>, DecodeError> {
    let Some(body) = split_message(buf, max_len, version)? else {
        return Ok(None);
    };
    decode_or_put_back(body, buf, |body| decode_whole(body, version)).map(Some)
}

/// Decodes what was taken off `buf`; after an error puts back what was not read of it.
pub(crate) fn decode_or_put_back<T>(
    mut body: Bytes,
    buf: &mut BytesMut,
    decode: impl FnOnce(&mut Bytes) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let decoded = decode(&mut body);
    if decoded.is_err() {
        put_back(&body, buf);
    }
    decoded
}

#[cold]
fn put_back(unread: &[u8], buf: &mut BytesMut) {
    // With room for exactly this: what grows takes up to twice of what the peer sent.
    let mut whole = BytesMut::with_capacity(unread.len() + buf.len());
    whole.extend_from_slice(unread);
    whole.extend_from_slice(buf);
    *buf = whole;
}

/// Appends `message` with its length in front.
///
/// # Errors
/// [`EncodeError`] if the receiver would refuse the message, which includes one whose body has more than
/// [`MAX_MESSAGE`] bytes, or if the draft has no way to say it. Nothing is appended then.
pub fn put_message<M: Encode>(
    message: &M,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    put_envelope(MAX_MESSAGE, buf, version, |buf| {
        message.encode(buf, version)
    })
}

/// Takes the type and the body of one message off the front of `buf`, as [`split_message`] does.
pub(crate) fn split_typed_message(
    buf: &mut BytesMut,
    max_len: usize,
    version: Version,
) -> Result<Option<(u64, Bytes)>, DecodeError> {
    let Some((kind, size)) = varint::peek(buf, version)? else {
        return Ok(None);
    };
    let body = split_body(buf, size, max_len, version);
    // What is wrong is the length, not the type in front of it.
    let body = body.inspect_err(|_| buf.advance(size))?;
    Ok(body.map(|body| (kind, body)))
}

/// Appends a type and, as a message of its own, whatever `body` appends; after an error, nothing.
pub(crate) fn put_typed_message(
    kind: u64,
    buf: &mut BytesMut,
    version: Version,
    body: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = buf.len();
    varint::put(kind, buf, version)?;
    put_envelope(MAX_MESSAGE, buf, version, body).inspect_err(|_| buf.truncate(start))
}

/// Appends whatever `body` appends, at most `max_len` bytes, with its length in front; after an error,
/// nothing.
pub(crate) fn put_envelope(
    max_len: usize,
    buf: &mut BytesMut,
    version: Version,
    body: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = buf.len();
    // Most lengths take one byte; a longer one moves the body.
    buf.put_u8(0);
    let mut result = body(buf);
    if result.is_ok() {
        // In every form, a small integer is one byte of itself.
        match u8::try_from(buf.len() - start - 1) {
            Ok(len @ ..64) => buf[start] = len,
            _ => result = put_len(start, max_len, buf, version),
        }
    }
    if result.is_err() {
        buf.truncate(start);
    }
    result
}

/// Writes how many bytes there are behind the one at `start`, in its place.
fn put_len(
    start: usize,
    max_len: usize,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    let len = buf.len() - start - 1;
    if len > max_len {
        return Err(DecodeError::TooLong.into());
    }
    let len = len as u64;
    let size = varint::size(len, version);
    if size > 1 {
        buf.put_bytes(0, size - 1);
        buf[start..].rotate_right(size - 1);
    }
    varint::put(len, &mut &mut buf[start..start + size], version)
}

/// Takes `skip` bytes and the message after them off the front of `buf`, all or nothing.
fn split_body(
    buf: &mut BytesMut,
    skip: usize,
    max_len: usize,
    version: Version,
) -> Result<Option<Bytes>, DecodeError> {
    let Some((len, size)) = varint::peek(buf.get(skip..).unwrap_or_default(), version)? else {
        return Ok(None);
    };
    let len = usize::try_from(len)
        .ok()
        .filter(|&len| len <= max_len)
        .ok_or(DecodeError::TooLong)?;
    let start = skip + size;
    if buf.len() - start < len {
        return Ok(None);
    }
    buf.advance(start);
    Ok(Some(buf.split_to(len).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::Lite06;

    #[test]
    fn the_length_is_in_front_whatever_its_size() {
        for len in [0_usize, 1, 62, 63, 64, 16_384] {
            let mut buf = BytesMut::from(&b"before"[..]);
            assert_eq!(put_message(&"x".repeat(len), &mut buf, VERSION), Ok(()));
            buf.advance(6);
            let body = split_message(&mut buf, usize::MAX, VERSION)
                .unwrap()
                .unwrap();
            assert!(body.ends_with("x".repeat(len).as_bytes()));
            assert!(buf.is_empty());
        }
    }

    #[test]
    fn what_is_too_long_to_read_is_not_written() {
        let mut buf = BytesMut::from(&b"before"[..]);
        // Four of the bytes are the length of the text.
        let longest = MAX_MESSAGE - 4;
        let too_long = put_message(&"x".repeat(longest + 1), &mut buf, VERSION);
        assert_eq!(too_long, Err(DecodeError::TooLong.into()));
        let half = put_typed_message(7, &mut buf, VERSION, |buf| {
            5_u64.encode(buf, VERSION)?;
            u64::MAX.encode(buf, VERSION)
        });
        assert_eq!(half, Err(DecodeError::VarInt.into()));
        assert_eq!(buf, b"before"[..], "nothing is left of it");

        buf.clear();
        assert_eq!(put_message(&"x".repeat(longest), &mut buf, VERSION), Ok(()));
        let body = split_message(&mut buf, MAX_MESSAGE, VERSION).unwrap();
        assert_eq!(body.map(|body| body.len()), Some(MAX_MESSAGE));
    }

    #[test]
    fn the_limit_holds_before_the_body_arrives() {
        let declared = |len: u8| split_message(&mut BytesMut::from(&[len][..]), 10, VERSION);
        assert_eq!(declared(9), Ok(None));
        assert_eq!(declared(10), Ok(None));
        assert_eq!(declared(11), Err(DecodeError::TooLong));
    }

    #[test]
    fn a_message_that_is_wrong_is_taken_up_to_where_it_is_wrong() {
        let left = |bytes: &[u8]| {
            let mut buf = BytesMut::from(bytes);
            let message = split_decoded::<crate::Track>(&mut buf, 10, VERSION);
            (message.map(|message| message.is_some()), buf)
        };
        let rest = |bytes: &[u8]| BytesMut::from(bytes);
        assert_eq!(left(&[3, 1, b'r', 0, 9]), (Ok(true), rest(&[9])));
        assert_eq!(left(&[3, 1]), (Ok(false), rest(&[3, 1])));
        let (past_end, trailing) = (DecodeError::PastEnd, DecodeError::Trailing);
        assert_eq!(left(&[3, 1, b'r', 5, 9]), (Err(past_end), rest(&[5, 9])));
        assert_eq!(left(&[4, 1, b'r', 0, 7, 9]), (Err(trailing), rest(&[7, 9])));
    }

    #[test]
    fn a_typed_message_is_taken_whole_or_not_at_all() {
        let bytes = [0x40, 0x05, 0x02, 0xaa, 0xbb, 0xcc];
        for cut in 0..5 {
            let mut buf = BytesMut::from(&bytes[..cut]);
            assert_eq!(split_typed_message(&mut buf, 10, VERSION), Ok(None));
            assert_eq!(buf, bytes[..cut]);
        }
        let mut buf = BytesMut::from(&bytes[..]);
        let message = split_typed_message(&mut buf, 10, VERSION).unwrap();
        assert_eq!(message, Some((5, Bytes::from_static(&[0xaa, 0xbb]))));
        assert_eq!(buf, bytes[5..]);

        let mut buf = BytesMut::from(&bytes[..]);
        let too_long = split_typed_message(&mut buf, 1, VERSION);
        assert_eq!(too_long, Err(DecodeError::TooLong));
        assert_eq!(buf, bytes[2..], "the length is wrong, and not the type");
    }
}
