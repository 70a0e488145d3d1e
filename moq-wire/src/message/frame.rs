//! Runs of frames, on Group streams after the header and as the answer on Fetch streams.

use bytes::{Buf, BufMut, BytesMut};

use crate::error::{DecodeError, EncodeError};
use crate::features::VarIntForm;
use crate::varint;
use crate::version::Version;

/// Writes the headers of the frames of one stream. Timestamps are written as steps from one to the next.
///
/// Draft: FRAME.
#[derive(Debug, Clone)]
pub struct FrameEncoder {
    version: Version,
    /// How timestamps are written, where frames carry them.
    stamps: Option<VarIntForm>,
    previous: u64,
}

impl FrameEncoder {
    /// An encoder for a stream without any frame yet.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let features = version.features();
        Self {
            version,
            stamps: features.timestamps.then_some(features.varint),
            previous: 0,
        }
    }

    /// Appends the header of the next frame; its payload of `len` bytes has to follow.
    ///
    /// The timestamp is in units of the track's timescale. Drafts without timestamps ignore it.
    ///
    /// # Errors
    /// [`EncodeError::Timestamp`] if the timestamp, or the step from the one before, is too large;
    /// [`DecodeError::VarInt`] in [`EncodeError::Refused`] if `len` is. Nothing is appended then, and
    /// the encoder is as before.
    ///
    /// # Panics
    /// If `buf` cannot grow and has less than 18 bytes left.
    ///
    /// Draft: FRAME.
    #[inline]
    pub fn header(
        &mut self,
        timestamp: u64,
        len: usize,
        buf: &mut impl BufMut,
    ) -> Result<(), EncodeError> {
        let len = len as u64;
        let Some(form) = self.stamps else {
            return varint::put(len, buf, self.version);
        };
        let delta = delta(self.previous, timestamp).ok_or(EncodeError::Timestamp)?;
        varint::put_pair(delta, len, buf, form)?;
        self.previous = timestamp;
        Ok(())
    }
}

/// What precedes a frame's payload.
///
/// Draft: FRAME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// In units of the track's timescale, at most 62 bits; `None` where the draft has no timestamps.
    pub timestamp: Option<u64>,
    /// Bytes of payload that follow, as far as the sender says.
    pub len: u64,
}

/// Reads the headers of the frames of one stream.
///
/// Draft: FRAME.
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    version: Version,
    previous: u64,
}

impl FrameDecoder {
    /// A decoder for a stream without any frame yet.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            previous: 0,
        }
    }

    /// Takes the next frame's header off the front of `buf`, where its payload is the caller's to
    /// take before the next call.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::NegativeTimestamp`], [`DecodeError::TimestampOverflow`] and [`DecodeError::VarInt`];
    /// nothing is taken then.
    ///
    /// Draft: FRAME.
    #[inline]
    pub fn header(&mut self, buf: &mut BytesMut) -> Result<Option<FrameHeader>, DecodeError> {
        let mut start = 0;
        let mut timestamp = None;
        if self.version.features().timestamps {
            let Some((delta, size)) = varint::peek(buf, self.version)? else {
                return Ok(None);
            };
            timestamp = Some(apply(self.previous, delta)?);
            start = size;
        }
        let rest = buf.get(start..).unwrap_or_default();
        let Some((len, size)) = varint::peek(rest, self.version)? else {
            return Ok(None);
        };
        buf.advance(start + size);
        self.previous = timestamp.unwrap_or(self.previous);
        Ok(Some(FrameHeader { timestamp, len }))
    }
}

/// The step from one timestamp to the next: twice its size, less one if it goes back.
#[inline]
fn delta(previous: u64, timestamp: u64) -> Option<u64> {
    // Where both are below 2^62, neither their difference nor twice that leaves an i64.
    let step = timestamp.wrapping_sub(previous).cast_signed();
    let delta = ((step << 1) ^ (step >> 63)).cast_unsigned();
    // Neither has a bit that the largest integer lacks.
    (timestamp | delta <= varint::MAX).then_some(delta)
}

