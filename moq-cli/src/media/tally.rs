//! Records → figures of tracks.

use std::collections::BTreeMap;
use std::time::Duration;

use moq_media::catalog::{Catalog, CatalogReader, Size, TRACK};
use moq_media::recording::Record;
use tokio::time::Instant;

use super::TrackLine;
use crate::output;

/// What was recorded or replayed so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    broadcasts: BTreeMap<u32, Broadcast>,
    tracks: BTreeMap<u32, Counted>,
}

/// What a catalog says of its tracks.
#[derive(Debug, Default)]
struct Broadcast {
    path: String,
    reader: CatalogReader,
    /// The catalog's group, whose first frame is a whole document.
    group: Option<u64>,
    renditions: BTreeMap<String, (String, Option<Size>)>,
}

#[derive(Debug)]
struct Counted {
    broadcast: u32,
    name: String,
    /// Units of its timestamps per second.
    timescale: u64,
    /// Its smallest and its largest timestamp.
    span: Option<(u64, u64)>,
    samples: u64,
    groups: u64,
    bytes: u64,
    skipped: u64,
    newest: Option<Instant>,
}

impl Tally {
    /// Counts a record.
    pub(crate) fn note(&mut self, record: &Record) {
        match record {
            Record::Broadcast { broadcast, path } => {
                let known = self.broadcasts.entry(*broadcast).or_default();
                known.path.clone_from(path);
            }
            Record::Track {
                track,
                broadcast,
                name,
                timescale,
                ..
            } => {
                let counted = || Counted::new(*broadcast, name.clone(), *timescale);
                self.tracks.entry(*track).or_insert_with(counted);
            }
            Record::Group { track, .. } => {
                if let Some(track) = self.tracks.get_mut(track) {
                    track.groups += 1;
                }
            }
            Record::Frame {
                track,
                sequence,
                timestamp,
                payload,
                ..
            } => self.frame(*track, *sequence, *timestamp, payload),
            Record::Lost {
                track, first, end, ..
            } => {
                if let Some(track) = self.tracks.get_mut(track) {
                    track.skipped += end.saturating_sub(*first);
                }
            }
            _ => {}
        }
    }

    fn frame(&mut self, track: u32, sequence: u64, timestamp: u64, payload: &[u8]) {
        let Some(track) = self.tracks.get_mut(&track) else {
            return;
        };
        track.samples += 1;
        track.bytes += payload.len() as u64;
        let (start, end) = track.span.unwrap_or((timestamp, timestamp));
        track.span = Some((start.min(timestamp), end.max(timestamp)));
        track.newest = Some(Instant::now());
        let broadcast = self.broadcasts.get_mut(&track.broadcast);
        if let Some(broadcast) = broadcast.filter(|_| track.name == TRACK) {
            broadcast.catalog(sequence, payload);
        }
    }

    /// A line per track.
    pub(crate) fn lines(&self) -> impl Iterator<Item = TrackLine> {
        let has_several = self.broadcasts.len() > 1;
        self.tracks.values().map(move |track| {
            let broadcast = self.broadcasts.get(&track.broadcast);
            let path = broadcast.filter(|_| has_several);
            let name = match path {
                Some(broadcast) => format!("{}/{}", broadcast.path, track.name),
                None => track.name.clone(),
            };
            let said = broadcast.and_then(|broadcast| broadcast.renditions.get(&track.name));
            let (codec, size) = said.cloned().unwrap_or_else(|| ("data".to_owned(), None));
            TrackLine {
                name: output::harmless(&name),
                codec: output::harmless(&codec),
                size,
                samples: track.samples,
                groups: track.groups,
                bytes: track.bytes,
                dropped: 0,
                skipped: track.skipped,
                span: track.span(),
                age: track.newest.map(|newest| newest.elapsed()),
            }
        })
    }
}

impl Broadcast {
    fn catalog(&mut self, sequence: u64, payload: &[u8]) {
        let reading = if self.group.replace(sequence) == Some(sequence) {
            self.reader.patch(payload)
        } else {
            self.reader.snapshot(payload)
        };
        let Ok(reading) = reading else {
            return;
        };
        let Catalog { video, audio, .. } = reading.catalog;
        let video = video
            .into_iter()
            .map(|(name, video)| (name, (video.codec, video.coded)));
        let audio = audio
            .into_iter()
            .map(|(name, audio)| (name, (audio.codec, None)));
        self.renditions.extend(video.chain(audio));
    }
}

impl Counted {
    fn new(broadcast: u32, name: String, timescale: u64) -> Self {
        Self {
            broadcast,
            name,
            timescale,
            span: None,
            samples: 0,
            groups: 0,
            bytes: 0,
            skipped: 0,
            newest: None,
        }
    }

    fn span(&self) -> Duration {
        let (start, end) = self.span.unwrap_or_default();
        let ticks = u128::from(end - start) * 1_000_000;
        let micros = ticks.checked_div(self.timescale.into()).unwrap_or(0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(track: u32, name: &str) -> Record {
        Record::Track {
            track,
            broadcast: 0,
            name: name.to_owned(),
            priority: 0,
            max_age: Duration::ZERO,
            timescale: 1_000,
        }
    }

    fn frame(track: u32, timestamp: u64, payload: &'static [u8]) -> Record {
        Record::Frame {
            track,
            sequence: 0,
            at: Duration::ZERO,
            timestamp,
            payload: payload.into(),
        }
    }

    #[tokio::test]
    async fn tracks_are_what_the_catalog_says() {
        let catalog = br#"{"video":{"renditions":{"v":{"codec":"avc1.64001e",
            "codedWidth":640,"codedHeight":360}}}}"#;
        let mut tally = Tally::default();
        let (path, at) = ("live/x".to_owned(), Duration::ZERO);
        let group = Record::Group {
            track: 2,
            sequence: 0,
            at,
        };
        for record in [
            Record::Broadcast { broadcast: 0, path },
            track(1, TRACK),
            track(2, "v"),
            frame(1, 0, catalog),
            group,
            frame(2, 1_000, b"abcd"),
            frame(2, 3_000, b"ef"),
        ] {
            tally.note(&record);
        }
        let lines: Vec<_> = tally.lines().collect();
        assert_eq!(lines[0].codec, "data");
        let video = &lines[1];
        assert_eq!((&video.name[..], &video.codec[..]), ("v", "avc1.64001e"));
        assert_eq!(video.size.map(|size| size.height), Some(360));
        assert_eq!((video.samples, video.groups, video.bytes), (2, 1, 6));
        assert_eq!(video.span, Duration::from_secs(2));
    }
}
