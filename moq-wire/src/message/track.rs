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
        /// Timestamp units per second, never 0.
        pub timescale: u64 [checked by check_timescale],
    }
}

fn check_timescale(timescale: &u64) -> Result<(), DecodeError> {
    if *timescale == 0 {
        Err(DecodeError::ZeroTimescale)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::codec::{Encode, decode_body};
    use crate::version::Version;

    #[test]
    fn a_timescale_of_zero_is_refused() {
        let info = |timescale| {
            decode_body::<TrackInfo>(Bytes::from(vec![1, 2, timescale]), Version::Lite06)
        };
        assert_eq!(info(0), Err(DecodeError::ZeroTimescale));
        let mut info = info(1).unwrap();
        assert_eq!(info.timescale, 1);
        info.timescale = 0;
        let written = info.encode(&mut BytesMut::new(), Version::Lite06);
        assert_eq!(written, Err(DecodeError::ZeroTimescale.into()));
    }
}