/// The timestamp that is `delta` away from `previous`.
fn apply(previous: u64, delta: u64) -> Result<u64, DecodeError> {
    if delta % 2 == 1 {
        previous
            .checked_sub(delta / 2 + 1)
            .ok_or(DecodeError::NegativeTimestamp)
    } else {
        let sum = previous
            .checked_add(delta / 2)
            .filter(|&sum| sum <= varint::MAX);
        sum.ok_or(DecodeError::TimestampOverflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::Lite06;

    #[test]
    fn steps_alternate_between_forward_and_back() {
        for (previous, timestamp, step) in [
            (5, 5, 0),
            (5, 4, 1),
            (5, 6, 2),
            (5, 3, 3),
            (5, 7, 4),
            (270_000, 264_000, 11_999),
        ] {
            assert_eq!(delta(previous, timestamp), Some(step));
            assert_eq!(apply(previous, step), Ok(timestamp));
        }
        assert_eq!(delta(1 << 61, 1 << 62), None);
    }

    // spec: FRAME, "never below zero"
    #[test]
    fn timestamps_stay_within_bounds() {
        assert_eq!(apply(0, 1), Err(DecodeError::NegativeTimestamp));
        assert_eq!(apply(3, 7), Err(DecodeError::NegativeTimestamp));
        assert_eq!(apply(varint::MAX, 2), Err(DecodeError::TimestampOverflow));
        assert_eq!(apply(varint::MAX, 0), Ok(varint::MAX));
    }

    #[test]
    fn a_step_that_has_no_spelling_writes_nothing() {
        let mut encoder = FrameEncoder::new(VERSION);
        let mut buf = BytesMut::new();
        for timestamp in [varint::MAX, varint::MAX + 1, u64::MAX, 1 << 61] {
            assert_eq!(
                encoder.header(timestamp, 0, &mut buf),
                Err(EncodeError::Timestamp)
            );
        }
        assert!(buf.is_empty());
        assert_eq!(encoder.header((1 << 61) - 1, 0, &mut buf), Ok(()));
        assert_eq!(
            encoder.header(varint::MAX, 0, &mut buf),
            Err(EncodeError::Timestamp)
        );
        assert_eq!(encoder.header(varint::MAX - 1, 0, &mut buf), Ok(()));
    }

    #[test]
    fn a_length_that_has_no_spelling_changes_nothing() {
        let refused = Err(EncodeError::Refused(DecodeError::VarInt));
        for version in [Version::Lite04, VERSION] {
            let mut encoder = FrameEncoder::new(version);
            let mut buf = BytesMut::new();
            assert_eq!(encoder.header(7, usize::MAX, &mut buf), refused);
            assert!(buf.is_empty());
            assert_eq!(encoder.header(7, 5, &mut buf), Ok(()));
            let header = FrameDecoder::new(version).header(&mut buf);
            let timestamp = version.features().timestamps.then_some(7);
            assert_eq!(header, Ok(Some(FrameHeader { timestamp, len: 5 })));
        }
    }

    #[test]
    fn a_bad_timestamp_shows_before_the_length_is_there() {
        let mut decoder = FrameDecoder::new(VERSION);
        assert_eq!(
            decoder.header(&mut BytesMut::from(&[1][..])),
            Err(DecodeError::NegativeTimestamp)
        );
    }

    #[test]
    fn a_header_cut_short_changes_nothing() {
        let mut decoder = FrameDecoder::new(VERSION);
        let mut buf = BytesMut::from(&[0x80, 0x05, 0x7e][..]);
        assert_eq!(decoder.header(&mut buf), Ok(None));
        buf.extend_from_slice(&[0x40]);
        assert_eq!(decoder.header(&mut buf), Ok(None));
        buf.extend_from_slice(&[5]);
        let header = FrameHeader {
            timestamp: Some(180_000),
            len: 5,
        };
        assert_eq!(decoder.header(&mut buf), Ok(Some(header)));
        assert!(buf.is_empty());
    }
}
