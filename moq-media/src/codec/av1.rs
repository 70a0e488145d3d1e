//! AV1: `av1C`.

use bytes::Bytes;

use super::CodecError;

/// The fixed part of an `av1C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Av1Config {
    /// 0 Main, 1 High, 2 Professional.
    pub profile: u8,
    /// `seq_level_idx_0`.
    pub level: u8,
    /// Whether the tier is High.
    pub is_high_tier: bool,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// The bits from `monochrome` to `chroma_sample_position`.
    chroma: u8,
}

impl Av1Config {
    /// Reads a record.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or of another version.
    pub fn read(record: &[u8]) -> Result<Self, CodecError> {
        let head = record.first_chunk::<4>().ok_or(CodecError::Truncated {
            record: "av1C",
            field: "head",
        })?;
        if head[0] != VERSION {
            return Err(CodecError::Field {
                record: "av1C",
                field: "marker and version",
                expected: "0x81",
                found: head[0].into(),
            });
        }
        let bit_depth = match (head[2] & 0x40 != 0, head[2] & 0x20 != 0) {
            (true, true) => 12,
            (true, false) => 10,
            (false, _) => 8,
        };
        Ok(Self {
            profile: head[1] >> 5,
            level: head[1] & 0x1f,
            is_high_tier: head[2] & 0x80 != 0,
            bit_depth,
            chroma: head[2] & 0x1f,
        })
    }

    /// What a codec string says; chroma is 4:2:0 unless the string says otherwise.
    ///
    /// # Errors
    /// [`CodecError::String`] when it is none of AV1.
    pub fn of_codec_string(codec: &str) -> Result<Self, CodecError> {
        let wrong = || CodecError::String {
            expected: "av01.0.04M.08",
            found: codec.to_owned(),
        };
        let mut fields = codec.split('.').skip(1);
        let mut field = || fields.next().ok_or_else(wrong);
        let profile = field()?.parse::<u8>().ok().filter(|profile| *profile < 3);
        let level = field()?;
        let is_high_tier = level.ends_with('H');
        let level = level.trim_end_matches(['H', 'M']).parse::<u8>().ok();
        let bit_depth = field()?.parse::<u8>().ok();
        let monochrome = fields.next() == Some("1");
        let subsampling = fields.next().unwrap_or("110");
        let digit = |at: usize| subsampling.as_bytes().get(at).map_or(0, |digit| digit & 3);
        let x = u8::from(digit(0) != 0) << 3;
        let y = u8::from(digit(1) != 0) << 2;
        Ok(Self {
            profile: profile.ok_or_else(wrong)?,
            level: level.filter(|level| *level < 32).ok_or_else(wrong)?,
            is_high_tier,
            bit_depth: bit_depth
                .filter(|depth| matches!(depth, 8 | 10 | 12))
                .ok_or_else(wrong)?,
            chroma: u8::from(monochrome) << 4 | x | y | digit(2),
        })
    }

    /// The record, without the bitstream headers that may follow it.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let depth = match self.bit_depth {
            12 => 0x60,
            10 => 0x40,
            _ => 0,
        };
        let shape = u8::from(self.is_high_tier) << 7 | depth | self.chroma;
        Bytes::from(vec![VERSION, self.profile << 5 | self.level, shape, 0])
    }

    /// The WebCodecs string.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let tier = if self.is_high_tier { 'H' } else { 'M' };
        let Self {
            profile,
            level,
            bit_depth,
            ..
        } = self;
        format!("av01.{profile}.{level:02}{tier}.{bit_depth:02}")
    }
}

const VERSION: u8 = 0x81;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_and_record_agree() {
        let record = [0x81, 0x04, 0x0c, 0x00];
        let config = Av1Config::read(&record).unwrap();
        assert_eq!(config.codec_string(), "av01.0.04M.08");
        assert_eq!(Av1Config::of_codec_string("av01.0.04M.08"), Ok(config));
        assert_eq!(&config.write()[..], record);
        let deep = Av1Config::of_codec_string("av01.0.13H.10.0.110").unwrap();
        assert_eq!(deep.codec_string(), "av01.0.13H.10");
        assert_eq!(Av1Config::read(&deep.write()), Ok(deep));
    }

    #[test]
    fn wrong_input_is_an_error() {
        assert!(Av1Config::read(&[0x81, 4]).is_err());
        assert!(Av1Config::read(&[1, 4, 12, 0]).is_err());
        for codec in ["av01", "av01.0.40M.08", "av01.7.04M.08", "av01.0.04M.09"] {
            assert!(Av1Config::of_codec_string(codec).is_err(), "{codec}");
        }
    }
}
