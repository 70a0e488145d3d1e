//! VP9: `vpcC`, which VP8 uses as well.

use bytes::Bytes;

use super::CodecError;

/// A `vpcC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VpConfig {
    /// 0 to 3.
    pub profile: u8,
    /// Ten times the level's number: 31 is level 3.1.
    pub level: u8,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// Chroma subsampling and the full-range flag.
    shape: u8,
    /// Primaries, transfer characteristics and matrix coefficients.
    colour: [u8; 3],
}

impl VpConfig {
    /// Reads a record, from its version on.
    ///
    /// # Errors
    /// [`CodecError::Truncated`] when it is cut.
    pub fn read(record: &[u8]) -> Result<Self, CodecError> {
        let head = record.first_chunk::<10>().ok_or(CodecError::Truncated {
            record: "vpcC",
            field: "head",
        })?;
        Ok(Self {
            profile: head[4],
            level: head[5],
            bit_depth: head[6] >> 4,
            shape: head[6] & 0xf,
            colour: [head[7], head[8], head[9]],
        })
    }

    /// What a codec string says. `vp8` and a bare `vp09` say nothing, which is as good for a decoder.
    ///
    /// # Errors
    /// [`CodecError::String`] when a field of it is no number.
    pub fn of_codec_string(codec: &str) -> Result<Self, CodecError> {
        let mut fields = codec.split('.').skip(1);
        let mut field = |default: u8| match fields.next() {
            None => Ok(default),
            Some(field) => field.parse().map_err(|_| CodecError::String {
                expected: "vp09.00.31.08",
                found: codec.to_owned(),
            }),
        };
        let (profile, level, bit_depth) = (field(0)?, field(0)?, field(8)?);
        let subsampling = field(1)?;
        let colour = [field(1)?, field(1)?, field(1)?];
        let is_full_range = field(0)? == 1;
        Ok(Self {
            profile,
            level,
            bit_depth: bit_depth & 0xf,
            shape: (subsampling & 7) << 1 | u8::from(is_full_range),
            colour,
        })
    }

    /// The record, from its version on.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let [primaries, transfer, matrix] = self.colour;
        let shape = self.bit_depth << 4 | self.shape;
        let record = [
            1,
            0,
            0,
            0,
            self.profile,
            self.level,
            shape,
            primaries,
            transfer,
            matrix,
            0,
            0,
        ];
        Bytes::copy_from_slice(&record)
    }

    /// The WebCodecs string of VP9.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let Self {
            profile,
            level,
            bit_depth,
            ..
        } = self;
        format!("vp09.{profile:02}.{level:02}.{bit_depth:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_and_record_agree() {
        let record = [1, 0, 0, 0, 0, 31, 0x82, 1, 1, 1, 0, 0];
        let config = VpConfig::read(&record).unwrap();
        assert_eq!(config.codec_string(), "vp09.00.31.08");
        assert_eq!(VpConfig::of_codec_string("vp09.00.31.08"), Ok(config));
        assert_eq!(&config.write()[..], record);
    }

    #[test]
    fn wrong_input_is_an_error() {
        assert!(VpConfig::read(&[1, 0, 0, 0, 0]).is_err());
        assert!(VpConfig::of_codec_string("vp09.main").is_err());
        assert!(VpConfig::of_codec_string("vp8").is_ok());
    }
}
