//! Supplemental enhancement information: messages beside the pictures.

use crate::payload::Payload;

/// Whether a unit of the sample, between these places behind its first byte, has a recovery point.
pub(crate) fn has_recovery_point(sample: &Payload, start: usize, end: usize) -> bool {
    let mut bytes = Bytes {
        sample,
        at: start,
        end: end.min(start.saturating_add(LIMIT)),
        zeros: 0,
    };
    loop {
        let (Some(kind), Some(size)) = (bytes.number(), bytes.number()) else {
            return false;
        };
        if kind == RECOVERY_POINT {
            return true;
        }
        for _ in 0..size {
            if bytes.next().is_none() {
                return false;
            }
        }
        // What is left may be the bit that ends the unit.
        if bytes.at + 1 >= bytes.end {
            return false;
        }
    }
}

/// The bytes of a unit, without those that keep start codes out of it.
struct Bytes<'a> {
    sample: &'a Payload,
    at: usize,
    end: usize,
    zeros: usize,
}

impl Bytes<'_> {
    /// A sum of bytes, of which all but the last are 255.
    fn number(&mut self) -> Option<usize> {
        let mut sum = 0;
        loop {
            let byte = self.next()?;
            sum += usize::from(byte);
            if byte != u8::MAX {
                return Some(sum);
            }
        }
    }
}

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.at >= self.end {
            return None;
        }
        let [mut byte] = self.sample.read(self.at)?;
        self.at += 1;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            if self.at >= self.end {
                return None;
            }
            [byte] = self.sample.read(self.at)?;
            self.at += 1;
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        Some(byte)
    }
}

const RECOVERY_POINT: usize = 6;

/// Bytes of a unit that are looked at.
const LIMIT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn has(unit: &[u8]) -> bool {
        let sample = Payload::from(bytes::Bytes::copy_from_slice(unit));
        has_recovery_point(&sample, 0, unit.len())
    }

    #[test]
    fn messages_before_it_are_passed_over() {
        assert!(has(&[6, 1, 0xc4, 0x80]));
        assert!(has(&[1, 2, 0xaa, 0xbb, 6, 1, 0xc4, 0x80]));
        // Two zeros, a byte that keeps them apart, and a one.
        assert!(has(&[1, 3, 0, 0, 3, 1, 6, 1, 0xc4, 0x80]));
        let long = [&[5, 255, 1][..], &[9; 256], &[6, 1, 0xc4, 0x80]].concat();
        assert!(has(&long));
    }

    #[test]
    fn other_messages_and_cut_ones_have_none() {
        for unit in [&[][..], &[1], &[1, 1, 6, 0x80], &[1, 9, 6, 6], &[255; 9]] {
            assert!(!has(unit), "{unit:?}");
        }
    }
}
