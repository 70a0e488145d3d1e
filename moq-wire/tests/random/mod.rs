//! Damage to bytes, the same in every run.

/// A xorshift generator: the same numbers in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A copy of `bytes` with one to four things wrong.
    pub(crate) fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let byte = self.byte();
            match self.below(5) {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => _ = bytes.remove(at),
                3 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => bytes.push(byte),
            }
        }
        bytes
    }

    /// An input to start from with something wrong, two that were spliced, or noise.
    #[allow(dead_code, reason = "not every test that damages bytes has a corpus")]
    pub(crate) fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let first = &corpus[self.below(corpus.len())];
        match self.below(8) {
            0 => (0..self.below(64)).map(|_| self.byte()).collect(),
            1 | 2 => {
                let second = &corpus[self.below(corpus.len())];
                let head = &first[..self.below(first.len() + 1)];
                let tail = &second[self.below(second.len() + 1)..];
                self.damage(&[head, tail].concat())
            }
            _ => self.damage(first),
        }
    }

    /// A number from 0 up to and without `bound`, or 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32)
            .unwrap_or(0)
            .checked_rem(bound)
            .unwrap_or(0)
    }

    /// A byte that is often small or extreme, as lengths and counts are.
    pub(crate) fn byte(&mut self) -> u8 {
        let [kind, byte, ..] = self.next().to_be_bytes();
        match kind % 4 {
            0 => byte % 8,
            1 => 0xff,
            _ => byte,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
