//! H.264: `avcC` and sequence parameter sets.

pub(crate) mod sei;
mod slice;
mod sps;

pub use sps::Sps;

pub(crate) use slice::Slice;
pub(crate) use sps::Order;

use bytes::Bytes;

use super::CodecError;

/// An `avcC`: profile, level and parameter sets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Avcc {
    /// `profile_idc`, the constraint flags and `level_idc`.
    pub profile: [u8; 3],
    /// Bytes of a NAL unit's length, 1 to 4.
    pub length_size: usize,
    /// All sequence parameter sets.
    pub sps: Vec<Bytes>,
    /// All picture parameter sets.
    pub pps: Vec<Bytes>,
}

impl Avcc {
    /// Reads a record.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or of another version.
    pub fn read(record: &Bytes) -> Result<Self, CodecError> {
        let head = record.first_chunk::<6>().ok_or_else(|| cut("head"))?;
        let [version, profile, constraints, level, lengths, count] = *head;
        if version != 1 {
            return Err(CodecError::Field {
                record: RECORD,
                field: "configurationVersion",
                expected: "1",
                found: version.into(),
            });
        }
        let mut at = 6;
        let sps = sets(record, &mut at, count & 0x1f)?;
        let count = *record
            .get(at)
            .ok_or_else(|| cut("numOfPictureParameterSets"))?;
        at += 1;
        let pps = sets(record, &mut at, count)?;
        Ok(Self {
            profile: [profile, constraints, level],
            length_size: usize::from(lengths & 3) + 1,
            sps,
            pps,
        })
    }

    /// The record of a stream that carries its parameter sets itself; `None` without any.
    #[must_use]
    pub fn of_parameter_sets(units: &[Bytes]) -> Option<Self> {
        let of_type = |kind: u8| {
            let units = units.iter().filter(move |unit| unit_type(unit) == kind);
            units.cloned().collect::<Vec<_>>()
        };
        let (sps, pps) = (of_type(SPS), of_type(PPS));
        let profile = sps.first()?.get(1..4)?.try_into().ok()?;
        (!pps.is_empty()).then_some(Self {
            profile,
            length_size: 4,
            sps,
            pps,
        })
    }

    /// The record's bytes.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let [profile, constraints, level] = self.profile;
        let lengths = u8::try_from(self.length_size.clamp(1, 4) - 1).unwrap_or(3) | 0xfc;
        let mut record = vec![1, profile, constraints, level, lengths];
        let (sps, pps) = (&self.sps, &self.pps);
        record.push(count(sps) & 0x1f | 0xe0);
        put(&mut record, &sps[..usize::from(count(sps) & 0x1f)]);
        record.push(count(pps));
        put(&mut record, &pps[..usize::from(count(pps))]);
        if let (100 | 110 | 122 | 144, Some(sps)) =
            (profile, sps.first().and_then(|sps| Sps::read(sps).ok()))
        {
            let depth = |bits: u32| 0xf8 | u8::try_from(bits & 7).unwrap_or(0);
            let chroma = 0xfc | u8::try_from(sps.chroma_format & 3).unwrap_or(1);
            record.extend([chroma, depth(sps.luma_depth), depth(sps.chroma_depth), 0]);
        }
        record.into()
    }

    /// The WebCodecs string, with `avc1` or `avc3` in front.
    #[must_use]
    pub fn codec_string(&self, name: &str) -> String {
        let [profile, constraints, level] = self.profile;
        format!("{name}.{profile:02x}{constraints:02x}{level:02x}")
    }

    /// All parameter sets, in the order in which a decoder wants them.
    #[must_use]
    pub fn parameter_sets(&self) -> Vec<Bytes> {
        self.sps.iter().chain(&self.pps).cloned().collect()
    }
}

/// The NAL unit's type; 0 for an empty one.
#[must_use]
pub fn unit_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| head & 0x1f)
}

fn sets(record: &Bytes, at: &mut usize, count: u8) -> Result<Vec<Bytes>, CodecError> {
    let mut found = Vec::new();
    for _ in 0..count {
        let length = record
            .get(*at..*at + 2)
            .ok_or_else(|| cut("parameter set"))?;
        let start = *at + 2;
        let end = start + usize::from(u16::from_be_bytes([length[0], length[1]]));
        if end > record.len() {
            return Err(cut("parameter set"));
        }
        found.push(record.slice(start..end));
        *at = end;
    }
    Ok(found)
}

fn count(sets: &[Bytes]) -> u8 {
    u8::try_from(sets.len()).unwrap_or(31)
}

fn put(record: &mut Vec<u8>, sets: &[Bytes]) {
    for set in sets {
        let length = u16::try_from(set.len()).unwrap_or(0);
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(&set[..usize::from(length)]);
    }
}

fn cut(field: &'static str) -> CodecError {
    CodecError::Truncated {
        record: RECORD,
        field,
    }
}

const RECORD: &str = "avcC";

const SPS: u8 = 7;

const PPS: u8 = 8;

#[cfg(test)]
mod tests;
