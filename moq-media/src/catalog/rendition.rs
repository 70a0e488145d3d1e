//! What a catalog says, as types.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

/// A broadcast's media: renditions by the name of the track that carries them.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Catalog {
    /// Video renditions by track name.
    pub video: BTreeMap<String, VideoRendition>,
    /// Audio renditions by track name.
    pub audio: BTreeMap<String, AudioRendition>,
    /// The size at which video is meant to be shown, in pixels.
    pub display: Option<Size>,
    /// How far video is to be turned clockwise, in degrees.
    pub rotation: Option<f64>,
    /// Whether video is to be mirrored.
    pub flip: Option<bool>,
    /// Fields of the section `video` that are not known here.
    pub video_other: Map<String, Value>,
    /// Fields of the section `audio` that are not known here.
    pub audio_other: Map<String, Value>,
    /// Sections that are not known here.
    pub other: Map<String, Value>,
}

impl Catalog {
    /// Whether there is neither video nor audio.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.video.is_empty() && self.audio.is_empty()
    }
}

/// A width and a height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a size has two sides")]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// How frames of a rendition are wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Container {
    /// A varint of microseconds, then the codec's payload.
    #[default]
    Legacy,
    /// A block of properties, then the codec's payload.
    Loc,
    /// A `moof` and an `mdat` of one track.
    Cmaf {
        /// `ftyp` and `moov` of that track.
        init: Bytes,
    },
    /// A kind that is not known here. The rendition can't be played, and is written as it was read.
    Unknown(Value),
}

/// A video track of a broadcast.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VideoRendition {
    /// The WebCodecs string: `avc1.64001e`.
    pub codec: String,
    /// How frames are wrapped.
    pub container: Container,
    /// The decoder's configuration record, `avcC` for `avc1`. Absent when it is in the bitstream.
    pub description: Option<Bytes>,
    /// The size of a decoded picture.
    pub coded: Option<Size>,
    /// Pictures per second, if they come evenly.
    pub framerate: Option<f64>,
    /// Bits per second.
    pub bitrate: Option<u64>,
    /// The largest gap between two arrivals, in milliseconds.
    pub jitter: Option<u64>,
    /// Fields that are not known here.
    pub other: Map<String, Value>,
}

impl VideoRendition {
    /// A legacy rendition of `codec` about which nothing else is known.
    #[must_use]
    pub fn new(codec: impl Into<String>) -> Self {
        Self {
            codec: codec.into(),
            container: Container::Legacy,
            description: None,
            coded: None,
            framerate: None,
            bitrate: None,
            jitter: None,
            other: Map::new(),
        }
    }

    /// Whether a decoder for `self` goes on with frames of `other`: codec, container and
    /// configuration agree. Bit rates, sizes and the like may differ.
    #[must_use]
    pub fn is_same_stream(&self, other: &Self) -> bool {
        self.codec == other.codec
            && self.container == other.container
            && self.description == other.description
            && self.other.get(BROADCAST) == other.other.get(BROADCAST)
    }
}

/// An audio track of a broadcast.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AudioRendition {
    /// The WebCodecs string: `mp4a.40.2`.
    pub codec: String,
    /// How frames are wrapped.
    pub container: Container,
    /// The decoder's configuration record, the AudioSpecificConfig for AAC.
    pub description: Option<Bytes>,
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// How many channels there are.
    pub channels: u32,
    /// Bits per second.
    pub bitrate: Option<u64>,
    /// The largest gap between two arrivals, in milliseconds.
    pub jitter: Option<u64>,
    /// Fields that are not known here.
    pub other: Map<String, Value>,
}

impl AudioRendition {
    /// A legacy rendition of `codec` about which nothing else is known.
    #[must_use]
    pub fn new(codec: impl Into<String>, sample_rate: u32, channels: u32) -> Self {
        Self {
            codec: codec.into(),
            container: Container::Legacy,
            description: None,
            sample_rate,
            channels,
            bitrate: None,
            jitter: None,
            other: Map::new(),
        }
    }

    /// Whether a decoder for `self` goes on with frames of `other`.
    #[must_use]
    pub fn is_same_stream(&self, other: &Self) -> bool {
        self.codec == other.codec
            && self.container == other.container
            && self.description == other.description
            && self.sample_rate == other.sample_rate
            && self.channels == other.channels
            && self.other.get(BROADCAST) == other.other.get(BROADCAST)
    }
}

/// The field of a rendition that is carried by another broadcast.
const BROADCAST: &str = "broadcast";
