//! What a track yields frame by frame.

use crate::error::Abort;
use crate::frame::Frame;
use crate::ranges::GroupRange;

/// What a track yields next, read frame by frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackRead {
    /// The next frame.
    Frame {
        /// The sequence of the frame's group.
        group: u64,
        /// The frame's place in its group, counted from 0.
        index: usize,
        /// The frame.
        frame: Frame,
    },
    /// These groups are missing: the first of them whole or from the next frame on, the others
    /// whole.
    Skipped {
        /// Their sequences.
        groups: GroupRange,
        /// Why all of them are missing.
        cause: Abort,
    },
}
