//! Codes of session closes and of stream resets and stops.
//!
//! The two spaces are unrelated, except that both carry application codes from 64 up.

/// The code that carries an application's own code `n`, in either space: 64 and more.
#[must_use]
pub const fn application(n: u16) -> u32 {
    FIRST_APPLICATION + n as u32
}

/// The application's own code in `code`, if it carries one of at most 16 bits.
#[must_use]
pub fn from_application(code: u32) -> Option<u16> {
    u16::try_from(code.checked_sub(FIRST_APPLICATION)?).ok()
}

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal;)*) => {
        $( $(#[$meta])* pub const $name: u32 = $code; )*

        /// The name of a registered code. Application codes have none.
        #[must_use]
        pub const fn name(code: u32) -> Option<&'static str> {
            match code {
                $( $name => Some(stringify!($name)), )*
                _ => None,
            }
        }
    };
}

/// Codes that close a session.
pub mod session {
    codes! {
        /// The session ended normally.
        NO_ERROR = 0x0;
        /// Transport trouble, or an error without a better code.
        INTERNAL = 0x1;
        /// The credential does not allow it.
        UNAUTHORIZED = 0x2;
        /// The peer broke a rule of the session.
        PROTOCOL_VIOLATION = 0x3;
        /// Too many parameters, or malformed ones.
        KEY_VALUE_FORMATTING = 0x6;
        /// The peer did not leave before the drain deadline.
        GOAWAY_TIMEOUT = 0x10;
        /// A control message took too long.
        CONTROL_TIMEOUT = 0x11;
        /// There is no common version.
        VERSION = 0x15;
    }
}

/// Codes that reset a stream or stop its sender.
pub mod stream {
    codes! {
        /// Unspecified; also what a dropped receive half looks like.
        INTERNAL = 0x0;
        /// No longer wanted; also the answer to a request that cannot be parsed.
        CANCELLED = 0x1;
        /// Took too long to deliver.
        DELIVERY_TIMEOUT = 0x2;
        /// The session ended, or a reason of the whole session stands behind it.
        SESSION_CLOSED = 0x3;
        /// Refused because of a GOAWAY.
        GOING_AWAY = 0x4;
        /// The reader lagged behind the cache.
        TOO_FAR_BEHIND = 0x5;
        /// Bytes did not parse.
        MALFORMED_TRACK = 0x12;
        /// There is no capacity here.
        NO_CAPACITY = 0x30;
        /// An answer took too long.
        CONTROL_TIMEOUT = 0x31;
        /// The group exceeds the cache limit.
        GROUP_TOO_LARGE = 0x32;
        /// No such track or group.
        NOT_FOUND = 0x33;
        /// A newer group made it too old.
        OLD = 0x34;
        /// Dropped for memory; could be fetched again.
        EVICTED = 0x35;
        /// No such broadcast.
        UNROUTABLE = 0x36;
        /// A frame's length disagreed with its data.
        WRONG_SIZE = 0x37;
        /// A frame is above the receiver's limit.
        FRAME_TOO_LARGE = 0x38;
        /// A timestamp does not fit the track's timescale.
        TIMESTAMP_MISMATCH = 0x39;
    }
}

const FIRST_APPLICATION: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_complete() {
        let named = |name: fn(u32) -> Option<&'static str>| {
            (0..0x100).filter(|&n| name(n).is_some()).collect()
        };
        let sessions: Vec<u32> = named(session::name);
        assert_eq!(sessions, [0x0, 0x1, 0x2, 0x3, 0x6, 0x10, 0x11, 0x15]);
        let streams: Vec<u32> = named(stream::name);
        assert_eq!(
            streams,
            [
                0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x12, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
                0x38, 0x39
            ]
        );
        assert_eq!(stream::name(stream::UNROUTABLE), Some("UNROUTABLE"));
    }

    #[test]
    fn application_codes_start_at_64_and_end_at_16_bits() {
        for n in [0, 1, u16::MAX] {
            assert_eq!(from_application(application(n)), Some(n));
        }
        assert_eq!(from_application(63), None);
        assert_eq!(from_application(64 + 65_536), None);
    }
}
