//! What is to be published.

use std::time::Duration;

use bytes::Bytes;

use crate::catalog::{Catalog, Size};
use crate::codec::CodecError;
use crate::es::StreamError;
use crate::fmp4::{BoxError, Break};
use crate::timeline::Scale;

/// One thing to publish. Tracks are named by a number that [`Output::Open`] gives them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// A track begins.
    Open(Opened),
    /// The catalog is this from here on.
    Catalog(Catalog),
    /// A group of a track begins; the one before it is complete.
    Group {
        /// The track's number.
        track: usize,
    },
    /// A frame belongs to the group that is open.
    Frame {
        /// The track's number.
        track: usize,
        /// When it is shown, in ticks of the track's scale.
        timestamp: u64,
        /// When it is decoded, in the broadcast's time: when a file is to send it.
        due: Duration,
        /// Its bytes, in the track's container.
        payload: Bytes,
    },
    /// The open group of a track is complete, and the next frame is not to be expected soon.
    EndGroup {
        /// The track's number.
        track: usize,
    },
    /// A track has ended.
    Finish {
        /// The track's number.
        track: usize,
    },
    /// Something that a person should know.
    Notice(Notice),
}

/// A track that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Its number in later outputs.
    pub track: usize,
    /// Its name, which is its rendition's in the catalog.
    pub name: String,
    /// Whether it is video.
    pub is_video: bool,
    /// The unit of its frames' timestamps.
    pub scale: Scale,
    /// Higher is sent first.
    pub priority: u8,
}

/// Something that went wrong, or that was left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Notice {
    /// A track of the input is not published.
    #[error("track {track} is left out: {reason}")]
    LeftOut {
        /// Its number in the input.
        track: u32,
        /// Why.
        reason: String,
    },
    /// A track's edit list has several parts of the media, of which the first one counts.
    #[error("track {0} has an edit list of several parts, only the first is followed")]
    MoreEdits(u32),
    /// Fragments of a track that no `moov` describes are left out.
    #[error("fragments of track {0} are left out, moov does not describe it")]
    UnknownTrack(u32),
    /// What came before the first `moov` is left out.
    #[error("fragments before the first moov are left out")]
    BeforeInit,
    /// Samples without bytes are left out.
    #[error("samples of track {0} without bytes are left out")]
    EmptySamples(u32),
    /// Video waits for its first key frame.
    #[error("{name} waits for a key frame, until then its samples are left out")]
    WaitsForKey {
        /// The track's name.
        name: String,
    },
    /// Key frames are far apart, so that viewers wait long for a picture.
    #[error("{name} has {seconds} s between key frames; joining takes as long (ffmpeg: -g)")]
    LongGroup {
        /// The track's name.
        name: String,
        /// Seconds from one to the next.
        seconds: u64,
    },
    /// A sample's bitstream can't be read; the rest of its group is left out.
    #[error("{name}: a sample is left out")]
    BadSample {
        /// The track's name.
        name: String,
        /// What is wrong.
        #[source]
        error: CodecError,
    },
    /// The rest of a group is left out, because it can't be held.
    #[error("{name}: the rest of a group is left out: {reason}")]
    GroupCut {
        /// The track's name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A fragment is left out.
    #[error("a fragment is left out")]
    Broken(#[source] BoxError),
    /// Part of a stream is left out.
    #[error("part of the input is left out")]
    Damaged(#[source] StreamError),
    /// The input's time broke, and goes on without a gap in the broadcast.
    #[error("the input's time begins anew ({0:?})")]
    Discontinuity(Break),
}

/// What was published of a track.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TrackStats {
    /// The track's name.
    pub name: String,
    /// Its WebCodecs string.
    pub codec: String,
    /// The size of its pictures, if it has pictures.
    pub size: Option<Size>,
    /// Samples that were published.
    pub samples: u64,
    /// Samples that were left out for want of a key frame.
    pub dropped: u64,
    /// Groups that were begun.
    pub groups: u64,
    /// Bytes of samples, without their containers.
    pub bytes: u64,
    /// When its first sample is shown, in the broadcast's time.
    pub start: Duration,
    /// Up to where the track reaches, in the broadcast's time.
    pub end: Duration,
    /// How long ago its newest frame was published; `None` if none was. A packager does not know.
    pub age: Option<Duration>,
}
