//! What a demuxer tells.

use std::sync::Arc;

use super::error::BoxError;
use super::init::Init;
use crate::es::StreamError;
use crate::payload::Payload;

/// What was found in the input.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The tracks; again when the input describes other ones.
    Init(Arc<Init>),
    /// A sample. Those of one fragment come in the order of their decode times, of all tracks.
    Sample(Sample),
    /// All samples of a fragment have been told.
    FragmentEnd,
    /// Times of all tracks begin anew with the next sample.
    Discontinuity(Break),
    /// A fragment, or one track of it, can't be used. Samples are missing in these tracks, or in all
    /// if there are none in the list.
    Broken {
        /// What is wrong.
        error: BoxError,
        /// The tracks that lack samples.
        tracks: Vec<u32>,
    },
    /// Part of a stream without boxes can't be used. Samples are missing in its track, or in all if it
    /// names none.
    Damaged(StreamError),
    /// Something was passed over on purpose. Said once for each kind of it.
    Note(Note),
}

/// A sample with its times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// The track's number in the input.
    pub track: u32,
    /// When it is decoded, in ticks of the track, after the edit list: may be negative.
    pub dts: i64,
    /// When it is shown, likewise.
    pub pts: i64,
    /// How long it lasts, in ticks.
    pub duration: u32,
    /// Whether the input marks it as a sync sample.
    pub is_key: bool,
    /// Its bytes, as slices of the input.
    pub payload: Payload,
}

/// Why times begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// A `moov` that describes other tracks.
    NewInit,
    /// A decode time before the one of a sample that was there already.
    Back {
        /// The track that went back.
        track: u32,
    },
    /// A decode time far ahead of all tracks.
    Jump {
        /// The track that jumped.
        track: u32,
    },
}

/// What was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Fragments of a track that no `moov` describes.
    UnknownTrack(u32),
    /// Fragments before any `moov`.
    BeforeInit,
    /// Samples without bytes.
    EmptySample(u32),
}
