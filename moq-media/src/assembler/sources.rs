//! Renditions → what the output's initialization segment says of them.

use bytes::Bytes;

use crate::catalog::{AudioRendition, Container, VideoRendition};
use crate::codec::h264::{self, Avcc};
use crate::codec::h265::Hvcc;
use crate::codec::{Config, Family, Media, nal};
use crate::error::ExportError;
use crate::fmp4::{Init, write_entry};
use crate::timeline::Scale;

/// A rendition that is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The name of its track.
    pub name: String,
    pub(super) wrap: Wrap,
    pub(super) config: Config,
    /// The unit of its times in the output.
    pub(super) scale: Scale,
    /// Its sample entry, unless only its first key frame can tell.
    pub(super) entry: Option<Bytes>,
    pub(super) framerate: Option<f64>,
    /// Whether its frames are NAL units with start codes.
    pub(super) has_start_codes: bool,
}

/// How its frames are wrapped.
#[derive(Debug, Clone)]
pub(super) enum Wrap {
    Legacy,
    Loc,
    Cmaf(Box<Init>),
}

impl Source {
    /// A video rendition by its track's name.
    ///
    /// # Errors
    /// [`ExportError::Rendition`] when its codec or container is not known, or malformed.
    pub fn video(name: &str, video: &VideoRendition) -> Result<Self, ExportError> {
        let (width, height) = video.coded.map_or((0, 0), |size| (size.width, size.height));
        let media = Media::Video { width, height };
        let config = Config::new(video.codec.clone(), video.description.clone(), media);
        let mut source = Self::new(name, config, &video.container)?;
        source.framerate = video.framerate;
        Ok(source)
    }

    /// An audio rendition by its track's name.
    ///
    /// # Errors
    /// As of [`video`](Self::video).
    pub fn audio(name: &str, audio: &AudioRendition) -> Result<Self, ExportError> {
        let media = Media::Audio {
            sample_rate: audio.sample_rate,
            channels: audio.channels,
        };
        let config = Config::new(audio.codec.clone(), audio.description.clone(), media);
        Self::new(name, config, &audio.container)
    }

    fn new(name: &str, mut config: Config, container: &Container) -> Result<Self, ExportError> {
        let refuse = |reason: String| ExportError::Rendition {
            name: name.to_owned(),
            reason,
        };
        let wrap = match container {
            Container::Legacy => Wrap::Legacy,
            Container::Loc => Wrap::Loc,
            Container::Cmaf { init } => {
                let init = Init::read(init).map_err(|error| refuse(error.to_string()))?;
                Wrap::Cmaf(Box::new(init))
            }
            Container::Unknown(_) => return Err(refuse("its container is not known".to_owned())),
        };
        let (scale, entry, has_start_codes) = match &wrap {
            Wrap::Cmaf(init) => {
                let skipped = || {
                    init.skipped
                        .iter()
                        .map(|(_, reason)| reason.clone())
                        .collect()
                };
                let track = init.tracks.first().ok_or_else(|| refuse(skipped()))?;
                config = track.entry.config.clone();
                (track.scale, Some(track.entry.bytes.clone()), false)
            }
            Wrap::Legacy | Wrap::Loc => {
                let has_units = Family::of(&config.codec).is_some_and(Family::has_nal_units);
                let has_start_codes = has_units && config.description.is_none();
                let write = || write_entry(&config).map_err(|error| refuse(error.to_string()));
                let entry = (!has_start_codes).then(write).transpose()?;
                (Scale::MICROS, entry, has_start_codes)
            }
        };
        Ok(Self {
            name: name.to_owned(),
            wrap,
            config,
            scale,
            entry,
            framerate: None,
            has_start_codes,
        })
    }

    /// Learns the sample entry from a key frame with start codes, if that is needed.
    pub(super) fn learn(&mut self, stream: &Bytes) {
        if self.entry.is_some() {
            return;
        }
        let units = nal::with_start_codes(stream);
        let (record, codec, size) = if Family::of(&self.config.codec) == Some(Family::H264) {
            let Some(avcc) = Avcc::of_parameter_sets(&units) else {
                return;
            };
            let sps = avcc.sps.first().and_then(|sps| h264::Sps::read(sps).ok());
            let size = sps.map(|sps| (sps.width, sps.height));
            (avcc.write(), avcc.codec_string("avc3"), size)
        } else {
            let Some(hvcc) = Hvcc::of_parameter_sets(&units) else {
                return;
            };
            let size = hvcc.sps().map(|sps| (sps.width, sps.height));
            (hvcc.write(), hvcc.codec_string("hev1"), size)
        };
        if let Some((width, height)) = size {
            self.config.media = Media::Video { width, height };
        }
        self.config.codec = codec;
        self.config.description = Some(record);
        self.entry = write_entry(&self.config).ok();
    }

    /// How many frames may be decoded before one that is shown earlier.
    pub(super) fn reordering(&self) -> usize {
        let record = self.config.description.clone().unwrap_or_default();
        let reorder = match Family::of(&self.config.codec) {
            Some(Family::H264) => Avcc::read(&record).ok().map(|avcc| {
                let sps = avcc.sps.first().and_then(|sps| h264::Sps::read(sps).ok());
                let is_baseline = avcc.profile[0] == BASELINE;
                let unknown = if is_baseline { 0 } else { USUAL_REORDERING };
                sps.and_then(|sps| sps.reorder).unwrap_or(unknown)
            }),
            Some(Family::H265) => {
                let sps = Hvcc::read(&record).ok().and_then(|hvcc| hvcc.sps());
                Some(sps.map_or(USUAL_REORDERING, |sps| sps.reorder))
            }
            _ => Some(0),
        };
        reorder.unwrap_or(USUAL_REORDERING).try_into().unwrap_or(0)
    }

    /// What a frame lasts until two of them tell, in microseconds.
    pub(super) fn usual_duration(&self) -> i64 {
        let samples = match Family::of(&self.config.codec) {
            Some(Family::Aac) => 1_024,
            Some(Family::Mp3) => 1_152,
            Some(Family::Flac) => 4_096,
            _ => 960,
        };
        match self.config.media {
            Media::Audio { sample_rate, .. } => samples * 1_000_000 / i64::from(sample_rate.max(1)),
            Media::Video { .. } => {
                let rate = self.framerate.filter(|rate| *rate > 0.1);
                #[expect(clippy::cast_possible_truncation, reason = "at most ten million")]
                rate.map_or(USUAL_FRAME, |rate| (1_000_000.0 / rate) as i64)
            }
        }
    }
}

const BASELINE: u8 = 66;

/// What encoders use unless told otherwise.
const USUAL_REORDERING: u32 = 2;

/// In microseconds.
const USUAL_FRAME: i64 = 33_333;
