//! The Goaway stream: the peer is asked to leave.

use crate::error::DecodeError;
use crate::layout::message;
use crate::limits::MAX_GOAWAY_URI;

message! {
    /// Asks the peer to leave. The only message on a Goaway stream.
    ///
    /// Draft: GOAWAY.
    pub struct Goaway {
        /// Where to go, at most 8192 bytes; empty: come back to where you were.
        pub uri: String [checked by check_uri],
    }
}

fn check_uri(uri: &str) -> Result<(), DecodeError> {
    if uri.len() > MAX_GOAWAY_URI {
        Err(DecodeError::TooLong)
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

    // spec: GOAWAY, "at most 8192 bytes"
    #[test]
    fn the_uri_is_bounded() {
        let version = Version::Lite06;
        for (len, is_allowed) in [(8191, true), (8192, true), (8193, false)] {
            let uri = "x".repeat(len);
            let mut body = BytesMut::new();
            assert_eq!(uri.encode(&mut body, version), Ok(()));
            let goaway = Goaway { uri };
            let mut written = BytesMut::new();
            let put = goaway.encode(&mut written, version);
            let read = decode_body::<Goaway>(Bytes::copy_from_slice(&body), version);
            if is_allowed {
                assert_eq!((put, written), (Ok(()), body));
                assert_eq!(read, Ok(goaway));
            } else {
                assert_eq!(put, Err(DecodeError::TooLong.into()));
                assert_eq!(read, Err(DecodeError::TooLong));
            }
        }
    }
}
