//! Whether decoding may begin at a sample, as the bitstream says.

use super::h264::sei;
use super::{Family, nal};
use crate::payload::Payload;

/// What a bitstream allows at a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Access {
    /// Decoding may begin here, whatever came before.
    Full,
    /// Decoding may begin here, but pictures that are shown earlier refer to what came before.
    Open,
    /// The sample needs others before it.
    None,
}

/// Looks into a video sample with NAL lengths of `length_size` bytes; `None` if the codec's
/// bitstream does not say, or is malformed.
#[must_use]
pub fn access(family: Family, sample: &Payload, length_size: usize) -> Option<Access> {
    match family {
        Family::H264 => h264(sample, length_size),
        Family::H265 => units(sample, length_size, |[head, _]| match head >> 1 & 0x3f {
            19 | 20 => Some(Access::Full),
            16..=18 | 21 => Some(Access::Open),
            0..=15 => Some(Access::None),
            _ => None,
        }),
        Family::Av1 => av1(sample),
        Family::Vp9 => vp9(sample),
        Family::Vp8 => {
            let [head] = sample.read(0)?;
            Some(if head & 1 == 0 {
                Access::Full
            } else {
                Access::None
            })
        }
        _ => None,
    }
}

/// A picture that is no IDR says by a recovery point (SEI) that decoding may begin at it, as open groups
/// of pictures and intra refresh have it.
fn h264(sample: &Payload, length_size: usize) -> Option<Access> {
    let mut recovers = false;
    let units = nal::with_lengths(sample, length_size).map_while(Result::ok);
    for (start, end) in units.filter(|(start, end)| end > start) {
        let [head] = sample.read(start)?;
        match head & 0x1f {
            5 => return Some(Access::Full),
            1 if recovers => return Some(Access::Open),
            1 => return Some(Access::None),
            6 => recovers |= sei::has_recovery_point(sample, start + 1, end),
            _ => {}
        }
    }
    None
}

/// What the first slice says.
fn units(
    sample: &Payload,
    length_size: usize,
    says: impl Fn([u8; 2]) -> Option<Access>,
) -> Option<Access> {
    nal::with_lengths(sample, length_size)
        .map_while(Result::ok)
        .filter(|(start, end)| end > start)
        .find_map(|(start, end)| {
            let [head] = sample.read(start)?;
            let next = if end - start > 1 {
                sample.read(start + 1)?
            } else {
                [0]
            };
            says([head, next[0]])
        })
}

/// A key frame of AV1 comes with a sequence header in front of it.
fn av1(sample: &Payload) -> Option<Access> {
    let mut at = 0;
    for _ in 0..MAX_OBUS {
        let Some([head]) = sample.read(at) else {
            return (at > 0).then_some(Access::None);
        };
        if head >> 3 & 0xf == SEQUENCE_HEADER {
            return Some(Access::Full);
        }
        let has_extension = head & 4 != 0;
        if head & 2 == 0 {
            return Some(Access::None);
        }
        at += 1 + usize::from(has_extension);
        let (size, len) = leb128(sample, at)?;
        at = at.checked_add(len)?.checked_add(size)?;
    }
    Some(Access::None)
}

fn leb128(sample: &Payload, at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for index in 0..4 {
        let [byte] = sample.read(at + index)?;
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

fn vp9(sample: &Payload) -> Option<Access> {
    let [head] = sample.read(0)?;
    if head >> 6 != 2 {
        return None;
    }
    // Profile 3 has a reserved bit more.
    let shift = if head >> 4 & 3 == 3 { 1 } else { 0 };
    let shows_existing = head >> (3 - shift) & 1 == 1;
    let is_inter = head >> (2 - shift) & 1 == 1;
    let needs_others = shows_existing || is_inter;
    Some(if needs_others {
        Access::None
    } else {
        Access::Full
    })
}

const SEQUENCE_HEADER: u8 = 1;

/// More than any encoder puts into a sample before its key frame.
const MAX_OBUS: usize = 64;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn says(family: Family, sample: &'static [u8]) -> Option<Access> {
        access(family, &Payload::from(Bytes::from_static(sample)), 4)
    }

    #[test]
    fn h264_looks_at_the_first_slice() {
        const IDR: &[u8] = &[0, 0, 0, 1, 0x06, 0, 0, 0, 2, 0x65, 0x88];
        assert_eq!(says(Family::H264, IDR), Some(Access::Full));
        assert_eq!(says(Family::H264, &[0, 0, 0, 1, 0x41]), Some(Access::None));
        assert_eq!(says(Family::H264, &[0, 0, 0, 9, 0x65]), None);
        assert_eq!(says(Family::H264, &[0, 0, 0, 0]), None);
    }

    #[test]
    fn h264_recovery_point_opens_a_group_of_pictures() {
        const POINT: &[u8] = &[
            0, 0, 0, 4, 0x06, 6, 1, 0xc4, 0, 0, 0, 1, 0x80, 0, 0, 0, 1, 0x41,
        ];
        assert_eq!(says(Family::H264, POINT), Some(Access::Open));
        const IDR: &[u8] = &[0, 0, 0, 4, 0x06, 6, 1, 0xc4, 0, 0, 0, 1, 0x65];
        assert_eq!(says(Family::H264, IDR), Some(Access::Full));
        const OTHER: &[u8] = &[0, 0, 0, 4, 0x06, 1, 1, 6, 0, 0, 0, 1, 0x41];
        assert_eq!(says(Family::H264, OTHER), Some(Access::None));
    }

    #[test]
    fn h265_tells_idr_from_cra() {
        assert_eq!(
            says(Family::H265, &[0, 0, 0, 2, 0x26, 1]),
            Some(Access::Full)
        );
        assert_eq!(
            says(Family::H265, &[0, 0, 0, 2, 0x2a, 1]),
            Some(Access::Open)
        );
        assert_eq!(
            says(Family::H265, &[0, 0, 0, 2, 0x02, 1]),
            Some(Access::None)
        );
    }

    #[test]
    fn av1_vp9_and_vp8_key_frames_are_known() {
        assert_eq!(
            says(Family::Av1, &[0x12, 0, 0x0a, 1, 0]),
            Some(Access::Full)
        );
        assert_eq!(
            says(Family::Av1, &[0x12, 0, 0x32, 1, 0]),
            Some(Access::None)
        );
        assert_eq!(says(Family::Vp9, &[0x82]), Some(Access::Full));
        assert_eq!(says(Family::Vp9, &[0x86]), Some(Access::None));
        assert_eq!(says(Family::Vp8, &[0x10]), Some(Access::Full));
        assert_eq!(says(Family::Vp8, &[0x11]), Some(Access::None));
        assert_eq!(says(Family::Opus, &[0x11]), None);
    }
}
