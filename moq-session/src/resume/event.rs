//! What a reader that goes on is told.

use std::fmt;

use moq_model::{ReadError, TrackInfo, TrackRead};

/// What a [`ResumingReader`](super::ResumingReader) yields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ResumeEvent {
    /// Nobody publishes the broadcast, as far as is known, and it is waited for. Told once each time.
    Waiting,
    /// The track is there, and is read.
    Reading {
        /// Its properties.
        info: TrackInfo,
        /// How what is read from here on goes with what was read before.
        continuity: Continuity,
    },
    /// A frame, or what is missing before it.
    Read(TrackRead),
    /// The subscription is lost, and the track is asked for again.
    Lost {
        /// What was lost with it.
        loss: Loss,
        /// How the track ended.
        error: ReadError,
    },
}

/// How what is read goes with what was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuity {
    /// Nothing was read before.
    First,
    /// The same publisher is read further, from this group and this frame of it.
    Resumed {
        /// The group's sequence.
        group: u64,
        /// The frame's place in the group, counted from 0.
        frame: usize,
    },
    /// The publisher is another one, or can't be told from another one; its groups are counted anew.
    Anew,
}

/// What was lost with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// This end's own session.
    Session,
    /// The broadcast, while the session goes on, or without one to be looked at.
    Broadcast,
}

/// Why a [`ResumingReader`](super::ResumingReader) does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The broadcast is there and has no such track.
    #[error("the broadcast has no such track")]
    NoTrack,
    /// Nobody has answered for the track in time.
    #[error("no answer for the track in time")]
    NoAnswer,
    /// The broadcast ended before its finish, or its publisher has no capacity for one more reader, as far
    /// as this end can tell.
    #[error("the broadcast vanished without an end")]
    Vanished(#[source] ReadError),
    /// There will be no further session.
    #[error("there will be no further session")]
    NoSession,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "the session",
            Self::Broadcast => "the broadcast",
        })
    }
}
