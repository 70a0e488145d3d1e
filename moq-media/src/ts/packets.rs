//! Bytes → packets.

use bytes::{Buf as _, Bytes, BytesMut};
use mpeg2ts_reader::packet::Packet;

/// Finds packets in what comes.
#[derive(Debug, Default)]
pub(super) struct Packets {
    buffer: BytesMut,
    /// Where in the input the buffer begins.
    offset: u64,
    is_in_step: bool,
    /// Bytes that were passed over since the last packet.
    skipped: u64,
    is_at_end: bool,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A packet, and where it begins.
    Packet(u64, Bytes),
    /// So many bytes before this place are no packets.
    Skipped(u64, u64),
}

impl Packets {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    pub(super) fn finish(&mut self) {
        self.is_at_end = true;
    }

    /// Where in the input the next packet is looked for.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that were passed over since the last packet.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Bytes in front of their packet's end.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn next(&mut self) -> Option<Found> {
        while !self.is_in_step {
            let at = self
                .buffer
                .iter()
                .position(|byte| *byte == Packet::SYNC_BYTE);
            self.skip(at.unwrap_or(self.buffer.len()));
            // One or two such bytes are chance, three in their places are not.
            let places = [Packet::SIZE, 2 * Packet::SIZE].map(|at| self.buffer.get(at));
            let is_wrong = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != Packet::SYNC_BYTE);
            if places.into_iter().any(is_wrong) {
                self.skip(1);
            } else if self.buffer.len() > 2 * Packet::SIZE {
                self.is_in_step = true;
            } else if !self.is_at_end || self.buffer.is_empty() {
                return None;
            } else if self.buffer.len() >= Packet::SIZE {
                self.is_in_step = true;
            } else {
                self.skip(1);
            }
        }
        if self.skipped > 0 {
            return Some(Found::Skipped(
                self.offset,
                std::mem::take(&mut self.skipped),
            ));
        }
        match self.buffer.first() {
            Some(&Packet::SYNC_BYTE) => {}
            Some(_) => {
                self.is_in_step = false;
                return self.next();
            }
            None => return None,
        }
        if self.buffer.len() < Packet::SIZE {
            return None;
        }
        let packet = self.buffer.split_to(Packet::SIZE).freeze();
        let at = self.offset;
        self.offset += Packet::SIZE as u64;
        Some(Found::Packet(at, packet))
    }

    fn skip(&mut self, count: usize) {
        self.buffer.advance(count);
        self.offset += count as u64;
        self.skipped += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(fill: u8) -> Vec<u8> {
        let mut packet = vec![fill; Packet::SIZE];
        packet[0] = Packet::SYNC_BYTE;
        packet
    }

    fn found(input: &[u8], size: usize) -> Vec<Found> {
        let mut packets = Packets::default();
        let mut found = Vec::new();
        for piece in input.chunks(size) {
            packets.push(piece);
            found.extend(std::iter::from_fn(|| packets.next()));
        }
        packets.finish();
        found.extend(std::iter::from_fn(|| packets.next()));
        found
    }

    #[test]
    fn packets_are_found_however_the_input_is_cut() {
        let junk = [0x47, 1, 2];
        let (first, second) = ([packet(1), packet(2)], [packet(3), packet(4)]);
        let (first, second) = (first.concat(), second.concat());
        let input = [&junk[..], &first, &packet(2), &junk, &second].concat();
        let expected = [
            Found::Skipped(3, 3),
            Found::Packet(3, packet(1).into()),
            Found::Packet(191, packet(2).into()),
        ];
        for size in [1, 7, 188, input.len()] {
            let found = found(&input, size);
            assert_eq!(found[..3], expected, "in pieces of {size}");
            assert_eq!(found.last(), Some(&Found::Packet(758, packet(4).into())));
        }
    }

    #[test]
    fn other_bytes_are_passed_over() {
        let mut packets = Packets::default();
        packets.push(&[1; 1_000]);
        assert_eq!(packets.next(), None);
        assert_eq!((packets.skipped(), packets.offset()), (1_000, 1_000));
    }
}
