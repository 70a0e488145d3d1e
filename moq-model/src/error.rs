//! Why something ended, and why a call failed.

use std::fmt;

/// Why something ended before its finish.
///
/// The variants are the reasons that the model itself tells apart; any other code of a peer is
/// carried as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Abort {
    /// A producer was dropped without finishing, or no better reason is known.
    Internal,
    /// Nobody wants it any more.
    Cancelled,
    /// A session that carried it ended. Whoever resumes elsewhere can ask for it again.
    SessionClosed,
    /// Whoever was asked has no such track or group.
    NotFound,
    /// No route leads to the broadcast.
    Unroutable,
    /// All readers were too far behind for too long.
    TooFarBehind,
    /// Newer groups made it too old.
    Expired,
    /// It was dropped for memory.
    Evicted,
    /// It never came, though a later group or the end of the track did.
    Missing,
    /// A group above the limit of bytes or frames.
    GroupTooLarge,
    /// A frame above the limit of bytes.
    FrameTooLarge,
    /// Bytes that do not parse.
    Malformed,
    /// An answer took too long.
    Timeout,
    /// The application's own code.
    Application(u16),
    /// Whoever was asked has no capacity for it.
    NoCapacity,
    /// A code that only the peers know.
    Other(u32),
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal => f.write_str("its producer stopped without finishing"),
            Self::Cancelled => f.write_str("it was cancelled"),
            Self::SessionClosed => f.write_str("the session that carried it ended"),
            Self::NotFound => f.write_str("its publisher has no such track or group"),
            Self::Unroutable => f.write_str("nobody publishes this broadcast"),
            Self::TooFarBehind => f.write_str("its readers fell too far behind"),
            Self::Expired => f.write_str("newer groups made it too old"),
            Self::Evicted => f.write_str("it was dropped for memory"),
            Self::Missing => f.write_str("it never came"),
            Self::GroupTooLarge => f.write_str("a group is larger than allowed"),
            Self::FrameTooLarge => f.write_str("a frame is larger than allowed"),
            Self::Malformed => f.write_str("its bytes do not parse"),
            Self::Timeout => f.write_str("an answer took too long"),
            Self::Application(code) => write!(f, "the application refused with code {code}"),
            Self::NoCapacity => f.write_str("there is no capacity for it"),
            Self::Other(code) => write!(f, "the peer gave code {code:#x}"),
        }
    }
}

/// How a group ended, for a reader: a value, never an error of the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEnd {
    /// Every frame was delivered.
    Finished,
    /// No further frame comes, for this reason; the frames so far are valid.
    Aborted(Abort),
}

/// Why a track can't be read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The track ended before its finish, or was refused.
    #[error("the track ended: {0}")]
    Aborted(Abort),
    /// The group that was fetched is not held, and nobody feeds the track who could be asked for it.
    #[error("group {0} is not held, and there is no peer to ask for it")]
    NoGroup(u64),
    /// The budget has no room for the group that was fetched.
    #[error("the budget has no room for group {0}")]
    NoRoom(u64),
}

/// Why something can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The broadcast, track or group was finished or aborted before.
    #[error("the broadcast, track or group was finished or aborted before")]
    Closed,
    /// A live track of this name, or a group of this sequence, exists already.
    #[error("a live track of this name, or a group of this sequence, exists already")]
    Duplicate,
    /// The group would exceed its limit of bytes or frames.
    #[error("the group would exceed {} MiB or {} frames", crate::track::MAX_BYTES >> 20, crate::track::MAX_FRAMES)]
    GroupTooLarge,
    /// The group was dropped: newer ones made it too old, its readers were too far behind, or the
    /// budget has no room for it.
    #[error(
        "the group was dropped: it is too old, its readers are too far behind, or the budget has no room"
    )]
    Dropped,
}

/// Why a broadcast can't be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No announced route covers the path.
    #[error("nobody publishes this broadcast")]
    Unroutable,
    /// The broadcast has no such track.
    #[error("the broadcast has no such track")]
    NotFound,
}

impl From<RouteError> for Abort {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::Unroutable => Self::Unroutable,
            RouteError::NotFound => Self::NotFound,
        }
    }
}

/// Why a text is no broadcast path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// More than 32 segments.
    #[error("a path has at most 32 segments")]
    TooManySegments,
    /// More than 1 024 bytes.
    #[error("a path has at most 1024 bytes")]
    TooLong,
}
