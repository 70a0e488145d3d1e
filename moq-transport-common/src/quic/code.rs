//! Stream codes as they stand on the wire.

use quinn_proto::VarInt;

/// Maps a moq-lite stream code into the range that HTTP/3 reserves for WebTransport.
#[must_use]
pub fn to_http3(code: u32) -> VarInt {
    let code = u64::from(code);
    VarInt::from_u64(FIRST + code + code / 30).expect("the last mapped code is below 2^62")
}

/// Reads the code of a RESET_STREAM or STOP_SENDING frame, mapped or not; `None` if it is neither.
#[must_use]
pub fn stream_code(code: u64) -> Option<u32> {
    u32::try_from(code).ok().or_else(|| from_http3(code))
}

/// The moq-lite code behind a mapped one, or `None` outside of the mapped range.
#[must_use]
pub fn from_http3(code: u64) -> Option<u32> {
    let distance = code.checked_sub(FIRST)?;
    u32::try_from(distance - distance / 31).ok()
}

/// Reads a code that a peer may have mapped or not; 0 for one that is neither.
#[must_use]
pub fn from_either(code: VarInt) -> u32 {
    stream_code(code.into_inner()).unwrap_or(0)
}

/// Where the mapped codes begin.
const FIRST: u64 = 0x52e4_a40f_a8db;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_map_as_webtransport_says() {
        for (code, mapped) in [
            (0, 0x52e4_a40f_a8db_u64),
            (1, 0x52e4_a40f_a8dc),
            (29, 0x52e4_a40f_a8f8),
            (30, 0x52e4_a40f_a8fa),
            (0x33, 0x52e4_a40f_a90f),
            (u32::MAX, 0x52e5_ac98_3162),
        ] {
            assert_eq!(to_http3(code).into_inner(), mapped);
            assert_eq!(from_http3(mapped), Some(code));
        }
        assert_eq!(from_http3(FIRST - 1), None);
        assert_eq!(from_http3(0x52e5_ac98_3163), None);
    }

    #[test]
    fn both_spellings_are_read() {
        assert_eq!(from_either(VarInt::from_u32(0x33)), 0x33);
        assert_eq!(from_either(to_http3(0x33)), 0x33);
        assert_eq!(from_either(VarInt::MAX), 0);
        assert_eq!(from_either(VarInt::from_u64(FIRST - 1).unwrap()), 0);
    }
}
