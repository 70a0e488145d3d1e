//! What a peer may take of this end.

mod limit;

use std::time::Duration;

pub use limit::Limit;

/// What a peer may take of this end.
///
/// The defaults are for a client: a peer that was accepted, whose grant does not call it a relay. What a
/// relay passes on from everybody has [`Self::relay`].
///
/// Bounds on single messages are the same for everybody and stand in `moq_wire::limits`: 64 KiB for a
/// message, 8 KiB for the URI of GOAWAY, 1 024 bytes and 32 segments for a path, 32 hops. So are those of
/// a group, 32 MiB and 8 192 frames, and of a peer's text in logs, 256 bytes, escaped. How long an answer
/// may take, and the peer to take a message, is [`crate::Config::answer_timeout`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Announcements that are live at one time. One more closes the session of a client; of what a relay
    /// announces, the rest is left out.
    pub announces: usize,
    /// How fast announcements may come on all streams, once the initial sets are told; faster ones are read
    /// later.
    pub announce_rate: Rate,
    /// Requests for announcements that are answered at one time; one more is refused.
    pub announce_requests: usize,
    /// Announcements that the peer is told at one time, over all its requests for them. The request that
    /// exceeds that is refused, or ended if it was answered for a while, unless it is the only one.
    pub told: usize,
    /// Subscriptions that are served at one time; one more is refused.
    pub subscriptions: usize,
    /// Requests for a track's properties that are answered at one time; one more is refused.
    pub tracks: usize,
    /// How fast requests for a track's properties may come; further ones are accepted later.
    pub track_rate: Rate,
    /// Fetches that are served at one time; one more is refused.
    pub fetches: usize,
    /// Requests for estimates that are answered at one time; one more is refused.
    pub probes: usize,
    /// Unidirectional streams that are taken in at one time; further ones are accepted later. A transport may
    /// give credit for the next stream before the session has taken in one that has arrived whole.
    pub uni_streams: usize,
    /// Streams of a kind that have not said what they are for; further ones are accepted later.
    pub headerless: usize,
    /// Requests and groups that do not parse, and the like; one more closes the session.
    pub strikes: Rate,
    /// How fast requests may be taken back before they brought anything, or within ten seconds for those
    /// for announcements; further ones are accepted later.
    pub resets: Rate,
    /// How fast requests may come that are refused; further ones are accepted later, by 5 s at most.
    pub refusals: Rate,
    /// Bytes of frames and messages that have not arrived whole; a frame above it is refused with its
    /// group. Messages may have a sixteenth of it; a request above that is refused.
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
            announce_requests: 256,
            told: 320_000,
            subscriptions: 1_024,
            tracks: 1_024,
            track_rate: Rate::new(2_048, Duration::from_millis(1)),
            fetches: 256,
            probes: 4,
            uni_streams: 1_024,
            headerless: 64,
            strikes: Rate::new(100, Duration::from_millis(600)),
            resets: Rate::new(200, Duration::from_millis(20)),
            refusals: Rate::new(200, Duration::from_millis(20)),
            buffered: 32 << 20,
            datagram: 1_200,
            close_reason: 1_024,
        }
    }
}

impl Limits {
    /// For a relay, which asks and announces on behalf of all its peers: one that this end has dialled, or
    /// one whose grant [says so](crate::Grant::for_relay).
    #[must_use]
    pub fn relay() -> Self {
        Self {
            announces: 65_536,
            // Not every draft tells the initial set from what comes later.
            announce_rate: Rate::new(65_536, Duration::from_millis(1)),
            subscriptions: 10_000,
            tracks: 10_000,
            track_rate: Rate::new(20_000, Duration::from_micros(100)),
            // It passes on what its peers take back, or ask for in vain, and holds each of them to a rate.
            // With one rate for all of them, each would wait for the others.
            resets: Rate::ANY,
            refusals: Rate::ANY,
            ..Self::default()
        }
    }

    /// For a peer that is trusted as much as this end itself.
    #[must_use]
    pub fn trusted() -> Self {
        Self {
            announces: usize::MAX,
            announce_rate: Rate::ANY,
            announce_requests: usize::MAX,
            told: usize::MAX,
            subscriptions: usize::MAX,
            tracks: usize::MAX,
            track_rate: Rate::ANY,
            fetches: usize::MAX,
            uni_streams: usize::MAX,
            strikes: Rate::ANY,
            resets: Rate::ANY,
            refusals: Rate::ANY,
            buffered: u64::MAX,
            datagram: usize::MAX,
            ..Self::default()
        }
    }

    /// How many bidirectional streams of the peer this end can hold: its requests, and some more, so that
    /// what is too much can be refused.
    pub(crate) fn requests(&self) -> usize {
        let counts = [
            self.announce_requests,
            self.subscriptions,
            self.tracks,
            self.fetches,
            self.probes,
            self.headerless,
        ];
        counts.into_iter().fold(REFUSABLE, usize::saturating_add)
    }
}

/// Streams that a peer may open in order to be refused.
const REFUSABLE: usize = 64;

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
    /// As often as it comes.
    const ANY: Self = Self {
        burst: u32::MAX,
        interval: Duration::ZERO,
    };

    /// So often at once, and once more in each interval.
    #[must_use]
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }
}
