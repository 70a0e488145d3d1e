//! Input that waits to be read.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::payload::Payload;

/// Bytes in the pieces that they came in.
#[derive(Debug, Default)]
pub(super) struct Rope {
    chunks: VecDeque<Bytes>,
    /// Pieces too small to be worth a place of their own.
    tail: BytesMut,
    len: usize,
    /// How many bytes were taken out.
    offset: u64,
}

impl Rope {
    /// Adds a piece. Small ones are put together, so that bytes one by one cost no list of bytes.
    pub(super) fn push(&mut self, chunk: Bytes) {
        self.len += chunk.len();
        if chunk.len() < SMALL {
            self.tail.extend_from_slice(&chunk);
            if self.tail.len() >= SMALL {
                self.flush();
            }
        } else {
            self.flush();
            self.chunks.push_back(chunk);
        }
    }

    fn flush(&mut self) {
        if !self.tail.is_empty() {
            let full = std::mem::replace(&mut self.tail, BytesMut::with_capacity(2 * SMALL));
            self.chunks.push_back(full.freeze());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where in the input the first byte is.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The first bytes, up to 16 of them.
    pub(super) fn peek(&self) -> ([u8; 16], usize) {
        let mut found = [0; 16];
        let mut len = 0;
        for chunk in self
            .chunks
            .iter()
            .map(Bytes::as_ref)
            .chain([&self.tail[..]])
        {
            let part = chunk.len().min(found.len() - len);
            found[len..len + part].copy_from_slice(&chunk[..part]);
            len += part;
            if len == found.len() {
                break;
            }
        }
        (found, len)
    }

    /// Takes out up to `count` bytes and forgets them; how many those were.
    pub(super) fn skip(&mut self, count: u64) -> u64 {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.len);
        let mut left = count;
        while left > 0 {
            left -= self.front(left).len();
        }
        count as u64
    }

    /// Takes out `count` bytes, or all if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Pieces {
        let mut pieces = Pieces {
            chunks: Vec::new(),
            ends: Vec::new(),
            len: 0,
        };
        let count = count.min(self.len);
        while pieces.len < count {
            let chunk = self.front(count - pieces.len);
            pieces.len += chunk.len();
            pieces.ends.push(pieces.len);
            pieces.chunks.push(chunk);
        }
        pieces
    }

    /// Takes out a piece of at most `most` bytes, which must not be 0 and not more than there are.
    fn front(&mut self, most: usize) -> Bytes {
        let chunk = match self.chunks.front_mut() {
            Some(chunk) if chunk.len() > most => chunk.split_to(most),
            Some(_) => self.chunks.pop_front().unwrap_or_default(),
            None => self.tail.split_to(most.min(self.tail.len())).freeze(),
        };
        self.len -= chunk.len();
        self.offset += chunk.len() as u64;
        chunk
    }
}

/// Bytes of one box, in the pieces that they came in.
#[derive(Debug)]
pub(super) struct Pieces {
    chunks: Vec<Bytes>,
    /// Where each piece ends.
    ends: Vec<usize>,
    len: usize,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes from `start` up to `end`, shared; `None` if they are not all there.
    pub(super) fn slice(&self, start: usize, end: usize) -> Option<Payload> {
        if start > end || end > self.len {
            return None;
        }
        let mut found = Payload::default();
        let mut at = self.ends.partition_point(|end| *end <= start);
        let mut from = start;
        while from < end {
            let chunk = self.chunks.get(at)?;
            let begin = self.ends[at] - chunk.len();
            let to = end.min(self.ends[at]);
            found.push(chunk.slice(from - begin..to - begin));
            from = to;
            at += 1;
        }
        Some(found)
    }

    /// All bytes in one piece.
    pub(super) fn to_bytes(&self) -> Bytes {
        self.slice(0, self.len).unwrap_or_default().to_bytes()
    }
}

/// Pieces below this are copied into one.
const SMALL: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_come_out_in_order() {
        let input: Vec<u8> = (0..5_000_u32).map(|at| at as u8).collect();
        for size in [1, 7, 511, 512, 700, 5_000] {
            let mut rope = Rope::default();
            for chunk in input.chunks(size) {
                rope.push(Bytes::copy_from_slice(chunk));
            }
            assert_eq!(rope.peek(), (input[..16].try_into().unwrap(), 16));
            assert_eq!(rope.skip(100), 100);
            let pieces = rope.take(4_000);
            assert_eq!(pieces.to_bytes(), input[100..4_100]);
            let middle = pieces.slice(450, 1_200).unwrap().to_bytes();
            assert_eq!(middle, input[550..1_300]);
            assert_eq!(pieces.slice(4_000, 4_001), None);
            assert_eq!((rope.offset(), rope.len()), (4_100, 900));
            assert_eq!(rope.take(10_000).to_bytes(), input[4_100..]);
            assert_eq!(rope.skip(1), 0);
        }
    }

    #[test]
    fn large_pieces_are_not_copied() {
        let input = Bytes::from(vec![7; 4_096]);
        let mut rope = Rope::default();
        rope.push(input.clone());
        rope.skip(8);
        let taken = rope.take(100).to_bytes();
        assert_eq!(taken.as_ptr(), input[8..].as_ptr());
    }
}
