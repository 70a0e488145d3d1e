//! Bytes → NAL units.

use bytes::{Buf as _, Bytes, BytesMut};

/// Cuts a stream at its start codes.
#[derive(Debug, Default)]
pub(super) struct Units {
    buffer: BytesMut,
    /// Where in the input the buffer begins.
    offset: u64,
    /// How much of the buffer has no start code.
    scanned: usize,
    /// Whether the buffer begins with a unit.
    has_begun: bool,
    is_at_end: bool,
}

impl Units {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    pub(super) fn finish(&mut self) {
        self.is_at_end = true;
    }

    /// Where in the input the next unit begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of a unit that is not complete.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the input begins with something else than a start code.
    pub(super) fn is_wrong(&self) -> bool {
        let zeros = self.buffer.iter().take_while(|byte| **byte == 0).count();
        let next = self.buffer.get(zeros);
        !self.has_begun && next.is_some_and(|byte| zeros < 2 || *byte != 1)
    }

    /// The next unit that is complete, and where it begins.
    pub(super) fn next(&mut self) -> Option<(u64, Bytes)> {
        loop {
            let Some(at) = self.start_code() else {
                if !self.is_at_end || !self.has_begun || self.buffer.is_empty() {
                    return None;
                }
                self.scanned = 0;
                let rest = self.buffer.split();
                return self.unit(rest, 0);
            };
            let unit = self.buffer.split_to(at);
            self.buffer.advance(CODE.len());
            self.scanned = 0;
            let had_begun = std::mem::replace(&mut self.has_begun, true);
            if !had_begun {
                self.offset += (at + CODE.len()) as u64;
                continue;
            }
            if let Some(unit) = self.unit(unit, CODE.len()) {
                return Some(unit);
            }
        }
    }

    /// A unit without the zeros behind it, which belong to the next start code.
    fn unit(&mut self, unit: BytesMut, behind: usize) -> Option<(u64, Bytes)> {
        let start = self.offset;
        self.offset += (unit.len() + behind) as u64;
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        let unit = unit.freeze();
        let unit = unit.slice(..unit.len() - zeros);
        (!unit.is_empty()).then_some((start, unit))
    }

    /// Where the next start code begins.
    fn start_code(&mut self) -> Option<usize> {
        let mut codes = self.buffer[self.scanned..].windows(CODE.len());
        match codes.position(|bytes| bytes == CODE) {
            Some(at) => Some(self.scanned + at),
            None => {
                self.scanned = self.buffer.len().saturating_sub(CODE.len() - 1);
                None
            }
        }
    }
}

const CODE: [u8; 3] = [0, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_the_same_however_the_input_is_cut() {
        let input = [0, 0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0, 0, 1, 0x65, 0, 2, 0];
        for size in 1..=input.len() {
            let mut units = Units::default();
            let mut found = Vec::new();
            for piece in input.chunks(size) {
                units.push(piece);
                found.extend(std::iter::from_fn(|| units.next()));
            }
            units.finish();
            found.extend(std::iter::from_fn(|| units.next()));
            let expected = [(5, &[0x67, 1][..]), (14, &[0x65, 0, 2])];
            let expected = expected.map(|(at, unit)| (at, Bytes::from_static(unit)));
            assert_eq!(found, expected, "in pieces of {size}");
            assert_eq!(units.offset(), 18);
        }
    }

    #[test]
    fn without_a_start_code_there_is_no_unit() {
        let inputs = [
            (&[0, 1, 1][..], true),
            (&[0, 0], false),
            (&[0, 0, 0, 2], true),
        ];
        for (input, is_wrong) in inputs {
            let mut units = Units::default();
            units.push(input);
            assert_eq!((units.is_wrong(), units.next()), (is_wrong, None));
        }
    }
}
