//! A length, a block of properties, then the codec's payload.
//!
//! A property is the difference of its id to the one before it, and a value: a varint for even ids,
//! a length and bytes for odd ones.

use bytes::Bytes;

use super::{ContainerError, varint};
use crate::payload::Payload;

/// Wraps a payload that is presented at `timestamp` microseconds.
///
/// # Errors
/// [`ContainerError::Timestamp`] above 2⁶² − 1.
pub fn encode(timestamp: u64, payload: &Payload) -> Result<Bytes, ContainerError> {
    let mut properties = Vec::with_capacity(9);
    let fits = varint::write(TIMESTAMP, &mut properties)
        .and_then(|()| varint::write(timestamp, &mut properties));
    fits.ok_or(ContainerError::Timestamp(timestamp))?;
    let mut frame = Vec::with_capacity(payload.len() + properties.len() + 1);
    let len = u64::try_from(properties.len()).unwrap_or(0);
    varint::write(len, &mut frame).ok_or(ContainerError::Timestamp(timestamp))?;
    frame.extend_from_slice(&properties);
    payload.copy_to(&mut frame);
    Ok(frame.into())
}

/// The presentation time in microseconds, and the payload as a slice of the frame.
///
/// Properties other than the timestamp and its timescale are passed over.
///
/// # Errors
/// [`ContainerError`] when a property is cut, or the timestamp is missing or out of range.
pub fn decode(mut frame: Bytes) -> Result<(u64, Bytes), ContainerError> {
    let mut reader = Reader {
        bytes: &frame,
        at: 0,
    };
    let len = reader.varint("property length")?;
    let end = reader.end_of(len, "properties")?;
    let mut block = Reader {
        bytes: &frame[..end],
        at: reader.at,
    };
    let timestamp = properties(&mut block)?;
    Ok((timestamp, frame.split_off(end)))
}

fn properties(block: &mut Reader<'_>) -> Result<u64, ContainerError> {
    let (mut id, mut timestamp, mut scale) = (0_u64, None, MICROS);
    for _ in 0..MAX_PROPERTIES {
        if block.at == block.bytes.len() {
            let timestamp = timestamp.ok_or(ContainerError::NoTimestamp)?;
            return micros(timestamp, scale);
        }
        id = id.saturating_add(block.varint("property id")?);
        let value = block.varint("property value")?;
        match id {
            TIMESTAMP => timestamp = Some(value),
            TIMESCALE => scale = value,
            id if id % 2 == 1 => block.at = block.end_of(value, "property bytes")?,
            _ => {}
        }
    }
    Err(ContainerError::TooManyProperties(MAX_PROPERTIES))
}

fn micros(timestamp: u64, scale: u64) -> Result<u64, ContainerError> {
    let wide = u128::from(timestamp) * u128::from(MICROS);
    let micros = wide.checked_div(u128::from(scale));
    let micros = micros.ok_or(ContainerError::NoTimescale)?;
    let micros = u64::try_from(micros).ok();
    micros
        .filter(|micros| *micros <= varint::MAX)
        .ok_or(ContainerError::Timestamp(timestamp))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn varint(&mut self, field: &'static str) -> Result<u64, ContainerError> {
        let offset = self.at;
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let (value, len) = varint::read(rest).ok_or(ContainerError::Truncated { field, offset })?;
        self.at += len;
        Ok(value)
    }

    /// Where `len` bytes end that begin here.
    fn end_of(&self, len: u64, field: &'static str) -> Result<usize, ContainerError> {
        let offset = self.at;
        let end = usize::try_from(len).ok();
        let end = end.and_then(|len| offset.checked_add(len));
        end.filter(|end| *end <= self.bytes.len())
            .ok_or(ContainerError::Truncated { field, offset })
    }
}

const TIMESTAMP: u64 = 0x10;

const TIMESCALE: u64 = 0x08;

const MICROS: u64 = 1_000_000;

const MAX_PROPERTIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_is_its_timestamp_and_the_payload() {
        let frame = encode(37, &Payload::from(Bytes::from_static(b"x"))).unwrap();
        assert_eq!(&frame[..], [2, 0x10, 37, b'x']);
        assert_eq!(decode(frame).unwrap(), (37, Bytes::from_static(b"x")));
    }

    #[test]
    fn timescale_and_unknown_properties_are_understood() {
        // Timescale 10, then an odd id with two bytes, then the timestamp, then an even id.
        let frame = [10, 0x08, 10, 0x03, 2, 0xff, 0xff, 0x05, 25, 0x02, 9, b'x'];
        let frame = Bytes::copy_from_slice(&frame);
        assert_eq!(
            decode(frame).unwrap(),
            (2_500_000, Bytes::from_static(b"x"))
        );
    }

    #[test]
    fn malformed_properties_are_errors() {
        for (frame, error) in [
            (
                &[0, b'x'][..],
                "LOC frame without a timestamp (property 0x10)",
            ),
            (&[9, 0x10, 1], "frame ends inside its properties, at byte 1"),
            (
                &[1, 0x10, 1],
                "frame ends inside its property value, at byte 2",
            ),
            (
                &[3, 0x11, 9, 0],
                "frame ends inside its property bytes, at byte 3",
            ),
            (
                &[4, 0x08, 0, 0x08, 1],
                "LOC frame with a timescale of 0 (property 0x08)",
            ),
            (&[], "frame ends inside its property length, at byte 0"),
        ] {
            let found = decode(Bytes::copy_from_slice(frame)).unwrap_err();
            assert_eq!(found.to_string(), error);
        }
    }
}
