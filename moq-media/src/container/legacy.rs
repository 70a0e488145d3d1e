//! A varint of microseconds, then the codec's payload.
//!
//! An empty payload is a marker: its timestamp ends the frame before it. A group that holds one
//! marker and nothing else says that the timeline breaks there.

use bytes::Bytes;

use super::{ContainerError, varint};
use crate::payload::Payload;

/// Wraps a payload that is presented at `timestamp` microseconds.
///
/// # Errors
/// [`ContainerError::Timestamp`] above 2⁶² − 1.
pub fn encode(timestamp: u64, payload: &Payload) -> Result<Bytes, ContainerError> {
    let mut frame = Vec::with_capacity(payload.len() + 8);
    varint::write(timestamp, &mut frame).ok_or(ContainerError::Timestamp(timestamp))?;
    payload.copy_to(&mut frame);
    Ok(frame.into())
}

/// The presentation time in microseconds, and the payload as a slice of the frame.
///
/// # Errors
/// [`ContainerError::Truncated`] when the timestamp is cut.
pub fn decode(mut frame: Bytes) -> Result<(u64, Bytes), ContainerError> {
    let (timestamp, len) = varint::read(&frame).ok_or(ContainerError::Truncated {
        field: "timestamp",
        offset: 0,
    })?;
    Ok((timestamp, frame.split_off(len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_is_a_varint_and_the_payload() {
        let payload = Payload::from(Bytes::from_static(b"x"));
        let frame = encode(15_293, &payload).unwrap();
        assert_eq!(&frame[..], [0x7b, 0xbd, b'x']);
        assert_eq!(decode(frame).unwrap(), (15_293, Bytes::from_static(b"x")));
    }

    #[test]
    fn marker_is_an_empty_payload() {
        let frame = encode(5, &Payload::default()).unwrap();
        assert_eq!(decode(frame).unwrap(), (5, Bytes::new()));
    }

    #[test]
    fn cut_timestamp_is_an_error() {
        let error = decode(Bytes::from_static(&[0x7b])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "frame ends inside its timestamp, at byte 0"
        );
        assert!(encode(1 << 62, &Payload::default()).is_err());
    }
}
