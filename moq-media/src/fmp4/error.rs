//! What can be wrong with an MP4.

use super::boxes::Kind;

/// A box that can't be used, where it is, and why.
#[derive(Debug, thiserror::Error)]
#[error("box {kind} at byte {offset}: {problem}")]
#[non_exhaustive]
pub struct BoxError {
    /// The box.
    pub kind: Kind,
    /// Where it begins, in bytes from the start of the input.
    pub offset: u64,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a box.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is smaller than its header.
    #[error("expected a size of at least 8, found {0}")]
    Size(u64),
    /// It reaches beyond the box around it, or beyond the end of the input.
    #[error("expected {expected} bytes, found {found}")]
    Short {
        /// Bytes that the box says it has.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// It is larger than [`Limits`](super::Limits) allow.
    #[error("expected at most {limit}, found {found}")]
    Limit {
        /// The limit.
        limit: u64,
        /// What the box has.
        found: u64,
    },
    /// It lacks a box that has to be in it.
    #[error("expected a box {0} in it, found none")]
    Missing(Kind),
    /// A field of it has a value that makes no sense.
    #[error("field {field}: expected {expected}, found {found}")]
    Field {
        /// The field's name in the specification.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: u64,
    },
    /// Its fields can't be read.
    #[error("malformed")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its samples are not in the `mdat` boxes that follow it.
    #[error("expected its samples in the mdat behind it, {missing} are outside")]
    Samples {
        /// How many samples have no bytes.
        missing: usize,
    },
    /// It holds what this crate has no use for, which the text names.
    #[error("{0}")]
    Unsupported(String),
}

impl BoxError {
    pub(crate) fn new(kind: Kind, offset: u64, problem: Problem) -> Self {
        Self {
            kind,
            offset,
            problem,
        }
    }
}

/// Why an input ends before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemuxError {
    /// Before any `moov`, there are bytes that are no MP4 box.
    #[error("input is no MP4: expected a box such as ftyp or moov at byte {offset}, found {found}")]
    NotMp4 {
        /// The four bytes where a box has its name.
        found: Kind,
        /// Where the box would begin.
        offset: u64,
    },
    /// The file keeps its samples in one piece, with an index before or behind them.
    #[error(
        "input is not fragmented: box {kind} at byte {offset}, expected moov and then moof; \
         with ffmpeg, write it by `-c copy -f mp4 -movflags +frag_keyframe+empty_moov+default_base_moof`"
    )]
    NotFragmented {
        /// The box that shows it.
        kind: Kind,
        /// Where that begins.
        offset: u64,
    },
    /// The input's description of its tracks can't be used.
    #[error("input can't be read")]
    Init(#[from] BoxError),
    /// Too many fragments in a row can't be used.
    #[error("{count} broken fragments in a row, the last: {last}")]
    Broken {
        /// How many.
        count: u32,
        /// What is wrong with the last of them.
        #[source]
        last: BoxError,
    },
    /// The input ended in the middle of a box. What was whole has been delivered.
    #[error("input ends inside box {kind}, at byte {offset}")]
    Truncated {
        /// The box that is cut.
        kind: Kind,
        /// Where the input ends.
        offset: u64,
    },
    /// The input is no MPEG transport stream.
    #[error(
        "input is no MPEG-TS: expected the byte 0x47 every 188 bytes, found none up to byte {offset}; \
         ffmpeg writes it with `-f mpegts`"
    )]
    NotTs {
        /// Where the search ended.
        offset: u64,
    },
    /// The transport stream ended before it told which streams it has.
    #[error("input ended at byte {offset} without a program in it: no PAT and PMT was found")]
    NoProgram {
        /// Where the input ends.
        offset: u64,
    },
    /// The input is no H.264 with start codes.
    #[error(
        "input is no H.264 with start codes: expected bytes 0, 0, 1 and parameter sets, found none at \
         byte {offset}; ffmpeg writes it with `-c:v libx264 -f h264`"
    )]
    NotAnnexB {
        /// Where they had to be.
        offset: u64,
    },
    /// The input ended without a `moov`.
    #[error(
        "input ended at byte {offset} without a moov box, which ffmpeg writes first with `-movflags +empty_moov`"
    )]
    NoMoov {
        /// Where the input ends.
        offset: u64,
    },
}
