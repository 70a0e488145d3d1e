//! The limits by name.

use std::fmt;

use moq_wire::DecodeError;

use crate::error::PeerFault;

/// A limit that a peer can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`crate::Limits::announces`].
    Announces,
    /// [`crate::Limits::announce_rate`].
    AnnounceRate,
    /// [`crate::Limits::announce_requests`].
    AnnounceRequests,
    /// [`crate::Limits::told`].
    Told,
    /// [`crate::Limits::subscriptions`].
    Subscriptions,
    /// [`crate::Limits::tracks`].
    Tracks,
    /// [`crate::Limits::track_rate`].
    TrackRate,
    /// [`crate::Limits::fetches`].
    Fetches,
    /// [`crate::Limits::probes`].
    Probes,
    /// Bidirectional streams that are open at one time. The transport holds the peer to it; see
    /// [`Transport::set_stream_limit`](crate::transport::Transport::set_stream_limit).
    Streams,
    /// [`crate::Limits::uni_streams`].
    UniStreams,
    /// [`crate::Limits::headerless`].
    Headerless,
    /// A stream did not say in time what it is for.
    HeaderTime,
    /// [`crate::Config::answer_timeout`], for an answer of the peer.
    AnswerTime,
    /// [`crate::Config::answer_timeout`], for a message that the peer does not take.
    WriteTime,
    /// [`crate::Limits::strikes`].
    Strikes,
    /// [`crate::Limits::resets`].
    Resets,
    /// [`crate::Limits::refusals`].
    Refusals,
    /// [`crate::Limits::buffered`].
    Buffered,
    /// The bytes or frames of a group.
    Group,
    /// [`crate::Limits::datagram`].
    Datagram,
    /// The bytes of a message, the parameters of SETUP, or the URI of GOAWAY.
    Message,
    /// The bytes or segments of a path.
    Path,
    /// The hops of a route.
    Hops,
    /// [`crate::Limits::close_reason`].
    CloseReason,
}

impl Limit {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Announces,
        Self::AnnounceRate,
        Self::AnnounceRequests,
        Self::Told,
        Self::Subscriptions,
        Self::Tracks,
        Self::TrackRate,
        Self::Fetches,
        Self::Probes,
        Self::Streams,
        Self::UniStreams,
        Self::Headerless,
        Self::HeaderTime,
        Self::AnswerTime,
        Self::WriteTime,
        Self::Strikes,
        Self::Resets,
        Self::Refusals,
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
            Self::AnnounceRequests => "requests for announcements",
            Self::Told => "announcements told",
            Self::Subscriptions => "live subscriptions",
            Self::Tracks => "requests for track properties",
            Self::TrackRate => "requests for track properties at once",
            Self::Fetches => "live fetches",
            Self::Probes => "requests for estimates",
            Self::Streams => "open streams",
            Self::UniStreams => "unidirectional streams at one time",
            Self::Headerless => "streams without a type",
            Self::HeaderTime => "time for a stream type",
            Self::AnswerTime => "time for an answer",
            Self::WriteTime => "time for taking a message",
            Self::Strikes => "streams that break the protocol",
            Self::Resets => "requests taken back at once",
            Self::Refusals => "requests refused at once",
            Self::Buffered => "bytes of unfinished frames and messages",
            Self::Group => "bytes or frames of a group",
            Self::Datagram => "bytes of a datagram",
            Self::Message => "bytes of a message",
            Self::Path => "bytes or segments of a path",
            Self::Hops => "hops of a route",
            Self::CloseReason => "bytes of a close reason",
        }
    }

    /// Whether a good peer reaches it too: over a bad network, or where this end is slow.
    pub(crate) fn is_ordinary(self) -> bool {
        matches!(
            self,
            Self::UniStreams
                | Self::Headerless
                | Self::HeaderTime
                | Self::AnswerTime
                | Self::WriteTime
                | Self::CloseReason
        )
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
        for (n, limit) in Limit::ALL.iter().enumerate() {
            assert_eq!(*limit as usize, n);
        }
    }
}
