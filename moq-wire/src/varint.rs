//! Variable-length integers of up to 62 bits.

use bytes::{Buf, BufMut, BytesMut};

use crate::error::DecodeError;
use crate::version::{VarIntForm, Version};

/// The largest value that can be written.
pub const MAX: u64 = (1 << 62) - 1;

/// The bytes [`put`] needs for `value`.
#[must_use]
pub fn size(value: u64, version: Version) -> usize {
    let bits = 64 - value.min(MAX).leading_zeros();
    match version.features().varint {
        VarIntForm::Quic => match bits {
            0..=6 => 1,
            7..=14 => 2,
            15..=30 => 4,
            _ => 8,
        },
        VarIntForm::LeadingOnes => match bits {
            0..=7 => 1,
            8..=14 => 2,
            15..=21 => 3,
            22..=28 => 4,
            29..=35 => 5,
            36..=42 => 6,
            43..=56 => 8,
            _ => 9,
        },
    }
}

/// Appends `value` in its shortest form. A value above [`MAX`] is written as [`MAX`].
pub fn put(value: u64, buf: &mut BytesMut, version: Version) {
    let bytes = value.min(MAX).to_be_bytes();
    let size = size(value, version);
    let prefix = prefix(size, version);
    // A value has nine bytes only where the first of them is all prefix.
    match bytes.len().checked_sub(size).map(|skip| &bytes[skip..]) {
        Some([first, rest @ ..]) => {
            buf.put_u8(prefix | first);
            buf.put_slice(rest);
        }
        _ => {
            buf.put_u8(prefix);
            buf.put_slice(&bytes);
        }
    }
}

/// Takes one integer off the front of `buf`.
///
/// `Ok(None)` means that more bytes are needed; nothing is taken then. Forms longer than necessary
/// are accepted.
///
/// # Errors
/// [`DecodeError::VarInt`] if the value is above [`MAX`].
pub fn split(buf: &mut BytesMut, version: Version) -> Result<Option<u64>, DecodeError> {
    let Some((value, size)) = peek(buf, version)? else {
        return Ok(None);
    };
    buf.advance(size);
    Ok(Some(value))
}

/// Reads the integer at the front of `data`: its value and its size in bytes, or `None` if it is
/// incomplete.
pub(crate) fn peek(data: &[u8], version: Version) -> Result<Option<(u64, usize)>, DecodeError> {
    let Some(&first) = data.first() else {
        return Ok(None);
    };
    let (size, mask) = match version.features().varint {
        VarIntForm::Quic => (1 << (first >> 6), 0x3f),
        VarIntForm::LeadingOnes => {
            let ones = first.leading_ones();
            (ones as usize + 1, 0x7f_u8.checked_shr(ones).unwrap_or(0))
        }
    };
    let Some(rest) = data.get(1..size) else {
        return Ok(None);
    };
    let value = rest.iter().fold(u64::from(first & mask), |value, &byte| {
        (value << 8) | u64::from(byte)
    });
    if value > MAX {
        return Err(DecodeError::VarInt);
    }
    Ok(Some((value, size)))
}

/// The bits of the first byte that say how many bytes there are.
fn prefix(size: usize, version: Version) -> u8 {
    match version.features().varint {
        VarIntForm::Quic => match size {
            1 => 0,
            2 => 0x40,
            4 => 0x80,
            _ => 0xc0,
        },
        VarIntForm::LeadingOnes => {
            let ones = u32::try_from(size.saturating_sub(1)).unwrap_or(u32::MAX);
            !u8::MAX.checked_shr(ones).unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIC: Version = Version::Lite06;
    const LEADING_ONES: Version = Version::Lite07Wip;

    #[test]
    fn known_values_have_known_bytes() {
        let cases: &[(Version, u64, &[u8])] = &[
            (QUIC, 0, &[0]),
            (QUIC, 63, &[63]),
            (QUIC, 64, &[0x40, 64]),
            (QUIC, 0x1111, &[0x51, 0x11]),
            (QUIC, 180_000, &[0x80, 2, 0xbf, 0x20]),
            (QUIC, 1 << 30, &[0xc0, 0, 0, 0, 0x40, 0, 0, 0]),
            (QUIC, MAX, &[0xff; 8]),
            (LEADING_ONES, 127, &[127]),
            (LEADING_ONES, 0x1111, &[0x91, 0x11]),
            (LEADING_ONES, 5000, &[0x93, 0x88]),
            (LEADING_ONES, 90_000, &[0xc1, 0x5f, 0x90]),
            (
                LEADING_ONES,
                MAX,
                &[0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
        ];
        for &(version, value, bytes) in cases {
            let mut buf = BytesMut::new();
            put(value, &mut buf, version);
            assert_eq!(buf, bytes, "{value} on {version}");
            assert_eq!(split(&mut buf, version), Ok(Some(value)));
        }
    }

    #[test]
    fn every_size_boundary_survives_and_a_cut_is_not_yet_a_value() {
        for version in [QUIC, LEADING_ONES] {
            for value in (0..62)
                .flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit])
                .chain([MAX])
            {
                let mut buf = BytesMut::new();
                put(value, &mut buf, version);
                assert_eq!(buf.len(), size(value, version));
                for cut in 0..buf.len() {
                    assert_eq!(peek(&buf[..cut], version), Ok(None));
                }
                assert_eq!(split(&mut buf, version), Ok(Some(value)));
                assert!(buf.is_empty());
            }
        }
    }

    #[test]
    fn padded_forms_are_accepted() {
        assert_eq!(peek(&[0x40, 1], QUIC), Ok(Some((1, 2))));
        assert_eq!(
            peek(&[0xfc, 0, 0, 0, 0, 0, 1], LEADING_ONES),
            Ok(Some((1, 7)))
        );
    }

    #[test]
    fn values_above_the_maximum_are_clamped_when_written_and_refused_when_read() {
        let mut buf = BytesMut::new();
        put(u64::MAX, &mut buf, QUIC);
        assert_eq!(split(&mut buf, QUIC), Ok(Some(MAX)));
        assert_eq!(peek(&[0xff; 9], LEADING_ONES), Err(DecodeError::VarInt));
    }
}
