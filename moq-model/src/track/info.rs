//! What a track is, and what a reader wants of it.

use std::sync::Arc;
use std::time::Duration;

use crate::time::Timescale;

/// A track's name and properties, for creating it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Track {
    /// Opaque text, unique within the broadcast.
    pub name: Arc<str>,
    /// What does not change while the track lives.
    pub info: TrackInfo,
}

impl Track {
    /// A track with the default properties.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            info: TrackInfo::default(),
        }
    }

    /// Keeps groups for `max_age` of media time once a newer one exists.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.info.max_age = max_age;
        self
    }

    /// Counts timestamps in `timescale` units per second.
    #[must_use]
    pub fn with_timescale(mut self, timescale: Timescale) -> Self {
        self.info.timescale = timescale;
        self
    }

    /// Tells readers how important the publisher thinks the track is; higher is more.
    #[must_use]
    pub fn with_priority(mut self, priority: u8) -> Self {
        self.info.priority = priority;
        self
    }
}

/// A track's fixed properties. Draft: TRACK_INFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackInfo {
    /// The publisher's own wish; higher is more important.
    pub priority: u8,
    /// How long a group is kept once a newer one exists, in media time.
    pub max_age: Duration,
    /// Units of the frames' timestamps.
    pub timescale: Timescale,
}

impl Default for TrackInfo {
    fn default() -> Self {
        Self {
            priority: 127,
            max_age: Duration::from_secs(5),
            timescale: Timescale::MILLIS,
        }
    }
}

/// What a reader wants of a track. Draft: SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// Among the subscriptions of a session; higher is sent first.
    pub priority: u8,
    /// How far behind the newest group a group may be, in media time; the track's own limit
    /// holds too.
    pub max_age: Duration,
    /// How long reading in sequence waits for a group that may still come, once a group behind it
    /// has arrived; by default the track's own max age.
    pub patience: Option<Duration>,
    /// Where reading begins.
    pub start: Start,
    /// The sequence after the last group that is wanted; `None` for all there will be.
    pub end: Option<u64>,
}

impl Subscription {
    /// Begins elsewhere than at the newest group.
    #[must_use]
    pub fn with_start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Accepts groups that are up to `max_age` old.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Waits for groups that may still come for as long as `patience`, in sequence.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Ranks this subscription within its session.
    #[must_use]
    pub fn with_priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Ends before group `end`.
    #[must_use]
    pub fn with_end(mut self, end: u64) -> Self {
        self.end = Some(end);
        self
    }
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            priority: 127,
            max_age: Duration::MAX,
            patience: None,
            start: Start::Newest,
            end: None,
        }
    }
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete by nature: the newest, or no earlier than one"
)]
pub enum Start {
    /// At the newest group, from its first frame.
    #[default]
    Newest,
    /// At the oldest group that is held, not too old and not below this sequence.
    Floor(u64),
}

impl Start {
    /// At the oldest group that is held and not too old.
    pub const OLDEST: Self = Self::Floor(0);
}
