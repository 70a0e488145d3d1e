//! What a peer may take of this end, and how often it wanted more.

use std::fmt;
use std::time::Duration;

use moq_wire::DecodeError;

use crate::error::PeerFault;

/// What a peer may take of this end.
///
/// Bounds on single messages are the same for everybody and stand in `moq_wire::limits`: 64 KiB for a
/// message, 8 KiB for the URI of GOAWAY, 1 024 bytes and 32 segments for a path, 32 hops. So are those of
/// a group, 32 MiB and 8 192 frames, and of a peer's text in logs, 256 bytes, escaped. How long an answer
/// may take is [`crate::Config::answer_timeout`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Announcements that are live at one time; one more closes the session.
    pub announces: usize,
    /// How fast announcements may come, once the initial set is told; faster ones are read later.
    pub announce_rate: Rate,
    /// Subscriptions that are served at one time; one more is refused.
    pub subscriptions: usize,
    /// Fetches that are served at one time; one more is refused.
    pub fetches: usize,
    /// Streams of a kind that have not said what they are for; further ones are accepted later.
    pub headerless: usize,
    /// Requests and groups that do not parse, and the like; one more closes the session.
    pub strikes: Rate,
    /// How fast requests may be taken back; further ones are accepted later.
    pub resets: Rate,
    /// Bytes of frames that have not arrived whole; a frame above it is refused with its group.
    pub buffered: u64,
    /// Bytes of a datagram; a larger one is neither sent nor taken in.
    pub datagram: usize,
    /// Bytes of the reason for a close, either way; the rest is cut off.
    pub close_reason: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            announces: 4_096,
            announce_rate: Rate::new(1_000, Duration::from_millis(5)),
            subscriptions: 1_024,
            fetches: 256,
            headerless: 64,
            strikes: Rate::new(100, Duration::from_millis(600)),
            resets: Rate::new(200, Duration::from_millis(20)),
            buffered: 32 << 20,
            datagram: 1_200,
            close_reason: 1_024,
        }
    }
}

impl Limits {
    /// For a peer that is trusted as much as this end itself.
    #[must_use]
    pub fn trusted() -> Self {
        let any = Rate::new(u32::MAX, Duration::ZERO);
        Self {
            announces: usize::MAX,
            announce_rate: any,
            subscriptions: usize::MAX,
            fetches: usize::MAX,
            strikes: any,
            resets: any,
            buffered: u64::MAX,
            datagram: usize::MAX,
            ..Self::default()
        }
    }
}

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// So often at once.
    pub burst: u32,
    /// Once more each time that this has passed.
    pub interval: Duration,
}

impl Rate {
    /// So often at once, and once more in each interval.
    #[must_use]
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }
}

/// A limit that a peer can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::announces`].
    Announces,
    /// [`Limits::announce_rate`].
    AnnounceRate,
    /// [`Limits::subscriptions`].
    Subscriptions,
    /// [`Limits::fetches`].
    Fetches,
    /// [`Limits::headerless`].
    Headerless,
    /// A stream did not say in time what it is for.
    HeaderTime,
    /// [`crate::Config::answer_timeout`].
    AnswerTime,
    /// [`Limits::strikes`].
    Strikes,
    /// [`Limits::resets`].
    Resets,
    /// [`Limits::buffered`].
    Buffered,
    /// The bytes or frames of a group.
    Group,
    /// [`Limits::datagram`].
    Datagram,
    /// The bytes of a message, the parameters of SETUP, or the URI of GOAWAY.
    Message,
    /// The bytes or segments of a path.
    Path,
    /// The hops of a route.
    Hops,
    /// [`Limits::close_reason`].
    CloseReason,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Announces,
        Self::AnnounceRate,
        Self::Subscriptions,
        Self::Fetches,
        Self::Headerless,
        Self::HeaderTime,
        Self::AnswerTime,
        Self::Strikes,
        Self::Resets,
        Self::Buffered,
        Self::Group,
        Self::Datagram,
        Self::Message,
        Self::Path,
        Self::Hops,
        Self::CloseReason,
    ];

    /// What there was too much of.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Announces => "live announcements",
            Self::AnnounceRate => "announcements at once",
            Self::Subscriptions => "live subscriptions",
            Self::Fetches => "live fetches",
            Self::Headerless => "streams without a type",
            Self::HeaderTime => "time for a stream type",
            Self::AnswerTime => "time for an answer",
            Self::Strikes => "streams that break the protocol",
            Self::Resets => "requests taken back at once",
            Self::Buffered => "bytes of unfinished frames",
            Self::Group => "bytes or frames of a group",
            Self::Datagram => "bytes of a datagram",
            Self::Message => "bytes of a message",
            Self::Path => "bytes or segments of a path",
            Self::Hops => "hops of a route",
            Self::CloseReason => "bytes of a close reason",
        }
    }

    /// The limit that is seen only when a stream has failed, if it was one.
    pub(crate) fn of(fault: &PeerFault) -> Option<Self> {
        match fault {
            PeerFault::Exceeded {
                limit: Self::Buffered,
                ..
            } => Some(Self::Buffered),
            PeerFault::Malformed { error, .. } => match error {
                DecodeError::TooLong | DecodeError::TooManyParameters => Some(Self::Message),
                DecodeError::Path(_) => Some(Self::Path),
                DecodeError::TooManyHops => Some(Self::Hops),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stand_in_the_order_of_their_counters() {
        for (n, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, n);
        }
    }
}
