//! H.264 and H.265 with start codes.

use bytes::Bytes;

use super::{Taken, Unit};
use crate::codec::h264::{self, Avcc};
use crate::codec::h265::{self, Hvcc};
use crate::codec::{Access, CodecError, Config, Family, Media, access, nal};
use crate::fmp4::SampleEntry;

/// What a video stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    H264,
    H265,
}

/// Access units → samples with lengths. The parameter sets stay in the samples.
#[derive(Debug)]
pub(crate) struct VideoStream {
    codec: Codec,
    /// The parameter sets of the last access unit that had any.
    sets: Vec<Bytes>,
    /// What a decoder has to be told; `None` until parameter sets came.
    pub(crate) entry: Option<SampleEntry>,
    /// A sample whose duration is known once the next one is decoded.
    held: Option<Unit>,
    last_duration: u32,
}

impl VideoStream {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            sets: Vec::new(),
            entry: None,
            held: None,
            last_duration: 0,
        }
    }

    /// Takes an access unit; yields the one before.
    pub(crate) fn take(&mut self, stream: &Bytes, dts: i64, pts: i64) -> Taken {
        let mut taken = Taken::default();
        taken.units.extend(self.release(Some(dts)));
        let units = nal::with_start_codes(stream);
        if units.is_empty() {
            taken.error = Some(CodecError::Truncated {
                record: "access unit",
                field: "start code",
            });
            return taken;
        }
        match self.configure(&units) {
            Ok(is_new) => taken.is_new = is_new,
            Err(error) => taken.error = Some(error),
        }
        if self.entry.is_none() {
            return taken;
        }
        let payload = nal::to_lengths(stream);
        let family = match self.codec {
            Codec::H264 => Family::H264,
            Codec::H265 => Family::H265,
        };
        let access = access(family, &payload, 4);
        self.held = Some(Unit {
            dts,
            pts,
            duration: 0,
            is_key: matches!(access, Some(Access::Full | Access::Open)),
            payload,
        });
        taken
    }

    /// The sample that is held, which lasts until `next`, or else as long as the one before.
    pub(crate) fn release(&mut self, next: Option<i64>) -> Option<Unit> {
        let mut unit = self.held.take()?;
        let lasts = next.map(|next| next.saturating_sub(unit.dts));
        let lasts = lasts.and_then(|ticks| u32::try_from(ticks).ok());
        unit.duration = lasts.unwrap_or(self.last_duration);
        self.last_duration = unit.duration;
        Some(unit)
    }

    /// Reads the parameter sets, if there are any; says whether a decoder has to be told.
    fn configure(&mut self, units: &[Bytes]) -> Result<bool, CodecError> {
        let sets = units
            .iter()
            .filter(|unit| is_parameter_set(self.codec, unit));
        let mut found: Vec<Bytes> = Vec::new();
        for set in sets {
            if !found.contains(set) {
                found.push(set.clone());
            }
        }
        let is_sps = |unit: &&Bytes| is_sps(self.codec, unit);
        let is_same = found.iter().find(is_sps) == self.sets.iter().find(is_sps);
        if found.iter().find(is_sps).is_none() || (is_same && self.entry.is_some()) {
            return Ok(false);
        }
        let Some(config) = config(self.codec, &found)? else {
            return Ok(false);
        };
        self.entry = Some(SampleEntry::of_config(config)?);
        // Slices of the input would keep all of it.
        self.sets = found
            .iter()
            .map(|set| Bytes::copy_from_slice(set))
            .collect();
        Ok(true)
    }
}

/// Whether a NAL unit is a parameter set.
fn is_parameter_set(codec: Codec, unit: &[u8]) -> bool {
    match codec {
        Codec::H264 => matches!(h264::unit_type(unit), 7 | 8),
        Codec::H265 => matches!(h265::unit_type(unit), 32..=34),
    }
}

fn is_sps(codec: Codec, unit: &[u8]) -> bool {
    match codec {
        Codec::H264 => h264::unit_type(unit) == 7,
        Codec::H265 => h265::unit_type(unit) == 33,
    }
}

/// What a decoder has to be told; `None` while a set is missing.
fn config(codec: Codec, sets: &[Bytes]) -> Result<Option<Config>, CodecError> {
    let (codec, record, sps) = match codec {
        Codec::H264 => {
            let Some(avcc) = Avcc::of_parameter_sets(sets) else {
                return Ok(None);
            };
            let sps = h264::Sps::read(&avcc.sps[0])?;
            let codec = avcc.codec_string("avc3");
            (codec, avcc.write(), (sps.width, sps.height))
        }
        Codec::H265 => {
            let hvcc = Hvcc::of_parameter_sets(sets);
            let Some((hvcc, sps)) = hvcc.and_then(|hvcc| hvcc.sps().map(|sps| (hvcc, sps))) else {
                return Ok(None);
            };
            let codec = hvcc.codec_string("hev1");
            (codec, hvcc.write(), (sps.width, sps.height))
        }
    };
    let (width, height) = sps;
    let media = Media::Video { width, height };
    Ok(Some(Config::new(codec, Some(record), media)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[
        0, 0, 0, 1, 0x67, 0x42, 0x40, 0x1e, 0xe5, 0x40, 0x50, 0x17, 0xfc, 0xa8,
    ];
    const PPS: &[u8] = &[0, 0, 0, 1, 0x68, 0xcf, 0x3c, 0x80];
    const IDR: &[u8] = &[0, 0, 1, 0x65, 0x88, 0x84];
    const DELTA: &[u8] = &[0, 0, 1, 0x41, 0x9a, 0x20];

    #[test]
    fn samples_last_until_the_next_is_decoded() {
        let mut stream = VideoStream::new(Codec::H264);
        let early = stream.take(&Bytes::from_static(DELTA), 0, 0);
        assert!(early.units.is_empty() && stream.entry.is_none());
        let first = stream.take(&[SPS, PPS, IDR].concat().into(), 3_600, 7_200);
        assert!(first.is_new && first.units.is_empty());
        let config = &stream.entry.as_ref().unwrap().config;
        assert_eq!(config.codec, "avc3.42401e");
        let size = config.media.size().unwrap();
        assert_eq!((size.width, size.height), (640, 360));
        let second = stream.take(&Bytes::from_static(DELTA), 7_000, 7_000);
        let [unit] = &second.units[..] else {
            panic!("one sample is complete");
        };
        assert_eq!((unit.dts, unit.pts, unit.duration), (3_600, 7_200, 3_400));
        assert!(unit.is_key && !second.is_new);
        let last = stream.release(None).unwrap();
        assert!(!last.is_key);
        assert_eq!(last.duration, 3_400);
    }

    #[test]
    fn repeated_parameter_sets_are_no_news() {
        let mut stream = VideoStream::new(Codec::H264);
        let key = Bytes::from([SPS, PPS, IDR].concat());
        assert!(stream.take(&key, 0, 0).is_new);
        assert!(!stream.take(&key, 1, 1).is_new);
        let mut other = key.to_vec();
        other[7] = 0x1f;
        assert!(stream.take(&other.into(), 2, 2).is_new);
    }

    #[test]
    fn what_has_no_start_code_is_an_error() {
        let mut stream = VideoStream::new(Codec::H265);
        let taken = stream.take(&Bytes::from_static(&[1, 2, 3]), 0, 0);
        let error = taken.error.unwrap().to_string();
        assert_eq!(error, "access unit ends inside its start code");
    }
}
