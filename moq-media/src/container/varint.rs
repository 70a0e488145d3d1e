//! QUIC's variable-length integers (RFC 9000, section 16).

/// The largest value: 62 bits.
pub(super) const MAX: u64 = (1 << 62) - 1;

/// The integer at the front of `bytes`, and how many bytes it takes.
pub(super) fn read(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = 1 << (first >> 6);
    let body = bytes.get(1..len)?;
    let first = u64::from(first & 0x3f);
    let value = body
        .iter()
        .fold(first, |value, byte| value << 8 | u64::from(*byte));
    Some((value, len))
}

/// Appends `value` in its shortest form; `None` if it has more than 62 bits.
pub(super) fn write(value: u64, to: &mut Vec<u8>) -> Option<()> {
    let exponent = match value {
        0..0x40 => 0,
        0x40..0x4000 => 1,
        0x4000..0x4000_0000 => 2,
        0x4000_0000..=MAX => 3,
        _ => return None,
    };
    let start = to.len();
    to.extend_from_slice(&value.to_be_bytes()[8 - (1 << exponent)..]);
    to[start] |= exponent << 6;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_rfc() {
        for (value, bytes) in [
            (37, &[0x25][..]),
            (15_293, &[0x7b, 0xbd]),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            ),
        ] {
            assert_eq!(read(bytes), Some((value, bytes.len())));
            assert_eq!(read(&bytes[..bytes.len() - 1]), None);
            let mut written = Vec::new();
            write(value, &mut written).unwrap();
            assert_eq!(written, bytes);
        }
        assert_eq!(write(MAX + 1, &mut Vec::new()), None);
    }
}
