//! H.265: `hvcC` and sequence parameter sets.

use bytes::Bytes;

use super::CodecError;
use super::bits::{Bits, without_emulation_prevention};

/// An `hvcC`: profile, level and parameter sets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hvcc {
    /// The 12 bytes from `general_profile_space` to `general_level_idc`.
    pub profile: [u8; 12],
    /// Bytes of a NAL unit's length, 1 to 4.
    pub length_size: usize,
    /// All video, sequence and picture parameter sets.
    pub sets: Vec<Bytes>,
}

impl Hvcc {
    /// Reads a record.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or of another version.
    pub fn read(record: &Bytes) -> Result<Self, CodecError> {
        let head = record.first_chunk::<HEAD>().ok_or_else(|| cut("head"))?;
        if head[0] != 1 {
            return Err(CodecError::Field {
                record: RECORD,
                field: "configurationVersion",
                expected: "1",
                found: head[0].into(),
            });
        }
        let mut profile = [0; 12];
        profile.copy_from_slice(&head[1..13]);
        let mut sets = Vec::new();
        let mut at = HEAD;
        for _ in 0..head[22] {
            let array = record.get(at..at + 3).ok_or_else(|| cut("array"))?;
            let count = u16::from_be_bytes([array[1], array[2]]);
            at += 3;
            for _ in 0..count {
                sets.push(unit(record, &mut at)?);
            }
        }
        sets.retain(|unit| (VPS..=PPS).contains(&unit_type(unit)));
        Ok(Self {
            profile,
            length_size: usize::from(head[21] & 3) + 1,
            sets,
        })
    }

    /// The record of a stream that carries its parameter sets itself; `None` without an SPS.
    #[must_use]
    pub fn of_parameter_sets(units: &[Bytes]) -> Option<Self> {
        let sets = units
            .iter()
            .filter(|unit| (VPS..=PPS).contains(&unit_type(unit)));
        let sets: Vec<_> = sets.cloned().collect();
        let sps = sets.iter().find(|unit| unit_type(unit) == SPS)?;
        let clean = without_emulation_prevention(sps);
        let profile = clean.get(3..15)?.try_into().ok()?;
        Some(Self {
            profile,
            length_size: 4,
            sets,
        })
    }

    /// The record's bytes.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let sps = self.sps();
        let depth = |bits: u32| 0xf8 | u8::try_from(bits & 7).unwrap_or(0);
        let lengths = u8::try_from(self.length_size.clamp(1, 4) - 1).unwrap_or(3);
        let (chroma, luma_depth, chroma_depth) = sps.map_or((1, 0, 0), |sps| {
            (sps.chroma_format, sps.luma_depth, sps.chroma_depth)
        });
        let mut record = vec![1];
        record.extend_from_slice(&self.profile);
        record.extend([0xf0, 0, 0xfc, 0xfc | u8::try_from(chroma & 3).unwrap_or(1)]);
        record.extend([
            depth(luma_depth),
            depth(chroma_depth),
            0,
            0,
            0x0c | lengths,
            3,
        ]);
        for kind in VPS..=PPS {
            let sets = self.sets.iter().filter(|unit| unit_type(unit) == kind);
            let sets: Vec<_> = sets
                .filter(|unit| u16::try_from(unit.len()).is_ok())
                .collect();
            record.push(0x80 | kind);
            record.extend_from_slice(&u16::try_from(sets.len()).unwrap_or(0).to_be_bytes());
            for unit in sets {
                record.extend_from_slice(&u16::try_from(unit.len()).unwrap_or(0).to_be_bytes());
                record.extend_from_slice(unit);
            }
        }
        record.into()
    }

    /// The first sequence parameter set, if there is one that can be read.
    #[must_use]
    pub fn sps(&self) -> Option<Sps> {
        let sps = self.sets.iter().find(|unit| unit_type(unit) == SPS)?;
        Sps::read(sps).ok()
    }

    /// The WebCodecs string, with `hvc1` or `hev1` in front.
    #[must_use]
    pub fn codec_string(&self, name: &str) -> String {
        let [head, c0, c1, c2, c3, constraints @ .., level] = self.profile;
        let space = ["", "A", "B", "C"][usize::from(head >> 6)];
        let tier = if head & 0x20 == 0 { 'L' } else { 'H' };
        let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
        let mut codec = format!(
            "{name}.{space}{}.{compatibility:X}.{tier}{level}",
            head & 0x1f
        );
        let used = constraints.iter().rposition(|byte| *byte != 0);
        for byte in &constraints[..used.map_or(0, |last| last + 1)] {
            codec.push_str(&format!(".{byte:X}"));
        }
        codec
    }
}

/// The NAL unit's type; 0 for an empty one.
#[must_use]
pub fn unit_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| head >> 1 & 0x3f)
}

/// What a sequence parameter set says of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sps {
    /// Pixels from left to right, after cropping.
    pub width: u32,
    /// Pixels from top to bottom, after cropping.
    pub height: u32,
    /// How many pictures may be decoded before one that is shown earlier.
    pub reorder: u32,
    chroma_format: u32,
    luma_depth: u32,
    chroma_depth: u32,
}

