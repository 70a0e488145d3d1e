//! NAL units: with lengths as in MP4, and with start codes as in Annex B.

use bytes::Bytes;

use super::CodecError;
use crate::payload::Payload;

/// The NAL units of a sample with lengths of `length_size` bytes, 1 to 4, as ranges of the sample.
///
/// # Errors
/// The last item is [`CodecError::Truncated`] if a unit or its length is longer than what is left.
pub fn with_lengths(
    sample: &Payload,
    length_size: usize,
) -> impl Iterator<Item = Result<(usize, usize), CodecError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= sample.len() {
            return None;
        }
        let unit = unit_at(sample, at, length_size);
        at = unit.as_ref().map_or(sample.len(), |(_, end)| *end);
        Some(unit)
    })
}

fn unit_at(sample: &Payload, at: usize, length_size: usize) -> Result<(usize, usize), CodecError> {
    let cut = CodecError::Truncated {
        record: "sample",
        field: "NAL unit",
    };
    let mut length = 0;
    for index in 0..length_size.clamp(1, 4) {
        let [byte] = sample.read(at + index).ok_or_else(|| cut.clone())?;
        length = length << 8 | usize::from(byte);
    }
    let start = at + length_size.clamp(1, 4);
    let end = start.checked_add(length).filter(|end| *end <= sample.len());
    Ok((start, end.ok_or(cut)?))
}

/// The NAL units between start codes, as slices. What is before the first start code is passed over.
#[must_use]
pub fn with_start_codes(stream: &Bytes) -> Vec<Bytes> {
    let mut units = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            if let Some(start) = start {
                units.push(trimmed(stream, start, at));
            }
            start = Some(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    if let Some(start) = start {
        units.push(trimmed(stream, start, stream.len()));
    }
    units.retain(|unit| !unit.is_empty());
    units
}

/// Zeros behind a unit belong to the next start code.
fn trimmed(stream: &Bytes, start: usize, end: usize) -> Bytes {
    let unit = &stream[start..end];
    let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
    stream.slice(start..end - zeros)
}

/// Writes a sample with lengths as a stream with start codes, `before` its own units.
///
/// # Errors
/// [`CodecError::Truncated`] when a length reaches beyond the sample.
pub fn to_start_codes(
    sample: &Payload,
    length_size: usize,
    before: &[Bytes],
) -> Result<Payload, CodecError> {
    let mut stream = Vec::with_capacity(sample.len() + 64);
    for unit in before {
        stream.extend_from_slice(&START_CODE);
        stream.extend_from_slice(unit);
    }
    for range in with_lengths(sample, length_size) {
        let (start, end) = range?;
        stream.extend_from_slice(&START_CODE);
        if let Some(unit) = sample.slice(start, end) {
            unit.copy_to(&mut stream);
        }
    }
    Ok(Bytes::from(stream).into())
}

/// Writes a stream with start codes as a sample with lengths of four bytes.
#[must_use]
pub fn to_lengths(stream: &Bytes) -> Payload {
    let mut sample = Vec::with_capacity(stream.len() + 16);
    for unit in with_start_codes(stream) {
        let length = u32::try_from(unit.len()).unwrap_or(u32::MAX);
        sample.extend_from_slice(&length.to_be_bytes());
        sample.extend_from_slice(&unit);
    }
    Bytes::from(sample).into()
}

const START_CODE: [u8; 4] = [0, 0, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_carry_the_same_units() {
        let sample = Payload::from(Bytes::from_static(&[0, 0, 0, 2, 0x67, 9, 0, 0, 0, 1, 0x65]));
        let stream = to_start_codes(&sample, 4, &[Bytes::from_static(&[0x68])]).unwrap();
        let stream = stream.to_bytes();
        let expected = [0, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x65];
        assert_eq!(&stream[..], expected);
        assert_eq!(with_start_codes(&stream).len(), 3);
        let back = to_lengths(&stream.slice(5..));
        assert_eq!(back, sample);
    }

    #[test]
    fn zeros_around_units_are_no_part_of_them() {
        let stream = Bytes::from_static(&[7, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0]);
        let units = with_start_codes(&stream);
        assert_eq!(units, [&[0x67, 1][..], &[0x65]]);
        assert!(with_start_codes(&Bytes::from_static(&[0, 0])).is_empty());
    }

    #[test]
    fn length_beyond_the_sample_is_an_error() {
        let sample = Payload::from(Bytes::from_static(&[0, 1, 9, 0xff, 0xff, 1]));
        let units: Vec<_> = with_lengths(&sample, 2).collect();
        assert_eq!(units[0], Ok((2, 3)));
        assert!(units[1].is_err());
        assert_eq!(units.len(), 2);
    }
}
