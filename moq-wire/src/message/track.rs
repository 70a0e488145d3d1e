//! The Track stream: the fixed properties of a track.

use std::time::Duration;

use crate::error::DecodeError;
use crate::layout::message;
use crate::path::Path;

message! {
    /// Asks for a track's properties. The only message of the subscriber on a Track stream.
    ///
    /// Draft: TRACK.
    pub struct Track {
        /// Absolute within the session.
        pub broadcast: Path,
        /// May be empty, may be anything.
        pub track: String,
    }
}

message! {
    /// A track's properties, which never change. The only message of the publisher on a Track
    /// stream.
    ///
    /// Draft: TRACK_INFO.
    pub struct TrackInfo {
        /// The publisher's own wish; higher is sent first.
        pub priority: u8 [then a zero byte where ordered_byte],
        /// How long a group is kept once a newer one exists. Whole milliseconds.
        pub max_age: Duration,
        /// Timestamp units per second. Never 0 when decoded.
        pub timescale: u64,
    }
    check TrackInfo::check;
}

impl TrackInfo {
    fn check(&self) -> Result<(), DecodeError> {
        if self.timescale == 0 {
            Err(DecodeError::ZeroTimescale)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::codec::decode_body;
    use crate::version::Version;

    #[test]
    fn a_timescale_of_zero_is_refused() {
        let info = |timescale| {
            decode_body::<TrackInfo>(Bytes::from(vec![1, 2, timescale]), Version::Lite06)
        };
        assert_eq!(info(0), Err(DecodeError::ZeroTimescale));
        assert_eq!(info(1).unwrap().timescale, 1);
    }
}
