//! Elementary streams: what a track carries without boxes around its samples.

mod aac;
mod error;
mod opus;
mod video;

pub use error::{StreamError, StreamProblem};

pub(crate) use aac::AacStream;
pub(crate) use opus::OpusStream;
pub(crate) use video::{Codec, VideoStream};

use crate::codec::CodecError;
use crate::fmp4::Sample;
use crate::payload::Payload;

/// A sample of a stream, before it is known which track it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) dts: i64,
    pub(crate) pts: i64,
    pub(crate) duration: u32,
    pub(crate) is_key: bool,
    pub(crate) payload: Payload,
}

impl Unit {
    /// The sample of a track.
    pub(crate) fn of_track(self, track: u32) -> Sample {
        let Self {
            dts,
            pts,
            duration,
            is_key,
            payload,
        } = self;
        Sample {
            track,
            dts,
            pts,
            duration,
            is_key,
            payload,
        }
    }
}

/// What came of a piece of a stream.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Samples that are complete.
    pub(crate) units: Vec<Unit>,
    /// Whether a decoder has to be told something else from the next sample on.
    pub(crate) is_new: bool,
    /// What could not be used.
    pub(crate) error: Option<CodecError>,
}

/// Ticks per second of a transport stream's times.
pub(crate) const TICKS: u32 = 90_000;
