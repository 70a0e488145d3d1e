//! The Huffman code of header fields.

use std::sync::LazyLock;

/// Decodes a string, of at most `max` bytes.
///
/// `None` if it is longer, or not encoded as RFC 7541 says.
pub(super) fn decode(encoded: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut pending = Pending::default();
    for byte in encoded {
        for bit in (0..8).rev() {
            if let Some(symbol) = pending.push(byte >> bit & 1)? {
                if decoded.len() == max {
                    return None;
                }
                decoded.push(symbol);
            }
        }
    }
    pending.is_padding().then_some(decoded)
}

/// The bits of a symbol that is not whole.
#[derive(Default)]
struct Pending {
    code: u32,
    length: usize,
}

impl Pending {
    /// Takes one more bit; gives the symbol that it completes. `None` for the one that may not be
    /// encoded.
    fn push(&mut self, bit: u8) -> Option<Option<u8>> {
        self.code = self.code << 1 | u32::from(bit);
        self.length += 1;
        let codes = CODES.get(self.length)?;
        let symbol = self
            .code
            .checked_sub(codes.first)
            .and_then(|place| codes.symbols.get(usize::try_from(place).ok()?))
            .copied();
        if symbol.is_some() {
            *self = Self::default();
        }
        Some(symbol)
    }

    /// Whether it is a filling: less than a byte of ones.
    fn is_padding(&self) -> bool {
        self.length < 8 && self.code == (1 << self.length) - 1
    }
}

/// The codes of one length: they are consecutive.
struct Codes {
    first: u32,
    symbols: Vec<u8>,
}

/// By length in bits. The code of a symbol follows from all lengths, since the code is canonical.
static CODES: LazyLock<Vec<Codes>> = LazyLock::new(|| {
    let mut next = 0;
    let of_length = |length: u8| {
        let symbols: Vec<_> = (0..=u8::MAX)
            .zip(LENGTHS)
            .filter(|(_, of)| *of == length)
            .map(|(symbol, _)| symbol)
            .collect();
        next <<= 1;
        let first = next;
        next += u32::try_from(symbols.len()).unwrap_or(0);
        Codes { first, symbols }
    };
    (0..=MAX_LENGTH).map(of_length).collect()
});

/// The longest code; one of that length ends a string, and is never sent.
const MAX_LENGTH: u8 = 30;

/// How long the code of each byte is, in bits: RFC 7541, Appendix B.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7541_are_read() {
        for (encoded, text) in [
            (
                &[
                    0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
                ][..],
                "www.example.com",
            ),
            (&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], "no-cache"),
            (
                &[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xb8, 0xe8, 0xb4, 0xbf],
                "custom-value",
            ),
            (&[0x64, 0x02], "302"),
            (&[], ""),
        ] {
            assert_eq!(decode(encoded, 100).as_deref(), Some(text.as_bytes()));
        }
    }

    /// Each byte has a code of its own, and one code is left for the end of a string.
    #[test]
    fn the_code_is_complete() {
        let space: u32 = LENGTHS
            .iter()
            .map(|length| 1_u32 << (MAX_LENGTH - length))
            .sum();
        assert_eq!(space + 1, 1 << MAX_LENGTH);
    }

    #[test]
    fn what_is_not_encoded_well_is_refused() {
        // A padding of zeros, one of a whole byte, the end of a string, and too much.
        assert_eq!(decode(&[0x1f], 100).as_deref(), Some(&b"a"[..]));
        assert_eq!(decode(&[0x18], 100), None);
        assert_eq!(decode(&[0x64, 0x02, 0xff], 100), None);
        assert_eq!(decode(&[0xff; 4], 100), None);
        assert_eq!(decode(&[0x64, 0x02], 2), None);
    }
}
