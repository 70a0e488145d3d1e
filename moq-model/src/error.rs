//! Why something ended, and why a call failed.

use std::fmt;

/// The reason that travels with an abort.
///
/// The variants are what the model itself tells apart; any other code of a peer is carried as is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Abort {
    /// A producer went away without finishing, or no better reason is known.
    Internal,
    /// Nobody wants it any more.
    Cancelled,
    /// The session that fed it ended.
    SessionClosed,
    /// There is no such track or group.
    NotFound,
    /// No route leads to the broadcast.
    Unroutable,
    /// The reader lagged behind what is held.
    TooFarBehind,
    /// A newer group made it too old.
    Expired,
    /// It was dropped for memory.
    Evicted,
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
    /// A code that only the peers know.
    Other(u32),
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal => f.write_str("its producer stopped without finishing"),
            Self::Cancelled => f.write_str("it was cancelled"),
            Self::SessionClosed => f.write_str("the session that carried it ended"),
            Self::NotFound => f.write_str("there is no such track"),
            Self::Unroutable => f.write_str("nobody publishes this broadcast"),
            Self::TooFarBehind => f.write_str("the reader fell too far behind"),
            Self::Expired => f.write_str("newer groups made it too old"),
            Self::Evicted => f.write_str("it was dropped for memory"),
            Self::GroupTooLarge => f.write_str("a group is larger than allowed"),
            Self::FrameTooLarge => f.write_str("a frame is larger than allowed"),
            Self::Malformed => f.write_str("its bytes do not parse"),
            Self::Timeout => f.write_str("an answer took too long"),
            Self::Application(code) => write!(f, "the application refused with code {code}"),
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
    /// Its producer gave up; the frames so far are valid.
    Aborted(Abort),
    /// Newer groups made it too old before it was read to the end.
    Expired,
    /// It was dropped for memory before it was read to the end.
    Evicted,
}

/// Why a track can't be read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The track ended before its finish, or was refused.
    #[error("the track ended: {0}")]
    Aborted(Abort),
}

/// Why something can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The broadcast, track or group was finished or aborted before.
    #[error("it was finished or aborted before")]
    Closed,
    /// A live track of this name, or a group of this sequence, exists already.
    #[error("it exists already")]
    Duplicate,
    /// The group would exceed its limit of bytes or frames.
    #[error("the group would exceed {} MiB or {} frames", crate::group::MAX_BYTES >> 20, crate::group::MAX_FRAMES)]
    GroupTooLarge,
    /// The group was dropped, because newer ones made it too old or memory ran out.
    #[error("the group was dropped before it was complete")]
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
