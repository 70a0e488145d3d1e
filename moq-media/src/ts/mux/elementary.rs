//! Samples → what a PES packet carries.

use bytes::Bytes;

use super::TsError;
use crate::codec::aac::AudioConfig;
use crate::codec::h264::{self, Avcc};
use crate::codec::h265::{self, Hvcc};
use crate::codec::{CodecError, Family, Media, nal};
use crate::fmp4::SampleEntry;
use crate::payload::Payload;

/// How the samples of a track are written.
#[derive(Debug)]
pub(super) enum Written {
    H264(Units),
    H265(Units),
    /// The third byte of an ADTS header, and what the fourth begins with.
    Aac([u8; 2]),
    Opus {
        channels: u8,
    },
}

/// NAL units.
#[derive(Debug)]
pub(super) struct Units {
    length_size: usize,
    /// Parameter sets, for key frames that lack them.
    sets: Vec<Bytes>,
}

impl Written {
    /// # Errors
    /// [`TsError`] when the track can't be written.
    pub(super) fn of(entry: &SampleEntry) -> Result<Self, TsError> {
        let config = &entry.config;
        let record = config.description.clone().unwrap_or_default();
        let length_size = entry.nal_length_size;
        match Family::of(&config.codec) {
            Some(Family::H264) => {
                let sets = Avcc::read(&record)?.parameter_sets();
                Ok(Self::H264(Units { length_size, sets }))
            }
            Some(Family::H265) => {
                let sets = Hvcc::read(&record)?.sets;
                Ok(Self::H265(Units { length_size, sets }))
            }
            Some(Family::Aac) => adts(&record, config.media).map(Self::Aac),
            Some(Family::Opus) => match config.media {
                Media::Audio {
                    channels: channels @ 1..=2,
                    ..
                } => Ok(Self::Opus {
                    channels: u8::try_from(channels).unwrap_or(2),
                }),
                _ => Err(TsError::Unsupported(
                    "Opus of more than two channels".to_owned(),
                )),
            },
            _ => Err(TsError::Unsupported(config.codec.clone())),
        }
    }

    pub(super) fn is_video(&self) -> bool {
        matches!(self, Self::H264(_) | Self::H265(_))
    }

    /// What its PES packets begin with.
    pub(super) fn stream_id(&self) -> u8 {
        match self {
            Self::H264(_) | Self::H265(_) => 0xe0,
            Self::Aac(_) => 0xc0,
            Self::Opus { .. } => 0xbd,
        }
    }

    /// Its entry in a PMT.
    pub(super) fn describe(&self, pid: u16) -> Vec<u8> {
        let (kind, descriptors) = match self {
            Self::H264(_) => (0x1b, Vec::new()),
            Self::H265(_) => (0x24, Vec::new()),
            Self::Aac(_) => (0x0f, Vec::new()),
            Self::Opus { channels } => (
                0x06,
                [&b"\x05\x04Opus\x7f\x02\x80"[..], &[*channels]].concat(),
            ),
        };
        let [high, low] = pid.to_be_bytes();
        let length = u8::try_from(descriptors.len()).unwrap_or(0);
        [&[kind, high | 0xe0, low, 0xf0, length][..], &descriptors].concat()
    }

    /// What a PES packet carries of a sample.
    ///
    /// # Errors
    /// [`CodecError`] when a NAL unit reaches beyond the sample.
    pub(super) fn payload(&self, sample: &Payload, is_key: bool) -> Result<Vec<u8>, CodecError> {
        let mut payload = Vec::with_capacity(sample.len() + 64);
        match self {
            Self::H264(units) => {
                let kind = |head: u8| h264::unit_type(&[head]);
                units.write(sample, is_key, (&[9, 0xf0], kind, [9, 7]), &mut payload)?;
            }
            Self::H265(units) => {
                let kind = |head: u8| h265::unit_type(&[head]);
                units.write(
                    sample,
                    is_key,
                    (&[0x46, 1, 0x50], kind, [35, 33]),
                    &mut payload,
                )?;
            }
            Self::Aac([rate, layout]) => {
                let whole = u16::try_from(sample.len() + 7).unwrap_or(u16::MAX);
                // Thirteen bits, from the last two of the fourth byte on.
                let [_, high, middle, low] = (u32::from(whole.min(0x1fff)) << 5).to_be_bytes();
                payload.extend([0xff, 0xf1, *rate, layout | high, middle, low | 0x1f, 0xfc]);
                sample.copy_to(&mut payload);
            }
            Self::Opus { .. } => {
                payload.extend([0x7f, 0xe0]);
                payload.extend(std::iter::repeat_n(0xff, sample.len() / 255));
                payload.push(u8::try_from(sample.len() % 255).unwrap_or(0));
                sample.copy_to(&mut payload);
            }
        }
        Ok(payload)
    }
}

/// An access unit delimiter, how types are read, and the types of a delimiter and of an SPS.
type Syntax<'a> = (&'a [u8], fn(u8) -> u8, [u8; 2]);

impl Units {
    /// Writes a sample with start codes, with a delimiter in front and the parameter sets, if they lack.
    fn write(
        &self,
        sample: &Payload,
        is_key: bool,
        (delimiter, kind, [of_delimiter, of_sps]): Syntax<'_>,
        to: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let mut has_sets = false;
        let mut ranges = Vec::new();
        for range in nal::with_lengths(sample, self.length_size) {
            let (start, end) = range?;
            let unit = sample.read::<1>(start).map(|[head]| kind(head));
            has_sets |= unit == Some(of_sps);
            if unit != Some(of_delimiter) && end > start {
                ranges.push((start, end));
            }
        }
        put(to, delimiter);
        if is_key && !has_sets {
            self.sets.iter().for_each(|set| put(to, set));
        }
        for (start, end) in ranges {
            to.extend_from_slice(&START_CODE);
            if let Some(unit) = sample.slice(start, end) {
                unit.copy_to(to);
            }
        }
        Ok(())
    }
}

fn put(to: &mut Vec<u8>, unit: &[u8]) {
    to.extend_from_slice(&START_CODE);
    to.extend_from_slice(unit);
}

/// What ADTS headers of a stream have in common.
fn adts(record: &Bytes, media: Media) -> Result<[u8; 2], TsError> {
    let record = match media {
        Media::Audio {
            sample_rate,
            channels,
        } if record.is_empty() => AudioConfig::low_complexity(sample_rate, channels),
        _ => record.clone(),
    };
    let head = record.first_chunk::<2>();
    let [first, second] = *head.ok_or(CodecError::Truncated {
        record: "AudioSpecificConfig",
        field: "head",
    })?;
    let index = (first & 7) << 1 | second >> 7;
    let layout = second >> 3 & 0xf;
    let profile = match first >> 3 {
        kind @ 1..=4 => kind - 1,
        // What is added to AAC-LC is found in the bitstream.
        5 | 29 => 1,
        kind => return Err(TsError::Unsupported(format!("mp4a.40.{kind}"))),
    };
    if index > 12 || layout > 7 {
        let what = "AAC with a rate or channels that ADTS has no number for";
        return Err(TsError::Unsupported(what.to_owned()));
    }
    let rate = profile << 6 | index << 2 | layout >> 2;
    Ok([rate, layout << 6])
}

const START_CODE: [u8; 4] = [0, 0, 0, 1];
