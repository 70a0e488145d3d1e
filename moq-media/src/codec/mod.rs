//! What a decoder has to be told: codec strings and configuration records.
//!
//! A codec's module reads its configuration record, writes the WebCodecs string, and makes a record
//! where a stream has none of its own.
//!
//! ```
//! use moq_media::codec::aac::AudioConfig;
//!
//! let config = AudioConfig::read(&[0x11, 0x90])?;
//! assert_eq!(config.codec_string(), "mp4a.40.2");
//! assert_eq!((config.sample_rate, config.channels), (48_000, 2));
//! # Ok::<(), moq_media::codec::CodecError>(())
//! ```

pub mod aac;
pub mod av1;
pub mod flac;
pub mod h264;
pub mod h265;
pub mod nal;
pub mod opus;
pub mod vp9;

mod access;
mod bits;
mod error;
mod family;

pub use access::{Access, access};
pub use error::CodecError;
pub use family::Family;

use bytes::Bytes;

use crate::catalog::Size;

/// What the catalog says of a stream, as far as it comes from the codec.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The WebCodecs string: `avc1.64001e`.
    pub codec: String,
    /// The configuration record that WebCodecs takes as `description`.
    pub description: Option<Bytes>,
    /// What kind of media it is, and its shape.
    pub media: Media,
}

impl Config {
    /// A configuration of these parts.
    #[must_use]
    pub fn new(codec: String, description: Option<Bytes>, media: Media) -> Self {
        Self {
            codec,
            description,
            media,
        }
    }
}

/// The shape of a stream's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Media {
    /// Pictures.
    Video {
        /// Pixels from left to right, 0 if unknown.
        width: u32,
        /// Pixels from top to bottom, 0 if unknown.
        height: u32,
    },
    /// Sound.
    Audio {
        /// Samples per second and channel.
        sample_rate: u32,
        /// How many channels there are.
        channels: u32,
    },
}

impl Media {
    /// Whether it is video.
    #[must_use]
    pub fn is_video(self) -> bool {
        matches!(self, Self::Video { .. })
    }

    /// The size of its pictures, if it has pictures and their size is known.
    #[must_use]
    pub fn size(self) -> Option<Size> {
        match self {
            Self::Video { width, height } if width > 0 && height > 0 => {
                Some(Size { width, height })
            }
            _ => None,
        }
    }
}
