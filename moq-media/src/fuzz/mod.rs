//! Bodies of fuzz targets, for whatever makes up the input: a fuzzer, a seeded loop, a corpus.
//!
//! A target panics if one of these does not hold:
//!
//! - `demux`: how a file is cut into pieces changes nothing, samples take no more bytes than came, and
//!   what is held is bounded by the input and the limits;
//! - `media`: what is published of a file can be read, and the file that becomes of it is whole;
//! - `catalog`: a catalog that was read is the same once written and read again;
//! - `frame`: so is a frame, and its samples take no more bytes than it has;
//! - `ts`, `annexb`: as `demux`, for transport streams and H.264 with start codes;
//! - `recording`: so is a record, and how a recording is cut into pieces changes nothing;
//! - nothing panics.
//!
//! The first byte of an input of `demux`, `media`, `frame`, `ts`, `annexb` and `recording` picks the size of the pieces,
//! the format, or the container. An input of `catalog` is a document and patches, with zero bytes between.

mod catalog;
mod check;
mod demux;
mod frame;
mod media;
mod recording;
mod streams;

pub use catalog::catalog;
pub use check::{Meter, measure_with};
pub use demux::demux;
pub use frame::frame;
pub use media::media;
pub use recording::recording;
pub use streams::{annexb, ts};

/// Takes an input and panics if it finds something wrong.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("demux", demux),
    ("media", media),
    ("catalog", catalog),
    ("frame", frame),
    ("recording", recording),
    ("ts", ts),
    ("annexb", annexb),
];
