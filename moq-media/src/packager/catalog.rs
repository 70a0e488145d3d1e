//! Tracks → their entries in the catalog.

use bytes::Bytes;

use super::bitstream::is_in_band;
use super::config::Format;
use super::state::Packager;
use super::track::Track;
use crate::catalog::{AudioRendition, Catalog, Container, Size, VideoRendition};
use crate::codec::Media;
use crate::container::cmaf;
use crate::fmp4::{InitTrack, MuxError, TrackInit, write_init};

impl Packager {
    /// Tells the first catalog once every track has samples, or a second has passed; later ones when
    /// they differ, at most once a second.
    pub(super) fn update_catalog(&mut self) {
        let has_all = self.tracks.iter().all(|track| track.stats.samples > 0);
        let passed = self.anchor.end().saturating_sub(self.told_at) >= CATALOG_INTERVAL;
        let is_due = passed || (self.told.is_none() && has_all);
        if is_due {
            self.tell_catalog();
        }
    }

    pub(super) fn tell_catalog(&mut self) {
        let mut catalog = Catalog::default();
        for track in &self.tracks {
            add(&mut catalog, track, self.config.format);
        }
        self.told_at = self.anchor.end();
        if self.told.as_ref() != Some(&catalog) {
            let is_first = self.told.is_none();
            self.told = Some(catalog.clone());
            self.outputs.push_catalog(catalog, is_first);
        }
    }
}

/// The initialization segment that a `cmaf` rendition carries.
pub(super) fn init_of(track: &TrackInit) -> Result<Bytes, MuxError> {
    let entry = &track.entry;
    let (media, bytes) = (entry.config.media, entry.bytes.clone());
    write_init(&[InitTrack::new(cmaf::TRACK, track.scale, media, bytes)])
}

/// Adds the entry of a track.
pub(super) fn add(catalog: &mut Catalog, track: &Track, format: Format) {
    let config = &track.init.entry.config;
    let container = match format {
        Format::Legacy => Container::Legacy,
        Format::Loc => Container::Loc,
        Format::Cmaf => Container::Cmaf {
            init: track.segment.clone(),
        },
    };
    let is_in_band = format != Format::Cmaf && is_in_band(track.init.entry.kind);
    let description = config.description.clone().filter(|_| !is_in_band);
    let name = track.name.clone();
    match config.media {
        Media::Video { width, height } => {
            let mut video = VideoRendition::new(config.codec.clone());
            video.container = container;
            video.description = description;
            video.coded = (width > 0 && height > 0).then_some(Size { width, height });
            video.framerate = track.rate.framerate(track.init.scale.ticks());
            video.bitrate = track.rate.bitrate();
            video.jitter = Some(track.jitter.millis());
            catalog.video.insert(name, video);
        }
        Media::Audio {
            sample_rate,
            channels,
        } => {
            let mut audio = AudioRendition::new(config.codec.clone(), sample_rate, channels);
            audio.container = container;
            audio.description = description;
            audio.bitrate = track.rate.bitrate();
            audio.jitter = Some(track.jitter.millis());
            catalog.audio.insert(name, audio);
        }
    }
}

/// In microseconds.
const CATALOG_INTERVAL: i64 = 1_000_000;