impl Sps {
    /// Reads a NAL unit of type 33, its head included.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or breaks the standard's bounds.
    pub fn read(unit: &[u8]) -> Result<Self, CodecError> {
        let clean = without_emulation_prevention(unit);
        let mut bits = Bits::new("H.265 SPS", &clean);
        bits.skip(16 + 4, "head")?;
        let layers = bits.read(3, "sps_max_sub_layers_minus1")?;
        bits.skip(1, "sps_temporal_id_nesting_flag")?;
        profile_tier_level(&mut bits, layers as usize)?;
        bits.ue("sps_seq_parameter_set_id")?;
        let chroma_format = bits.ue("chroma_format_idc")?;
        if chroma_format == 3 {
            bits.skip(1, "separate_colour_plane_flag")?;
        }
        let (mut width, mut height) = (bits.ue("pic_width")?, bits.ue("pic_height")?);
        if width > MAX_SIDE || height > MAX_SIDE {
            let found = width.max(height);
            return Err(bits.wrong("pic_width", "at most 65536 pixels a side", found));
        }
        if bits.flag("conformance_window_flag")? {
            let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma_format == 1 { 2 } else { 1 };
            let mut crop = || bits.ue("conf_win_offset");
            let (left, right, top, bottom) = (crop()?, crop()?, crop()?, crop()?);
            width = width.saturating_sub(left.saturating_add(right).saturating_mul(unit_x));
            height = height.saturating_sub(top.saturating_add(bottom).saturating_mul(unit_y));
        }
        let (luma_depth, chroma_depth) = (bits.ue("bit_depth")?, bits.ue("bit_depth")?);
        bits.ue("log2_max_pic_order_cnt_lsb_minus4")?;
        let reorder = reorder(&mut bits, layers)?;
        Ok(Self {
            width,
            height,
            reorder,
            chroma_format,
            luma_depth,
            chroma_depth,
        })
    }
}

fn profile_tier_level(bits: &mut Bits<'_>, layers: usize) -> Result<(), CodecError> {
    const FIELD: &str = "profile_tier_level";
    bits.skip(96, FIELD)?;
    let mut present = 0;
    for _ in 0..layers {
        present += if bits.flag(FIELD)? { 88 } else { 0 };
        present += if bits.flag(FIELD)? { 8 } else { 0 };
    }
    if layers > 0 {
        bits.skip(2 * (8 - layers), FIELD)?;
    }
    bits.skip(present, FIELD)
}

/// `sps_max_num_reorder_pics` of the highest layer.
fn reorder(bits: &mut Bits<'_>, layers: u32) -> Result<u32, CodecError> {
    const FIELD: &str = "sps_max_num_reorder_pics";
    let of_all = bits.flag(FIELD)?;
    let mut found = 0;
    for _ in if of_all { 0 } else { layers }..=layers {
        bits.ue(FIELD)?;
        found = bits.ue(FIELD)?;
        bits.ue(FIELD)?;
    }
    Ok(found)
}

fn unit(record: &Bytes, at: &mut usize) -> Result<Bytes, CodecError> {
    let length = record
        .get(*at..*at + 2)
        .ok_or_else(|| cut("parameter set"))?;
    let start = *at + 2;
    let end = start + usize::from(u16::from_be_bytes([length[0], length[1]]));
    if end > record.len() {
        return Err(cut("parameter set"));
    }
    *at = end;
    Ok(record.slice(start..end))
}

fn cut(field: &'static str) -> CodecError {
    CodecError::Truncated {
        record: RECORD,
        field,
    }
}

const RECORD: &str = "hvcC";

const HEAD: usize = 23;

const VPS: u8 = 32;

const SPS: u8 = 33;

const PPS: u8 = 34;

const MAX_SIDE: u32 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const VPS_MAIN: &[u8] = &[
        0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00,
        0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0x95, 0x94, 0x09,
    ];

    /// 638×358, Main, by x265 with three B-frames.
    const SPS_MAIN: &[u8] = &[
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00,
        0x03, 0x00, 0x3f, 0xa0, 0x05, 0x02, 0x01, 0x69, 0xd5, 0x65, 0x95, 0x96, 0x49, 0x32, 0xbc,
        0x05, 0xa0, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0x21,
    ];

    const PPS_MAIN: &[u8] = &[0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40];

    fn hvcc() -> Hvcc {
        let units = [VPS_MAIN, SPS_MAIN, PPS_MAIN].map(Bytes::from_static);
        Hvcc::of_parameter_sets(&units).unwrap()
    }

    #[test]
    fn sps_says_size_and_reordering() {
        let sps = Sps::read(SPS_MAIN).unwrap();
        assert_eq!((sps.width, sps.height, sps.reorder), (638, 358, 2));
        for len in 0..20 {
            assert!(Sps::read(&SPS_MAIN[..len]).is_err());
        }
    }

    #[test]
    fn record_of_parameter_sets_reads_back() {
        let hvcc = hvcc();
        assert_eq!(hvcc.codec_string("hvc1"), "hvc1.1.6.L63.90");
        let record = hvcc.write();
        assert_eq!(Hvcc::read(&record).unwrap(), hvcc);
        for len in 0..record.len() {
            assert!(Hvcc::read(&record.slice(..len)).is_err(), "{len}");
        }
    }
}
