//! Sample entries: what a track's `stsd` says of its codec.

use bytes::Bytes;

use super::boxes::{Kind, Part, parts};
use super::error::{BoxError, Problem};
use crate::codec::aac::AudioConfig;
use crate::codec::av1::Av1Config;
use crate::codec::h264::{self, Avcc};
use crate::codec::h265::Hvcc;
use crate::codec::opus::OpusConfig;
use crate::codec::vp9::VpConfig;
use crate::codec::{CodecError, Config, Media, flac};

/// One entry of an `stsd`, as it was read and as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleEntry {
    /// `avc1`, `mp4a` and the like.
    pub kind: Kind,
    /// The whole box.
    pub bytes: Bytes,
    /// What a decoder has to be told.
    pub config: Config,
    /// Bytes of a NAL unit's length, for codecs that have them.
    pub nal_length_size: usize,
    /// Whether it was made for a stream that came without one.
    pub(crate) is_made: bool,
}

impl SampleEntry {
    /// Reads an entry that is cut out of `moov`.
    pub(super) fn read(moov: &Bytes, entry: &Part<'_>) -> Result<Self, BoxError> {
        let kind = entry.kind;
        let config = match &kind.0 {
            b"encv" | b"enca" => {
                let text = "encrypted media can't be published".to_owned();
                return Err(entry.error(Problem::Unsupported(text)));
            }
            b"avc1" | b"avc3" | b"hvc1" | b"hev1" | b"av01" | b"vp08" | b"vp09" => {
                video(moov, entry)?
            }
            b"mp4a" | b"Opus" | b"fLaC" | b".mp3" => audio(moov, entry)?,
            _ => {
                let text = format!("codec {kind} is not supported");
                return Err(entry.error(Problem::Unsupported(text)));
            }
        };
        let length_size = config.description.as_ref().map_or(4, |record| {
            let at = if matches!(&kind.0, b"hvc1" | b"hev1") {
                21
            } else {
                4
            };
            usize::from(record.get(at).map_or(3, |byte| byte & 3)) + 1
        });
        Ok(Self {
            kind,
            bytes: moov.slice_ref(entry.whole),
            config,
            nal_length_size: length_size,
            is_made: false,
        })
    }
}

fn video(moov: &Bytes, entry: &Part<'_>) -> Result<Config, BoxError> {
    let short = |expected| {
        let found = entry.body.len() as u64;
        entry.error(Problem::Short { expected, found })
    };
    let head = entry.body.first_chunk::<VIDEO_HEAD>();
    let head = head.ok_or_else(|| short(VIDEO_HEAD as u64))?;
    let mut width = u32::from(u16::from_be_bytes([head[24], head[25]]));
    let mut height = u32::from(u16::from_be_bytes([head[26], head[27]]));
    let record = |kind| config_box(moov, entry, VIDEO_HEAD, kind);
    let name = String::from_utf8_lossy(&entry.kind.0).into_owned();
    let (codec, description) = match &entry.kind.0 {
        b"avc1" | b"avc3" => {
            let (at, record) = record(b"avcC")?;
            let avcc = Avcc::read(&record).map_err(|error| at.malformed(error))?;
            if let Some(Ok(sps)) = avcc.sps.first().map(|sps| h264::Sps::read(sps)) {
                (width, height) = (sps.width, sps.height);
            }
            (avcc.codec_string(&name), Some(record))
        }
        b"hvc1" | b"hev1" => {
            let (at, record) = record(b"hvcC")?;
            let hvcc = Hvcc::read(&record).map_err(|error| at.malformed(error))?;
            if let Some(sps) = hvcc.sps() {
                (width, height) = (sps.width, sps.height);
            }
            (hvcc.codec_string(&name), Some(record))
        }
        b"av01" => {
            let (at, record) = record(b"av1C")?;
            let config = Av1Config::read(&record).map_err(|error| at.malformed(error))?;
            (config.codec_string(), None)
        }
        b"vp09" => {
            let (at, record) = record(b"vpcC")?;
            let config = VpConfig::read(&record).map_err(|error| at.malformed(error))?;
            (config.codec_string(), None)
        }
        _ => ("vp8".to_owned(), None),
    };
    Ok(Config::new(
        codec,
        description,
        Media::Video { width, height },
    ))
}

fn audio(moov: &Bytes, entry: &Part<'_>) -> Result<Config, BoxError> {
    let found = entry.body.len() as u64;
    let head = entry.body.first_chunk::<AUDIO_HEAD>().ok_or_else(|| {
        let expected = AUDIO_HEAD as u64;
        entry.error(Problem::Short { expected, found })
    })?;
    // QuickTime's versions 1 and 2 have more fields.
    let extra = match head[9] {
        1 => 16,
        2 => 36,
        _ => 0,
    };
    let channels = u32::from(u16::from_be_bytes([head[16], head[17]]));
    let sample_rate = u32::from(u16::from_be_bytes([head[24], head[25]]));
    let mut media = (sample_rate, channels);
    let record = |kind| config_box(moov, entry, AUDIO_HEAD + extra, kind);
    let (codec, description) = match &entry.kind.0 {
        b"Opus" => {
            let (at, record) = record(b"dOps")?;
            let config = OpusConfig::read_dops(&record).map_err(|error| at.malformed(error))?;
            media = (48_000, config.channels.into());
            // Players take a description for more channels only.
            let head = (config.channels > 2).then(|| config.write_head());
            ("opus".to_owned(), head)
        }
        b"fLaC" => {
            let (at, record) = record(b"dfLa")?;
            let description = flac::description(&record);
            let description = description.map_err(|error| at.malformed(error))?;
            media = flac::shape(&description).map_err(|error| at.malformed(error))?;
            ("flac".to_owned(), Some(description))
        }
        b".mp3" => ("mp3".to_owned(), None),
        _ => {
            let (at, record) = record(b"esds")?;
            mpeg4_audio(&at, &record, &mut media)?
        }
    };
    let (sample_rate, channels) = media;
    let media = Media::Audio {
        sample_rate,
        channels,
    };
    Ok(Config::new(codec, description, media))
}

