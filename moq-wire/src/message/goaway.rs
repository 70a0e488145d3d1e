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
        pub uri: String,
    }
    check Goaway::check;
}

impl Goaway {
    fn check(&self) -> Result<(), DecodeError> {
        if self.uri.len() > MAX_GOAWAY_URI {
            Err(DecodeError::TooLong)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::codec::{Encode, decode_body};
    use crate::version::Version;

    // spec: GOAWAY, "at most 8192 bytes"
    #[test]
    fn the_uri_is_bounded() {
        let decode = |len| {
            let mut buf = BytesMut::new();
            Goaway {
                uri: "x".repeat(len),
            }
            .encode(&mut buf, Version::Lite06);
            decode_body::<Goaway>(buf.freeze(), Version::Lite06)
        };
        assert!(decode(8191).is_ok());
        assert!(decode(8192).is_ok());
        assert_eq!(decode(8193), Err(DecodeError::TooLong));
    }
}
