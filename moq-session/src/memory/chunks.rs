//! Bytes on their way from one half of a stream to the other.

use std::collections::VecDeque;

use bytes::Bytes;

/// Chunks in order. One at a time, as most streams have, needs no list.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    first: Option<Bytes>,
    further: VecDeque<Bytes>,
}

impl Chunks {
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.first.is_none() {
            self.first = Some(chunk);
        } else {
            self.further.push_back(chunk);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let next = self.further.pop_front();
        std::mem::replace(&mut self.first, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_out_in_order() {
        let mut chunks = Chunks::default();
        let mut expected = 0..6;
        let mut take = |chunks: &mut Chunks| {
            let chunk = chunks.pop().map(|chunk| u8::try_from(chunk.len()).unwrap());
            assert_eq!(chunk, expected.next());
        };
        let push = |chunks: &mut Chunks, len| chunks.push(Bytes::from(vec![0; len]));
        push(&mut chunks, 0);
        push(&mut chunks, 1);
        push(&mut chunks, 2);
        take(&mut chunks);
        push(&mut chunks, 3);
        for _ in 0..3 {
            take(&mut chunks);
        }
        push(&mut chunks, 4);
        take(&mut chunks);
        push(&mut chunks, 5);
        take(&mut chunks);
        assert!(chunks.pop().is_none());
    }
}
