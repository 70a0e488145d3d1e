//! The Probe stream: what the publisher could send.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::version::Version;

/// An estimate by the publisher. Any number of them on a Probe stream.
///
/// A value that was measured but would be written as 0, which means unknown, is written as 1.
///
/// Draft: PROBE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// Bits per second, at most 62 bits, if known.
    pub bitrate: Option<u64>,
    /// Round-trip time, if known. Whole milliseconds; not written where the draft has only bitrates.
    pub rtt: Option<Duration>,
}

impl Encode for Probe {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.bitrate
            .map_or(0, |bitrate| bitrate.max(1))
            .encode(buf, version)?;
        if version.features().probe.has_rtt() {
            let rtt = self.rtt.map(|rtt| rtt.max(Duration::from_millis(1)));
            rtt.unwrap_or_default().encode(buf, version)?;
        }
        Ok(())
    }
}

impl Decode for Probe {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let bitrate = u64::decode(buf, version)?;
        let rtt = if version.features().probe.has_rtt() {
            Duration::decode(buf, version)?
        } else {
            Duration::ZERO
        };
        Ok(Self {
            bitrate: Some(bitrate).filter(|&bitrate| bitrate > 0),
            rtt: Some(rtt).filter(|rtt| !rtt.is_zero()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_never_written_as_unknown() {
        let mut buf = BytesMut::new();
        let probe = Probe {
            bitrate: Some(0),
            rtt: Some(Duration::from_micros(10)),
        };
        assert_eq!(probe.encode(&mut buf, Version::Lite06), Ok(()));
        assert_eq!(buf, [1, 1][..]);
    }
}
