mod catalogs;
mod groups;
mod streams;
mod times;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::catalog::Container;
use crate::codec::h264::Avcc;
use crate::codec::{Config, Media};
use crate::container::{cmaf, legacy};
use crate::fmp4::{Break, Event, Init, InitTrack, Sample, write_entry, write_init};
use crate::timeline::Scale;

const VIDEO: u32 = 1;
const AUDIO: u32 = 2;
const VIDEO_SCALE: u32 = 30_000;
const AUDIO_SCALE: u32 = 48_000;

/// Tracks of H.264 of a level, and of Opus.
fn init(kind: &str, level: u8) -> Arc<Init> {
    let avcc = Avcc::of_parameter_sets(&[
        Bytes::copy_from_slice(&[0x67, 0x42, 0xc0, level]),
        Bytes::from_static(&[0x68, 1]),
    ]);
    let media = Media::Video {
        width: 640,
        height: 360,
    };
    let codec = format!("{kind}.42c0{level:02x}");
    let video = Config::new(codec, Some(avcc.unwrap().write()), media);
    let media = Media::Audio {
        sample_rate: AUDIO_SCALE,
        channels: 2,
    };
    let audio = Config::new("opus".to_owned(), None, media);
    let tracks = [(VIDEO, VIDEO_SCALE, video), (AUDIO, AUDIO_SCALE, audio)];
    let tracks = tracks.map(|(id, ticks, config)| {
        let entry = write_entry(&config).unwrap();
        InitTrack::new(id, Scale::new(ticks).unwrap(), config.media, entry)
    });
    Arc::new(Init::read(&write_init(&tracks).unwrap()).unwrap())
}

/// A picture of 1001 ticks; `kind` is the type of its NAL unit.
fn picture(at: i64, is_key: bool, kind: u8) -> Event {
    Event::Sample(Sample {
        track: VIDEO,
        dts: at * 1_001,
        pts: at * 1_001,
        duration: 1_001,
        is_key,
        payload: Bytes::copy_from_slice(&[0, 0, 0, 2, kind, at as u8]).into(),
    })
}

fn key(at: i64) -> Event {
    picture(at, true, 5)
}

fn delta(at: i64) -> Event {
    picture(at, false, 1)
}

/// A packet of 20 ms.
fn packet(at: i64) -> Event {
    Event::Sample(Sample {
        track: AUDIO,
        dts: at * 960,
        pts: at * 960,
        duration: 960,
        is_key: true,
        payload: Bytes::copy_from_slice(&[at as u8]).into(),
    })
}

struct Run {
    packager: Packager,
    catalogs: Vec<crate::catalog::Catalog>,
}

impl Run {
    fn new(format: Format) -> Self {
        let config = PackagerConfig {
            format,
            ..PackagerConfig::default()
        };
        Self {
            packager: Packager::new(config),
            catalogs: Vec::new(),
        }
    }

    /// What is published of these events, as text; catalogs are kept.
    fn push(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<String> {
        self.push_at(events, Duration::ZERO)
    }

    fn push_at(&mut self, events: impl IntoIterator<Item = Event>, now: Duration) -> Vec<String> {
        for event in events {
            self.packager.push(event, now).unwrap();
        }
        self.take()
    }

    fn take(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(output) = self.packager.pop() {
            told.push(match output {
                Output::Open(opened) => format!("open {} {}", opened.track, opened.name),
                Output::Catalog(catalog) => {
                    let names: Vec<_> = catalog.video.keys().chain(catalog.audio.keys()).collect();
                    let told = format!("catalog {names:?}");
                    self.catalogs.push(catalog);
                    told
                }
                Output::Group { track } => format!("group {track}"),
                Output::Frame {
                    track,
                    timestamp,
                    payload,
                    ..
                } => format!("{track}@{timestamp} {}", payload.len()),
                Output::EndGroup { track } => format!("end {track}"),
                Output::Finish { track } => format!("finish {track}"),
                Output::Notice(notice) => notice.to_string(),
            });
        }
        told
    }
}

fn init_event(level: u8) -> Event {
    Event::Init(init("avc1", level))
}

/// What is told of one track.
fn lane(told: &[String], track: usize) -> Vec<String> {
    let kinds = ["open", "group", "end", "finish"].map(|kind| format!("{kind} {track}"));
    let is_of = |told: &&String| {
        told.starts_with(&format!("{track}@")) || kinds.iter().any(|kind| told.starts_with(kind))
    };
    told.iter().filter(is_of).cloned().collect()
}
