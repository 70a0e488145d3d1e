//! Integers of variable length, in pieces.

use bytes::{Buf, Bytes};

/// Reads integers of 1, 2, 4 or 8 bytes.
#[derive(Debug, Default)]
pub(super) struct Varint {
    value: u64,
    /// How many bytes of it are still to come; 0 between two.
    missing: u8,
}

impl Varint {
    /// Takes bytes until an integer is whole.
    pub(super) fn take(&mut self, bytes: &mut Bytes) -> Option<u64> {
        while bytes.has_remaining() {
            let byte = bytes.get_u8();
            if self.missing == 0 {
                self.value = u64::from(byte & 0x3f);
                self.missing = (1 << (byte >> 6)) - 1;
            } else {
                self.value = self.value << 8 | u64::from(byte);
                self.missing -= 1;
            }
            if self.missing == 0 {
                return Some(self.value);
            }
        }
        None
    }

    /// Whether an integer has begun and is not whole.
    pub(super) fn is_partial(&self) -> bool {
        self.missing > 0
    }
}

/// Appends an integer below 2^62, as short as can be.
pub(super) fn put(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    let (length, mark) = match value {
        0..=0x3f => (1, 0),
        0x40..=0x3fff => (2, 0x40),
        0x4000..=0x3fff_ffff => (4, 0x80),
        _ => (8, 0xc0),
    };
    let first = out.len();
    out.extend_from_slice(&bytes[8 - length..]);
    out[first] |= mark;
}

/// Reads a payload that is one integer and nothing else.
pub(super) fn only(mut payload: Bytes) -> Option<u64> {
    let value = Varint::default().take(&mut payload)?;
    payload.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_they_are_written_byte_by_byte() {
        for value in [
            0,
            63,
            64,
            16_383,
            16_384,
            (1 << 30) - 1,
            1 << 30,
            (1 << 62) - 1,
        ] {
            let mut written = Vec::new();
            put(&mut written, value);
            let mut reader = Varint::default();
            let (last, first) = written.split_last().unwrap();
            for byte in first {
                assert_eq!(reader.take(&mut Bytes::copy_from_slice(&[*byte])), None);
                assert!(reader.is_partial());
            }
            let read = reader.take(&mut Bytes::copy_from_slice(&[*last]));
            assert_eq!(read, Some(value));
            assert!(!reader.is_partial());
            assert_eq!(only(written.into()), Some(value));
        }
        assert_eq!(only(Bytes::from_static(&[1, 2])), None);
        assert_eq!(only(Bytes::from_static(&[0x40])), None);
    }
}
