//! The kinds of input, as one.

use bytes::Bytes;

use crate::fmp4::{self, DemuxError, Event, Limits};
use crate::timeline::Scale;
use crate::{annexb, ts};

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum InputFormat {
    /// Fragmented MP4.
    #[default]
    Fmp4,
    /// An MPEG transport stream.
    MpegTs,
    /// H.264 with start codes.
    AnnexB {
        /// Ticks per second, and of a picture; `None` as the stream says.
        rate: Option<(Scale, u32)>,
    },
}

/// Reads an input.
#[derive(Debug)]
pub(super) enum Input {
    Fmp4(Box<fmp4::Demuxer>),
    MpegTs(Box<ts::Demuxer>),
    AnnexB(Box<annexb::Demuxer>),
}

impl Input {
    pub(super) fn new(format: InputFormat, limits: Limits) -> Self {
        match format {
            InputFormat::Fmp4 => Self::Fmp4(Box::new(fmp4::Demuxer::new(limits))),
            InputFormat::MpegTs => Self::MpegTs(Box::default()),
            InputFormat::AnnexB { rate } => Self::AnnexB(Box::new(annexb::Demuxer::new(rate))),
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Fmp4(demuxer) => demuxer.push(chunk),
            Self::MpegTs(demuxer) => demuxer.push(chunk),
            Self::AnnexB(demuxer) => demuxer.push(chunk),
        }
    }

    pub(super) fn finish(&mut self) {
        match self {
            Self::Fmp4(demuxer) => demuxer.finish(),
            Self::MpegTs(demuxer) => demuxer.finish(),
            Self::AnnexB(demuxer) => demuxer.finish(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Event>, DemuxError> {
        match self {
            Self::Fmp4(demuxer) => demuxer.next(),
            Self::MpegTs(demuxer) => demuxer.next(),
            Self::AnnexB(demuxer) => demuxer.next(),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Fmp4(demuxer) => demuxer.offset(),
            Self::MpegTs(demuxer) => demuxer.offset(),
            Self::AnnexB(demuxer) => demuxer.offset(),
        }
    }

    /// Whether the input could end here. H.264 alone can end anywhere.
    pub(super) fn is_at_border(&self) -> bool {
        match self {
            Self::Fmp4(demuxer) => demuxer.is_at_border(),
            Self::MpegTs(demuxer) => demuxer.is_at_border(),
            Self::AnnexB(_) => true,
        }
    }
}
