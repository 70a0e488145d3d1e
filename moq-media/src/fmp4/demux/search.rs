//! How the place is found again after damage.

use super::super::boxes::Kind;
use super::super::error::{BoxError, DemuxError, Problem};
use super::{Demuxer, State, UNKNOWN};

impl Demuxer {
    /// Whether the input could end here, between two boxes.
    #[must_use]
    pub fn is_at_border(&self) -> bool {
        matches!(self.state, State::Head | State::Over) && self.rope.len() == 0
    }

    /// These bytes are no box, so what was read before has lost its place.
    pub(super) fn lost(&mut self, bytes: &[u8; 16]) -> Result<bool, DemuxError> {
        let offset = self.rope.offset();
        let kind = Kind([bytes[4], bytes[5], bytes[6], bytes[7]]);
        if self.init.is_none() {
            let found = kind;
            return Err(DemuxError::NotMp4 { found, offset });
        }
        let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let error = BoxError::new(kind, offset, Problem::Size(size.into()));
        self.state = State::Search;
        let tracks = self.abandon();
        self.broken(error, tracks)
    }

    /// Looks for the next fragment, byte by byte.
    pub(super) fn search(&mut self) -> Result<bool, DemuxError> {
        loop {
            let (bytes, len) = self.rope.peek();
            if len < 8 {
                return self.at_end(UNKNOWN, false);
            }
            let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let is_start = matches!(&bytes[4..8], b"moof" | b"styp" | b"moov");
            if is_start && size >= 8 && u64::from(size) <= self.limits.moof {
                self.state = State::Head;
                return Ok(true);
            }
            self.rope.skip(1);
        }
    }
}
