//! Numbers that are the same every time, and damage by them.

/// A linear congruential generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize).checked_rem(limit).unwrap_or(0)
    }

    /// An input to start from with something wrong, or two that were spliced.
    #[allow(dead_code, reason = "not every test that damages bytes has a corpus")]
    pub(crate) fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        if self.below(4) == 0 {
            let second = &corpus[self.below(corpus.len())];
            input.truncate(self.below(input.len() + 1));
            input.extend_from_slice(&second[self.below(second.len() + 1)..]);
        }
        for _ in 0..self.below(5) {
            self.damage(&mut input);
        }
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len());
        let byte = self.byte();
        match self.below(8) {
            0 => input.insert(at, byte),
            1 => input.truncate(at),
            2 if at < input.len() => _ = input.remove(at),
            3 | 4 if at < input.len() => input[at] ^= 1 << (byte % 8),
            _ if at < input.len() => input[at] = byte,
            _ => input.push(byte),
        }
    }

    /// A byte that is often small or extreme, as lengths and counts are.
    fn byte(&mut self) -> u8 {
        let byte = self.below(256) as u8;
        match self.below(4) {
            0 => byte % 8,
            1 => 0xff,
            _ => byte,
        }
    }
}
