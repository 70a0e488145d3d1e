//! What a transport says of itself, as data.

/// What an end of a pair can do beyond streams. What is absent has to be told as absent.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Abilities {
    /// Datagrams are carried in both directions.
    pub datagrams: bool,
    /// Of several streams with bytes to send, the one of the highest order goes first.
    pub priorities: bool,
    /// Pings are answered by the peer, and what comes is counted.
    pub ping: bool,
    /// Round-trip time and send rate are measured.
    pub measures: bool,
    /// The credit for bidirectional streams grows to what the session can hold.
    pub stream_limit: bool,
    /// The window grows with the streams that are paused.
    pub paused_streams: bool,
    /// How many unidirectional streams the peer can open at least, without the first of them over.
    pub open_streams: usize,
}

impl Abilities {
    /// With [`Self::datagrams`].
    #[must_use]
    pub fn with_datagrams(self) -> Self {
        Self {
            datagrams: true,
            ..self
        }
    }

    /// With [`Self::priorities`].
    #[must_use]
    pub fn with_priorities(self) -> Self {
        Self {
            priorities: true,
            ..self
        }
    }

    /// With [`Self::ping`].
    #[must_use]
    pub fn with_ping(self) -> Self {
        Self { ping: true, ..self }
    }

    /// With [`Self::measures`].
    #[must_use]
    pub fn with_measures(self) -> Self {
        Self {
            measures: true,
            ..self
        }
    }

    /// With [`Self::stream_limit`].
    #[must_use]
    pub fn with_stream_limit(self) -> Self {
        Self {
            stream_limit: true,
            ..self
        }
    }

    /// With [`Self::paused_streams`].
    #[must_use]
    pub fn with_paused_streams(self) -> Self {
        Self {
            paused_streams: true,
            ..self
        }
    }

    /// With [`Self::open_streams`].
    #[must_use]
    pub fn with_open_streams(self, count: usize) -> Self {
        Self {
            open_streams: count,
            ..self
        }
    }
}

/// Which end is the near one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a pair has two ends")]
pub enum Role {
    /// The one that dialled.
    Client,
    /// The one that was dialled.
    Server,
}

/// A case that a backend is known to fail. Its test fails once the backend passes.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "tests write it down")]
pub struct Deviation {
    /// The case, such as `stops::the_first_stop_counts`.
    pub case: &'static str,
    /// With which end as the near one.
    pub near: Role,
    /// What the backend does instead, and why that stays.
    pub reason: &'static str,
}
