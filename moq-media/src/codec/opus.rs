//! Opus: `dOps` and the `OpusHead` of Ogg, which WebCodecs takes.

use bytes::Bytes;

use super::CodecError;

/// What both records say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpusConfig {
    /// How many channels there are.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder throws away at the start.
    pub pre_skip: u16,
    /// The rate of what was encoded; decoders put out 48 kHz.
    pub input_rate: u32,
    /// A gain in 1/256 dB.
    pub gain: i16,
    /// The mapping family, and behind it the mapping table if the family has one.
    pub mapping: Bytes,
}

impl OpusConfig {
    /// The configuration of a stream that says no more than its channels.
    #[must_use]
    pub fn new(channels: u8) -> Self {
        Self {
            channels,
            pre_skip: USUAL_PRE_SKIP,
            input_rate: 48_000,
            gain: 0,
            mapping: Bytes::from_static(&[0]),
        }
    }

    /// Reads a `dOps`.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or of another version.
    pub fn read_dops(record: &Bytes) -> Result<Self, CodecError> {
        let head = record.first_chunk::<11>().ok_or_else(|| cut("dOps"))?;
        check_version("dOps", head[0], 0)?;
        Ok(Self {
            channels: head[1],
            pre_skip: u16::from_be_bytes([head[2], head[3]]),
            input_rate: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            gain: i16::from_be_bytes([head[8], head[9]]),
            mapping: record.slice(10..),
        })
    }

    /// Reads an `OpusHead`.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or of another version.
    pub fn read_head(record: &Bytes) -> Result<Self, CodecError> {
        let is_head = record.starts_with(MAGIC);
        let head = record
            .get(8..19)
            .filter(|_| is_head)
            .ok_or_else(|| cut("OpusHead"))?;
        // Only the upper half of the version says that it can't be read.
        check_version("OpusHead", head[0] & 0xf0, 0)?;
        Ok(Self {
            channels: head[1],
            pre_skip: u16::from_le_bytes([head[2], head[3]]),
            input_rate: u32::from_le_bytes([head[4], head[5], head[6], head[7]]),
            gain: i16::from_le_bytes([head[8], head[9]]),
            mapping: record.slice(18..),
        })
    }

    /// The body of a `dOps`.
    #[must_use]
    pub fn write_dops(&self) -> Bytes {
        let mut record = vec![0, self.channels];
        record.extend_from_slice(&self.pre_skip.to_be_bytes());
        record.extend_from_slice(&self.input_rate.to_be_bytes());
        record.extend_from_slice(&self.gain.to_be_bytes());
        record.extend_from_slice(&self.mapping);
        record.into()
    }

    /// The `OpusHead`, which WebCodecs wants for more than two channels.
    #[must_use]
    pub fn write_head(&self) -> Bytes {
        let mut record = MAGIC.to_vec();
        record.extend([1, self.channels]);
        record.extend_from_slice(&self.pre_skip.to_le_bytes());
        record.extend_from_slice(&self.input_rate.to_le_bytes());
        record.extend_from_slice(&self.gain.to_le_bytes());
        record.extend_from_slice(&self.mapping);
        record.into()
    }
}

fn check_version(record: &'static str, found: u8, expected: u8) -> Result<(), CodecError> {
    if found == expected {
        return Ok(());
    }
    Err(CodecError::Field {
        record,
        field: "Version",
        expected: "one that is compatible with version 0",
        found: found.into(),
    })
}

fn cut(record: &'static str) -> CodecError {
    CodecError::Truncated {
        record,
        field: "head",
    }
}

const MAGIC: &[u8; 8] = b"OpusHead";

/// What the reference encoder asks for at 48 kHz.
const USUAL_PRE_SKIP: u16 = 312;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_carry_the_same() {
        let dops = Bytes::from_static(&[0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);
        let config = OpusConfig::read_dops(&dops).unwrap();
        assert_eq!(config, OpusConfig::new(2));
        assert_eq!(config.write_dops(), dops);
        let head = config.write_head();
        assert_eq!(&head[..12], b"OpusHead\x01\x02\x38\x01");
        assert_eq!(OpusConfig::read_head(&head), Ok(config));
    }

    #[test]
    fn wrong_input_is_an_error() {
        assert!(OpusConfig::read_dops(&Bytes::from_static(&[0; 10])).is_err());
        assert!(OpusConfig::read_dops(&Bytes::from_static(&[1; 11])).is_err());
        assert!(
            OpusConfig::read_head(&Bytes::from_static(b"OpusTags\0\0\0\0\0\0\0\0\0\0\0")).is_err()
        );
    }
}
