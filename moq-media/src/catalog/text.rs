//! Bytes as text: hex for descriptions, base64 for initialization segments.

/// Lower-case hex, two digits a byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Bytes of hex in either case; `None` when it is something else.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
        .collect()
}

/// Base64 of the standard alphabet, with padding.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (word >> (18 - 6 * at)) & 63;
            let is_padding = at > chunk.len();
            text.push(if is_padding {
                '='
            } else {
                char::from(ALPHABET[digit as usize])
            });
        }
    }
    text
}

/// Bytes of base64, padded or not, of the standard or the URL alphabet; `None` for anything else.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut word = 0;
        for at in 0..4 {
            let digit = chunk.get(at).map_or(Some(0), |digit| value(*digit))?;
            word = word << 6 | digit;
        }
        let [_, a, b, c] = word.to_be_bytes();
        bytes.extend_from_slice(&[a, b, c][..chunk.len() - 1]);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let digit = match digit {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| *known == digit)?;
    u32::try_from(at).ok()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        assert_eq!(to_hex(&[0x01, 0x64, 0x00, 0xfe]), "016400fe");
        assert_eq!(from_hex("016400FE").unwrap(), [0x01, 0x64, 0x00, 0xfe]);
        assert_eq!(from_hex("016"), None);
        assert_eq!(from_hex("AWQA"), None);
    }

    #[test]
    fn base64_goes_there_and_back() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
        ] {
            assert_eq!(to_base64(bytes), text);
            assert_eq!(from_base64(text).unwrap(), bytes);
            assert_eq!(from_base64(text.trim_end_matches('=')).unwrap(), bytes);
        }
        assert_eq!(from_base64("-_8").unwrap(), [0xfb, 0xff]);
        assert_eq!(from_base64("Zm9v!"), None);
        assert_eq!(from_base64("Zm9vY"), None);
    }
}
