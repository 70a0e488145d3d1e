//! What a recording consists of.

use std::time::Duration;

use bytes::Bytes;

/// One record. Times named `at` count from the recording's start, in whole microseconds, also in the later
/// of several files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// The recording begins. It is the first record.
    Start {
        /// When, since 1970. All files of a recording say the same.
        unix: Duration,
    },
    /// This file is one of several. It is the second record.
    Part {
        /// Its place among them, from 1 on.
        number: u32,
        /// When it begins.
        at: Duration,
    },
    /// A broadcast gets a number.
    Broadcast {
        /// Its number in later records.
        broadcast: u32,
        /// Its path.
        path: String,
    },
    /// A track gets a number.
    Track {
        /// Its number in later records.
        track: u32,
        /// The number of its broadcast.
        broadcast: u32,
        /// Its name.
        name: String,
        /// The publisher's own wish; higher is more important.
        priority: u8,
        /// How long a group is kept once a newer one exists, in whole milliseconds of media time.
        max_age: Duration,
        /// Units of the frames' timestamps per second.
        timescale: u64,
    },
    /// A group begins.
    Group {
        /// The number of its track.
        track: u32,
        /// Its place in the track.
        sequence: u64,
        /// When it was seen.
        at: Duration,
    },
    /// A frame belongs to a group that has begun and not ended.
    Frame {
        /// The number of its track.
        track: u32,
        /// Its group.
        sequence: u64,
        /// When it arrived.
        at: Duration,
        /// Its media time, in units of the track's timescale.
        timestamp: u64,
        /// Its bytes.
        payload: Bytes,
    },
    /// A group of an earlier file goes on, or stands here once more, so that this file can be read alone.
    GroupAgain {
        /// The number of its track.
        track: u32,
        /// Its place in the track.
        sequence: u64,
        /// When this file began.
        at: Duration,
        /// How many of its frames stand in earlier files alone; 0 if it is here from its first frame on.
        first: u64,
    },
    /// A group ends.
    GroupEnd {
        /// The number of its track.
        track: u32,
        /// Its place in the track.
        sequence: u64,
        /// When it ended.
        at: Duration,
        /// Whether all of its frames came.
        is_whole: bool,
    },
    /// Groups of a track never came.
    Lost {
        /// The number of the track.
        track: u32,
        /// The first of them.
        first: u64,
        /// The one after the last.
        end: u64,
        /// When that was known.
        at: Duration,
    },
    /// A track ends.
    TrackEnd {
        /// Its number.
        track: u32,
        /// When it ended.
        at: Duration,
        /// Whether its publisher finished it.
        is_finished: bool,
    },
    /// Where groups begin. Broadcasts and tracks stand in front of it once more.
    Index {
        /// Some of the groups, in the order of their beginnings.
        entries: Vec<Entry>,
    },
    /// The recording is whole. It is the last record.
    End {
        /// How long it took.
        at: Duration,
        /// Where the broadcasts in front of the index begin, in bytes from the start of the file.
        index: u64,
    },
}

impl Record {
    /// When it was recorded, since the recording's start; `None` for what has no time.
    #[must_use]
    pub fn at(&self) -> Option<Duration> {
        match self {
            Self::Part { at, .. }
            | Self::Group { at, .. }
            | Self::GroupAgain { at, .. }
            | Self::Frame { at, .. }
            | Self::GroupEnd { at, .. }
            | Self::Lost { at, .. }
            | Self::TrackEnd { at, .. }
            | Self::End { at, .. } => Some(*at),
            Self::Start { .. }
            | Self::Broadcast { .. }
            | Self::Track { .. }
            | Self::Index { .. } => None,
        }
    }
}

/// Where a group begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The number of its track.
    pub track: u32,
    /// Its place in the track.
    pub sequence: u64,
    /// When it was seen, since the recording's start.
    pub at: Duration,
    /// Where its record begins, in bytes from the start of the file.
    pub offset: u64,
}

impl Entry {
    /// A group of the track `track` that begins at `offset`.
    #[must_use]
    pub fn new(track: u32, sequence: u64, at: Duration, offset: u64) -> Self {
        Self {
            track,
            sequence,
            at,
            offset,
        }
    }
}
