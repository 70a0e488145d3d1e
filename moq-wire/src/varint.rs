//! Variable-length integers of up to 62 bits.

use bytes::{Buf, BufMut, BytesMut};

use crate::error::DecodeError;
use crate::features::VarIntForm;
use crate::version::Version;

/// Runs `$put` with `$tagged`, a number whose last `$SIZE` bytes spell `$value`. That size is a
/// constant, because a write of a size that is known costs a few instructions, and one of any size
/// costs a call.
macro_rules! quic {
    ($value:expr, $tagged:ident, $SIZE:ident => $put:expr) => {
        if $value < 1 << 6 {
            const $SIZE: usize = 1;
            let $tagged = $value;
            $put
        } else if $value < 1 << 14 {
            const $SIZE: usize = 2;
            let $tagged = 0x4000 | $value;
            $put
        } else if $value < 1 << 30 {
            const $SIZE: usize = 4;
            let $tagged = 0x8000_0000 | $value;
            $put
        } else {
            const $SIZE: usize = 8;
            let $tagged = 0xc000_0000_0000_0000 | $value.min(MAX);
            $put
        }
    };
}

/// The largest value that can be written.
pub const MAX: u64 = (1 << 62) - 1;

/// The bytes [`put`] needs for `value`.
#[must_use]
#[inline]
pub fn size(value: u64, version: Version) -> usize {
    match version.features().varint {
        VarIntForm::Quic => match bits(value) {
            0..=6 => 1,
            7..=14 => 2,
            15..=30 => 4,
            _ => 8,
        },
        VarIntForm::LeadingOnes => size_leading_ones(value),
    }
}

fn size_leading_ones(value: u64) -> usize {
    match bits(value) {
        0..=7 => 1,
        8..=14 => 2,
        15..=21 => 3,
        22..=28 => 4,
        29..=35 => 5,
        36..=42 => 6,
        43..=56 => 8,
        _ => 9,
    }
}

/// How many bits it takes to tell `value`, or the largest that can be written.
fn bits(value: u64) -> u32 {
    64 - value.min(MAX).leading_zeros()
}

/// Appends `value` in its shortest form. A value above [`MAX`] is written as [`MAX`].
///
/// # Panics
/// If `buf` cannot grow and has less than [`size`] bytes left.
#[inline(always)]
pub fn put(value: u64, buf: &mut impl BufMut, version: Version) {
    match version.features().varint {
        VarIntForm::Quic => put_quic(value, buf),
        VarIntForm::LeadingOnes => put_leading_ones(value, buf),
    }
}

/// Appends two values as [`put`] does, in one write: to look whether there is room is most of what an
/// append costs.
#[inline(always)]
pub(crate) fn put_pair(first: u64, second: u64, buf: &mut impl BufMut, form: VarIntForm) {
    match form {
        VarIntForm::Quic => {
            quic!(first, head, A => {
                quic!(second, tail, B => {
                    let both = u128::from(head) << (8 * B) | u128::from(tail);
                    buf.put_slice(&both.to_be_bytes()[16 - A - B..]);
                })
            });
        }
        VarIntForm::LeadingOnes => {
            put_leading_ones(first, buf);
            put_leading_ones(second, buf);
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
#[inline]
pub fn split(buf: &mut BytesMut, version: Version) -> Result<Option<u64>, DecodeError> {
    let Some((value, size)) = peek(buf, version)? else {
        return Ok(None);
    };
    buf.advance(size);
    Ok(Some(value))
}

/// Reads the integer at the front of `data`: its value and its size in bytes, or `None` if it is
/// incomplete.
///
/// # Errors
/// [`DecodeError::VarInt`] if the value is above [`MAX`].
#[inline]
pub fn peek(data: &[u8], version: Version) -> Result<Option<(u64, usize)>, DecodeError> {
    match version.features().varint {
        VarIntForm::Quic => Ok(peek_quic(data)),
        VarIntForm::LeadingOnes => peek_leading_ones(data),
    }
}

#[inline(always)]
fn put_quic(value: u64, buf: &mut impl BufMut) {
    quic!(value, tagged, SIZE => buf.put_slice(&tagged.to_be_bytes()[8 - SIZE..]));
}

#[inline]
fn peek_quic(data: &[u8]) -> Option<(u64, usize)> {
    let first = *data.first()?;
    if first < 0x40 {
        Some((u64::from(first), 1))
    } else if first < 0x80 {
        let value = u16::from_be_bytes(*data.first_chunk()?);
        Some((u64::from(value & 0x3fff), 2))
    } else if first < 0xc0 {
        let value = u32::from_be_bytes(*data.first_chunk()?);
        Some((u64::from(value & 0x3fff_ffff), 4))
    } else {
        let value = u64::from_be_bytes(*data.first_chunk()?);
        Some((value & MAX, 8))
    }
}

#[inline(never)]
fn put_leading_ones(value: u64, buf: &mut impl BufMut) {
    let value = value.min(MAX);
    let further = size_leading_ones(value) - 1;
    let bytes = value.to_be_bytes();
    // A value has eight further bytes only where the first byte is all prefix.
    match bytes.len().checked_sub(further + 1) {
        Some(skip) => {
            buf.put_u8(!(0xff >> further) | bytes[skip]);
            buf.put_slice(&bytes[skip + 1..]);
        }
        None => {
            buf.put_u8(0xff);
            buf.put_slice(&bytes);
        }
    }
}

fn peek_leading_ones(data: &[u8]) -> Result<Option<(u64, usize)>, DecodeError> {
    let Some(&first) = data.first() else {
        return Ok(None);
    };
    let ones = first.leading_ones();
    let size = ones as usize + 1;
    let Some(rest) = data.get(1..size) else {
        return Ok(None);
    };
    let mask = 0x7f_u8.checked_shr(ones).unwrap_or(0);
    let value = rest.iter().fold(u64::from(first & mask), |value, &byte| {
        (value << 8) | u64::from(byte)
    });
    if value > MAX {
        return Err(DecodeError::VarInt);
    }
    Ok(Some((value, size)))
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
    fn each_size_holds_what_it_can() {
        let leading_ones = ([7, 14, 21, 28, 35, 42, 56, 62], [1, 2, 3, 4, 5, 6, 8, 9]);
        let quic = (QUIC, &[6, 14, 30, 62][..], &[1, 2, 4, 8][..]);
        let leading_ones = (LEADING_ONES, &leading_ones.0[..], &leading_ones.1[..]);
        for (version, bits, bytes) in [quic, leading_ones] {
            let mut smallest = 0;
            for (&bits, &bytes) in bits.iter().zip(bytes) {
                let largest = (1 << bits) - 1;
                assert_eq!(size(smallest, version), bytes, "{smallest} on {version}");
                assert_eq!(size(largest, version), bytes, "{largest} on {version}");
                smallest = largest + 1;
            }
        }
    }

    #[test]
    fn a_pair_is_written_as_two_values_are() {
        let values = [
            0,
            63,
            64,
            0x3fff,
            0x4000,
            0x3fff_ffff,
            0x4000_0000,
            u64::MAX,
        ];
        for (first, second) in values.iter().flat_map(|a| values.map(|b| (*a, b))) {
            for version in [QUIC, LEADING_ONES] {
                let mut pair = BytesMut::new();
                put_pair(first, second, &mut pair, version.features().varint);
                let mut one_by_one = BytesMut::new();
                put(first, &mut one_by_one, version);
                put(second, &mut one_by_one, version);
                assert_eq!(pair, one_by_one, "{first}, {second} on {version}");
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
