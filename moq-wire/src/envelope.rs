//! Envelopes: the length in front of a message, and where messages are of several kinds, the type
//! in front of the length.

use bytes::{Buf, Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_whole};
use crate::error::DecodeError;
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
pub fn put_message<M: Encode>(message: &M, buf: &mut BytesMut, version: Version) {
    put_envelope(buf, version, |buf| message.encode(buf, version));
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
    Ok(split_body(buf, size, max_len, version)?.map(|body| (kind, body)))
}

/// Appends whatever `body` appends, with its length in front.
pub(crate) fn put_envelope(buf: &mut BytesMut, version: Version, body: impl FnOnce(&mut BytesMut)) {
    let start = buf.len();
    body(buf);
    let end = buf.len();
    varint::put((end - start) as u64, buf, version);
    let prefix = buf.len() - end;
    buf[start..].rotate_right(prefix);
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
            put_message(&"x".repeat(len), &mut buf, VERSION);
            buf.advance(6);
            let body = split_message(&mut buf, usize::MAX, VERSION)
                .unwrap()
                .unwrap();
            assert!(body.ends_with("x".repeat(len).as_bytes()));
            assert!(buf.is_empty());
        }
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
    }
}
