//! AAC: the AudioSpecificConfig, and ADTS headers.

use bytes::Bytes;

use super::CodecError;
use super::bits::Bits;

/// What an AudioSpecificConfig says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioConfig {
    /// The audio object type: 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    pub object_type: u32,
    /// Samples per second that a decoder puts out.
    pub sample_rate: u32,
    /// How many channels a decoder puts out, 0 if only the bitstream says it.
    pub channels: u32,
}

impl AudioConfig {
    /// Reads an AudioSpecificConfig.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or has a reserved rate.
    pub fn read(config: &[u8]) -> Result<Self, CodecError> {
        let mut bits = Bits::new(RECORD, config);
        let object_type = object_type(&mut bits)?;
        let core_rate = sample_rate(&mut bits)?;
        let layout = bits.read(4, "channelConfiguration")?;
        let mut channels = CHANNELS.get(layout as usize).copied().unwrap_or(0);
        let mut rate = core_rate;
        if matches!(object_type, SBR | PS) {
            rate = sample_rate(&mut bits)?;
        }
        if object_type == PS && channels == 1 {
            channels = 2;
        }
        Ok(Self {
            object_type,
            sample_rate: rate,
            channels,
        })
    }

    /// The record of AAC-LC at this rate, for streams whose catalog has none.
    #[must_use]
    pub fn low_complexity(sample_rate: u32, channels: u32) -> Bytes {
        let layout = CHANNELS.iter().position(|known| *known == channels);
        let layout = layout.and_then(|at| u64::try_from(at).ok()).unwrap_or(0);
        let index = RATES.iter().position(|known| *known == sample_rate);
        let Some(index) = index.and_then(|at| u64::try_from(at).ok()) else {
            let word = 2 << 35 | 15 << 31 | u64::from(sample_rate & 0xff_ffff) << 7 | layout << 3;
            return Bytes::copy_from_slice(&word.to_be_bytes()[3..]);
        };
        let word = 2 << 11 | index << 7 | layout << 3;
        Bytes::copy_from_slice(&word.to_be_bytes()[6..])
    }

    /// The WebCodecs string.
    #[must_use]
    pub fn codec_string(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }
}

/// The packet behind an ADTS header, or all of `packet` if it has none.
#[must_use]
pub fn without_adts(packet: &Bytes) -> Bytes {
    let Some(head) = packet.first_chunk::<7>() else {
        return packet.clone();
    };
    let is_adts = head[0] == 0xff && head[1] & 0xf6 == 0xf0;
    let length =
        usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
    let header = if head[1] & 1 == 0 { 9 } else { 7 };
    if is_adts && length == packet.len() && length >= header {
        packet.slice(header..)
    } else {
        packet.clone()
    }
}

fn object_type(bits: &mut Bits<'_>) -> Result<u32, CodecError> {
    match bits.read(5, "audioObjectType")? {
        31 => Ok(32 + bits.read(6, "audioObjectTypeExt")?),
        object_type => Ok(object_type),
    }
}

fn sample_rate(bits: &mut Bits<'_>) -> Result<u32, CodecError> {
    const FIELD: &str = "samplingFrequencyIndex";
    match bits.read(4, FIELD)? {
        15 => bits.read(24, "samplingFrequency"),
        index => {
            let rate = RATES.get(index as usize).copied();
            rate.ok_or_else(|| bits.wrong(FIELD, "0 to 12, or 15", index))
        }
    }
}

const RECORD: &str = "AudioSpecificConfig";

const SBR: u32 = 5;

const PS: u32 = 29;

const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

const CHANNELS: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 8];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_rate_counts() {
        let stereo = AudioConfig::read(&[0x11, 0x90]).unwrap();
        assert_eq!((stereo.sample_rate, stereo.channels), (48_000, 2));
        assert_eq!(stereo.codec_string(), "mp4a.40.2");
        // HE-AAC: a core of 22 050 Hz, put out at 44 100.
        let high_efficiency = AudioConfig::read(&[0x2b, 0x92, 0x08, 0x00]).unwrap();
        assert_eq!(high_efficiency.sample_rate, 44_100);
        assert_eq!(high_efficiency.codec_string(), "mp4a.40.5");
    }

    #[test]
    fn own_record_reads_back() {
        for (rate, channels) in [(48_000, 2), (44_100, 1), (47_999, 6)] {
            let config = AudioConfig::read(&AudioConfig::low_complexity(rate, channels)).unwrap();
            assert_eq!((config.sample_rate, config.channels), (rate, channels));
            assert_eq!(config.object_type, 2);
        }
    }

    #[test]
    fn wrong_input_is_an_error() {
        assert!(AudioConfig::read(&[0x11]).is_err());
        assert!(AudioConfig::read(&[]).is_err());
        let error = AudioConfig::read(&[0x16, 0x90]).unwrap_err();
        assert!(
            error.to_string().contains("samplingFrequencyIndex"),
            "{error}"
        );
    }

    #[test]
    fn adts_header_goes() {
        let packet = Bytes::from_static(&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 1, 2]);
        assert_eq!(&without_adts(&packet)[..], [1, 2]);
        let raw = Bytes::from_static(&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x5f, 0xfc, 1, 2]);
        assert_eq!(without_adts(&raw), raw);
    }
}
