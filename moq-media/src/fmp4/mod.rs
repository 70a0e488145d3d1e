//! Fragmented MP4: bytes in any pieces → samples, and samples → bytes.
//!
//! [`Demuxer`] reads `ftyp? moov (moof mdat+)*` as it comes, through everything that encoders and
//! packagers put between, and says what it found as [`Event`]s. [`Init`] and [`write_fragment`]
//! are the way back. Nothing here waits, and memory is bounded by [`Limits`].

mod boxes;
mod demux;
mod entry;
mod error;
mod event;
mod fragment;
mod init;
mod limits;
mod mux;
mod pending;
mod rope;
mod times;
mod write_entry;
mod write_init;

pub use boxes::Kind;
pub use demux::Demuxer;
pub use entry::SampleEntry;
pub use error::{BoxError, DemuxError, Problem};
pub use event::{Break, Event, Note, Sample};
pub use init::{Init, TrackInit};
pub use limits::Limits;
pub use mux::{FragmentSample, MuxError, write_fragment};
pub use write_entry::write_entry;
pub use write_init::{InitTrack, write_init};

pub(crate) use boxes::{Part, parts};
pub(crate) use fragment::{Defaults, read_fragment};
