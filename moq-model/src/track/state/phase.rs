//! What a group is, and what became of it.

use crate::error::{Abort, GroupEnd};

/// Payload bytes a group may have.
pub(crate) const MAX_BYTES: u64 = 32 << 20;
/// Frames a group may have.
pub(crate) const MAX_FRAMES: usize = 8_192;

/// Where a group comes from, and what it is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Part of the live track.
    Live,
    /// The same, of exactly one frame, and best sent as a datagram.
    Datagram,
    /// Asked for by sequence, for those who asked only.
    Fetched {
        /// The number of the first frame that it holds.
        first: u64,
        /// The number of the first frame that was not asked for.
        end: Option<u64>,
    },
}

/// What became of a group so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has begun, with neither a frame nor an end.
    Announced,
    /// It has frames and may get more.
    Open,
    /// Its producer ended it; the frames are held.
    Ended(GroupEnd),
    /// The frames are held no longer, for this reason.
    Gone {
        cause: Abort,
        /// How its producer ended it before, for those who have read all frames.
        ended: Option<GroupEnd>,
    },
}

impl Phase {
    /// Whether everything that the group will ever have is here or may still come.
    pub(super) fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Announced | Self::Open | Self::Ended(GroupEnd::Finished)
        )
    }

    /// Whether the group gets no more frames.
    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Ended(_) | Self::Gone { .. })
    }

    /// Whether nothing is held of the group.
    pub(super) fn is_gone(self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}
