//! The streams of a program.

use super::pes::Pes;
use super::sections::Named;
use crate::es::{AacStream, Codec, OpusStream, Taken, Unit, VideoStream};
use crate::fmp4::SampleEntry;

/// A stream that is read.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) pid: u16,
    pub(super) kind: Kind,
    pub(super) pes: Pes,
    elementary: Elementary,
    /// Whether it was told that the stream is scrambled.
    pub(super) is_scrambled: bool,
    /// When the last PES packet ended, or its picture is over.
    end: Option<i64>,
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    H264,
    H265,
    Aac,
    Opus { channels: u32 },
}

#[derive(Debug)]
enum Elementary {
    Video(VideoStream),
    Aac(AacStream),
    Opus(OpusStream),
}

impl Kind {
    /// What a stream of a PMT carries.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(super) fn of(named: &Named) -> Result<Self, String> {
        match named.kind {
            0x1b => Ok(Self::H264),
            0x24 => Ok(Self::H265),
            0x0f => Ok(Self::Aac),
            0x06 if named.descriptors.iter().any(is_opus) => opus(named),
            0x11 => Err("AAC in LATM is not supported, ADTS is".to_owned()),
            kind => Err(format!("stream type {kind:#04x} is not supported")),
        }
    }

    fn elementary(self) -> Elementary {
        match self {
            Self::H264 => Elementary::Video(VideoStream::new(Codec::H264)),
            Self::H265 => Elementary::Video(VideoStream::new(Codec::H265)),
            Self::Aac => Elementary::Aac(AacStream::default()),
            Self::Opus { channels } => Elementary::Opus(OpusStream::new(channels)),
        }
    }
}

fn is_opus((tag, body): &(u8, Vec<u8>)) -> bool {
    *tag == REGISTRATION && body == b"Opus"
}

fn opus(named: &Named) -> Result<Kind, String> {
    let mut extensions = named
        .descriptors
        .iter()
        .filter(|(tag, _)| *tag == EXTENSION);
    let channels = extensions.find_map(|(_, body)| match body.as_slice() {
        [OPUS, channels, ..] => Some(*channels),
        _ => None,
    });
    match channels {
        Some(channels @ 1..=2) => Ok(Kind::Opus {
            channels: channels.into(),
        }),
        None => Ok(Kind::Opus { channels: 2 }),
        Some(other) => Err(format!("Opus with channels {other:#04x}, expected 1 or 2")),
    }
}

impl Stream {
    pub(super) fn new(pid: u16, kind: Kind) -> Self {
        Self {
            pid,
            kind,
            pes: Pes::default(),
            elementary: kind.elementary(),
            is_scrambled: false,
            end: None,
        }
    }

    /// What a decoder has to be told; `None` until it came.
    pub(super) fn entry(&self) -> Option<&SampleEntry> {
        match &self.elementary {
            Elementary::Video(video) => video.entry.as_ref(),
            Elementary::Aac(aac) => aac.entry.as_ref(),
            Elementary::Opus(opus) => opus.entry.as_ref(),
        }
    }

    /// Takes the payload of a PES packet.
    pub(super) fn take(&mut self, payload: &bytes::Bytes, dts: i64, pts: i64) -> Taken {
        let taken = match &mut self.elementary {
            Elementary::Video(video) => video.take(payload, dts, pts),
            Elementary::Aac(aac) => aac.take(payload, pts),
            Elementary::Opus(opus) => opus.take(payload, pts),
        };
        let last = taken.units.last();
        self.end = match &self.elementary {
            Elementary::Video(_) => last.map(|unit| dts.saturating_add(unit.duration.into())),
            Elementary::Aac(_) | Elementary::Opus(_) => {
                last.map(|unit| unit.dts.saturating_add(unit.duration.into()))
            }
        };
        taken
    }

    /// When a PES packet without times is decoded, if that is known.
    pub(super) fn expected(&self) -> Option<i64> {
        self.end
    }

    /// The sample that waits for the next one.
    pub(super) fn release(&mut self) -> Option<Unit> {
        match &mut self.elementary {
            Elementary::Video(video) => video.release(None),
            Elementary::Aac(_) | Elementary::Opus(_) => None,
        }
    }

    /// Packets are missing.
    pub(super) fn cut(&mut self) {
        self.pes.cut();
        self.end = None;
        if let Elementary::Aac(aac) = &mut self.elementary {
            aac.cut();
        }
    }
}

const REGISTRATION: u8 = 5;

const EXTENSION: u8 = 0x7f;

/// Among the extensions.
const OPUS: u8 = 0x80;