fn mpeg4_audio(
    at: &ConfigBox,
    esds: &Bytes,
    media: &mut (u32, u32),
) -> Result<(String, Option<Bytes>), BoxError> {
    let (object_type, specific) = decoder_config(esds).ok_or_else(|| {
        at.malformed(CodecError::Truncated {
            record: "esds",
            field: "DecoderConfigDescriptor",
        })
    })?;
    match object_type {
        MPEG4_AUDIO => {
            let config = AudioConfig::read(&specific).map_err(|error| at.malformed(error))?;
            let channels = if config.channels == 0 {
                media.1
            } else {
                config.channels
            };
            *media = (config.sample_rate, channels);
            Ok((config.codec_string(), Some(specific)))
        }
        MPEG1_AUDIO | MPEG2_AUDIO => Ok(("mp3".to_owned(), None)),
        found => {
            let problem = Problem::Field {
                field: "objectTypeIndication",
                expected: "0x40 (AAC), 0x69 or 0x6b (MP3)",
                found: found.into(),
            };
            Err(BoxError::new(at.kind, at.offset, problem))
        }
    }
}

/// The object type and the decoder's specific info of an `esds`, from its version on.
fn decoder_config(esds: &Bytes) -> Option<(u8, Bytes)> {
    let mut at = esds.slice(4.min(esds.len())..);
    let (tag, mut body) = descriptor(&mut at)?;
    if tag != ES_DESCRIPTOR {
        return None;
    }
    let flags = *body.get(2)?;
    let mut skip = 3;
    skip += if flags & 0x80 != 0 { 2 } else { 0 };
    skip += if flags & 0x40 != 0 {
        1 + usize::from(*body.get(skip)?)
    } else {
        0
    };
    skip += if flags & 0x20 != 0 { 2 } else { 0 };
    body = body.get(skip..).map(|rest| body.slice_ref(rest))?;
    let (tag, config) = descriptor(&mut body)?;
    let object_type = *config.first().filter(|_| tag == DECODER_CONFIG)?;
    let mut rest = config.get(13..).map(|rest| config.slice_ref(rest))?;
    let specific = match descriptor(&mut rest) {
        Some((DECODER_SPECIFIC, specific)) => specific,
        _ => Bytes::new(),
    };
    Some((object_type, specific))
}

/// Takes a descriptor off the front: its tag and its body.
fn descriptor(bytes: &mut Bytes) -> Option<(u8, Bytes)> {
    let tag = *bytes.first()?;
    let mut length = 0;
    let mut at = 1;
    loop {
        let byte = *bytes.get(at)?;
        length = length << 7 | usize::from(byte & 0x7f);
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if at > 4 {
            return None;
        }
    }
    let end = at.checked_add(length).filter(|end| *end <= bytes.len())?;
    let body = bytes.slice(at..end);
    *bytes = bytes.slice(end..);
    Some((tag, body))
}

/// Where a configuration record was found.
struct ConfigBox {
    kind: Kind,
    offset: u64,
}

impl ConfigBox {
    fn malformed(&self, error: CodecError) -> BoxError {
        BoxError::new(self.kind, self.offset, Problem::Malformed(error.into()))
    }
}

fn config_box(
    moov: &Bytes,
    entry: &Part<'_>,
    head: usize,
    kind: &[u8; 4],
) -> Result<(ConfigBox, Bytes), BoxError> {
    let rest = entry.body.get(head..).unwrap_or_default();
    for part in parts(rest, entry.body_offset() + head as u64) {
        let part = part?;
        if part.kind.0 == *kind {
            let at = ConfigBox {
                kind: part.kind,
                offset: part.offset,
            };
            return Ok((at, moov.slice_ref(part.body)));
        }
    }
    Err(entry.error(Problem::Missing(Kind(*kind))))
}

/// Bytes of a visual sample entry before its boxes.
pub(super) const VIDEO_HEAD: usize = 78;

/// Bytes of an audio sample entry before its boxes.
pub(super) const AUDIO_HEAD: usize = 28;

const ES_DESCRIPTOR: u8 = 3;

const DECODER_CONFIG: u8 = 4;

const DECODER_SPECIFIC: u8 = 5;

const MPEG4_AUDIO: u8 = 0x40;

const MPEG2_AUDIO: u8 = 0x69;

const MPEG1_AUDIO: u8 = 0x6b;
