//! The PEM form of certificates and keys, written.

/// Puts DER bytes between PEM's lines.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut base64 = Vec::with_capacity(der.len().div_ceil(3) * 4);
    for group in der.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| {
            bits << 8 | usize::from(*group.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * i) & 63];
            base64.push(if i <= group.len() { digit } else { b'=' });
        }
    }
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in base64.chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

/// The digits of base 64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded_to_groups_and_lines() {
        for (der, base64) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            let pem = encode("X", der.as_bytes());
            assert_eq!(
                pem,
                format!("-----BEGIN X-----\n{base64}\n-----END X-----\n")
            );
        }
        assert_eq!(encode("X", &[0; 49]).lines().nth(1).map(str::len), Some(64));
    }
}
