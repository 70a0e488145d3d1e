//! What can be wrong with a stream.

use crate::codec::CodecError;

/// A part of a stream that can't be used, where it is, and why.
#[derive(Debug, thiserror::Error)]
#[error("{} at byte {offset}: {problem}", named(track))]
#[non_exhaustive]
pub struct StreamError {
    /// The track's number in the input; `None` if all tracks may lack something.
    pub track: Option<u32>,
    /// Where the part begins, in bytes from the start of the input.
    pub offset: u64,
    /// What is wrong with it.
    #[source]
    pub problem: StreamProblem,
}

/// What is wrong with a part of a stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamProblem {
    /// Packets are missing in front of it.
    #[error("packets are missing: expected number {expected} of 16, found {found}")]
    Gap {
        /// The number that had to come.
        expected: u8,
        /// The number that came.
        found: u8,
    },
    /// Whoever received the packet marked it as damaged.
    #[error("packet is marked as damaged")]
    Marked,
    /// The packets are encrypted.
    #[error("packets are scrambled, which can't be published")]
    Scrambled,
    /// Bytes were passed over until packets came again.
    #[error("expected a packet that begins with 0x47, {0} bytes were passed over")]
    NoSync(u64),
    /// The header of a PES packet can't be read, or lacks a time.
    #[error("PES packet: expected {0}")]
    Pes(&'static str),
    /// A table can't be read.
    #[error("table {table}: expected {expected}")]
    Table {
        /// PAT or PMT.
        table: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The input ends in the middle of a packet.
    #[error("input ends inside a packet")]
    Truncated,
    /// It is larger than what is held.
    #[error("expected at most {limit} bytes, found more")]
    Limit {
        /// The limit.
        limit: usize,
    },
    /// The codec's bitstream can't be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl StreamError {
    pub(crate) fn new(track: Option<u32>, offset: u64, problem: StreamProblem) -> Self {
        Self {
            track,
            offset,
            problem,
        }
    }
}

fn named(track: &Option<u32>) -> String {
    track.map_or_else(|| "input".to_owned(), |track| format!("track {track}"))
}
