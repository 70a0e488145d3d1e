//! Tracks as they came, in one file: groups with their numbers, frames with their times, and when each
//! of them arrived.
//!
//! A recording is a sequence of records, and only grows. Where it was cut off, it is good up to its last
//! whole record. `docs/recording.md` says what its bytes are. Nothing here reads or writes files.
//!
//! ```
//! use std::time::Duration;
//!
//! use moq_media::recording::{Record, RecordingReader, RecordingWriter};
//!
//! let (mut writer, start) = RecordingWriter::start(Duration::from_secs(1_800_000_000));
//! let path = "live/cam".to_owned();
//! let broadcast = writer.write(&Record::Broadcast { broadcast: 0, path });
//! let end = writer.finish(Duration::from_secs(1));
//!
//! let mut reader = RecordingReader::default();
//! for bytes in [start, broadcast.into_iter().flatten().collect(), end] {
//!     reader.push(&bytes);
//! }
//! let mut records = Vec::new();
//! while let Some((_, record)) = reader.next()? {
//!     records.push(record);
//! }
//! assert!(matches!(&records[1], Record::Broadcast { path, .. } if path == "live/cam"));
//! assert!(reader.is_complete() && reader.rest() == 0);
//! # Ok::<(), moq_media::recording::RecordingError>(())
//! ```

mod body;
mod checksum;
mod read;
mod record;
mod write;

#[cfg(test)]
mod tests;

#[cfg(feature = "fuzz")]
pub(crate) use write::framed;

pub use read::{RecordingError, RecordingReader};
pub use record::{Entry, Record};
pub use write::RecordingWriter;

/// What a recording begins with: its name and the version of the format.
pub const MAGIC: [u8; 8] = *b"moqrec\0\x01";

/// How many bytes the last record of a whole recording takes, head included: whoever has a file can begin
/// with it.
pub const END_BYTES: usize = HEAD + 1 + 8 + 8;

/// Bytes with which a file says whether it is one of several: its first two records.
pub const START_BYTES: usize = MAGIC.len() + HEAD + 1 + 8 + HEAD + 1 + 4 + 8;

/// The length and the checksum in front of a record.
const HEAD: usize = 8;

/// What a record may have at most, which is more than a group can.
const MAX_BODY: usize = 40 << 20;
