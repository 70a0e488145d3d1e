//! Variable-length integers of up to 62 bits, in the form that the draft says.

use bytes::{Buf, BufMut, BytesMut};

use crate::error::{DecodeError, EncodeError};
use crate::features::VarIntForm;
use crate::version::Version;

/// Runs `$put` with `$tagged`, a number whose last `$SIZE` bytes spell `$value`, or refuses a `$value`
/// above [`MAX`]. That size is a constant, because a write of a size that is known costs a few
/// instructions, and one of any size costs a call.
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
        } else if $value <= MAX {
            const $SIZE: usize = 8;
            let $tagged = 0xc000_0000_0000_0000 | $value;
            $put
        } else {
            too_large()
        }
    };
}

/// The largest value that can be written: 2^62 - 1.
pub const MAX: u64 = (1 << 62) - 1;

/// The bytes [`put`] needs for `value`, which is at most [`MAX`].
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

/// Appends `value` in its shortest form.
///
/// # Errors
/// [`DecodeError::VarInt`] in [`EncodeError::Refused`] if `value` is above [`MAX`]; nothing is appended
/// then.
///
/// # Panics
/// If `buf` cannot grow and has less than [`size`] bytes left.
#[inline(always)]
pub fn put(value: u64, buf: &mut impl BufMut, version: Version) -> Result<(), EncodeError> {
    match version.features().varint {
        VarIntForm::Quic => put_quic(value, buf),
        VarIntForm::LeadingOnes => put_leading_ones(value, buf),
    }
}

/// What is answered to a value that no form has room for.
#[inline(always)]
fn too_large() -> Result<(), EncodeError> {
    Err(EncodeError::Refused(DecodeError::VarInt))
}

/// Appends two values as [`put`] does, in one write: to look whether there is room is most of what an
/// append costs.
#[inline(always)]
pub(crate) fn put_pair(
    first: u64,
    second: u64,
    buf: &mut impl BufMut,
    form: VarIntForm,
) -> Result<(), EncodeError> {
    match form {
        VarIntForm::Quic => {
            quic!(first, head, A => {
                quic!(second, tail, B => {
                    let both = u128::from(head) << (8 * B) | u128::from(tail);
                    buf.put_slice(&both.to_be_bytes()[16 - A - B..]);
                    Ok(())
                })
            })
        }
        VarIntForm::LeadingOnes => {
            if second > MAX {
                return too_large();
            }
            put_leading_ones(first, buf)?;
            put_leading_ones(second, buf)
        }
    }
}

/// Takes one integer of 1 to 9 bytes off the front of `buf`.
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
fn put_quic(value: u64, buf: &mut impl BufMut) -> Result<(), EncodeError> {
    quic!(value, tagged, SIZE => {
        buf.put_slice(&tagged.to_be_bytes()[8 - SIZE..]);
        Ok(())
    })
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
fn put_leading_ones(value: u64, buf: &mut impl BufMut) -> Result<(), EncodeError> {
    if value > MAX {
        return too_large();
    }
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
    Ok(())
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
mod tests;
