//! Outputs of a packager → a broadcast. The only part of an import that knows the model.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use moq_model::platform::clock::{self, Instant};
use moq_model::{BroadcastProducer, GroupProducer, Timescale, Track, TrackProducer, WriteError};

use crate::catalog;
use crate::packager::{Notice, Opened, Output};

/// Carries out what a packager decides.
#[derive(Debug)]
pub(super) struct Publisher {
    broadcast: BroadcastProducer,
    max_age: Duration,
    catalog: Option<TrackProducer>,
    tracks: BTreeMap<usize, Written>,
    /// When the first frame was due.
    started_at: Option<Duration>,
}

#[derive(Debug)]
struct Written {
    track: TrackProducer,
    group: Option<GroupProducer>,
    /// When its newest frame was published.
    newest_at: Option<Instant>,
}

impl Publisher {
    pub(super) fn new(broadcast: BroadcastProducer, max_age: Duration) -> Result<Self, WriteError> {
        let track = Track::new(catalog::TRACK).with_priority(catalog::PRIORITY);
        let catalog = broadcast.create(track.with_max_age(max_age))?;
        Ok(Self {
            broadcast,
            max_age,
            catalog: Some(catalog),
            tracks: BTreeMap::new(),
            started_at: None,
        })
    }

    /// Carries out one output; a notice is handed back.
    pub(super) fn publish(&mut self, output: Output) -> Result<Option<Notice>, WriteError> {
        match output {
            Output::Open(opened) => self.open(&opened)?,
            Output::Catalog(catalog) => {
                if let Some(track) = &self.catalog {
                    let mut group = track.append()?;
                    group.append(catalog.to_json())?;
                    group.finish();
                }
            }
            Output::Group { track } => {
                if let Some(written) = self.tracks.get_mut(&track) {
                    written.end_group();
                    written.group = Some(written.track.append()?);
                }
            }
            Output::Frame {
                track,
                timestamp,
                due,
                payload,
            } => {
                self.started_at.get_or_insert(due);
                if let Some(written) = self.tracks.get_mut(&track) {
                    return written.frame(timestamp, payload);
                }
            }
            Output::EndGroup { track } => {
                if let Some(written) = self.tracks.get_mut(&track) {
                    written.end_group();
                }
            }
            Output::Finish { track } => {
                if let Some(mut written) = self.tracks.remove(&track) {
                    written.end_group();
                    written.track.finish();
                }
            }
            Output::Notice(notice) => return Ok(Some(notice)),
        }
        Ok(None)
    }

    fn open(&mut self, opened: &Opened) -> Result<(), WriteError> {
        let scale = Timescale::new(opened.scale.ticks().into()).unwrap_or_default();
        let track = Track::new(opened.name.as_str())
            .with_priority(opened.priority)
            .with_max_age(self.max_age)
            .with_timescale(scale);
        let track = self.broadcast.create(track)?;
        let written = Written {
            track,
            group: None,
            newest_at: None,
        };
        self.tracks.insert(opened.track, written);
        Ok(())
    }

    /// How long ago the newest frame of a track was published.
    pub(super) fn age(&self, name: &str) -> Option<Duration> {
        let mut tracks = self.tracks.values();
        let written = tracks.find(|written| written.track.name() == name)?;
        written.newest_at.map(|at| at.elapsed())
    }

    pub(super) fn started_at(&self) -> Option<Duration> {
        self.started_at
    }

    pub(super) async fn used(&self) {
        if let Some(catalog) = &self.catalog {
            catalog.used().await;
        }
    }

    pub(super) async fn ready(&self) {
        for written in self.tracks.values() {
            written.track.ready().await;
        }
    }

    /// Ends the catalog, and with it the broadcast.
    pub(super) fn finish(&mut self) {
        if let Some(catalog) = self.catalog.take() {
            catalog.finish();
        }
    }
}

impl Written {
    /// Adds a frame. A group that the model can't hold costs no more than itself.
    fn frame(&mut self, timestamp: u64, payload: Bytes) -> Result<Option<Notice>, WriteError> {
        let Some(group) = &mut self.group else {
            return Ok(None);
        };
        match group.append_at(timestamp, payload) {
            Ok(()) => {
                self.newest_at = Some(clock::now());
                Ok(None)
            }
            Err(error @ (WriteError::GroupTooLarge | WriteError::Dropped)) => {
                self.group = None;
                let (name, reason) = (self.track.name().to_owned(), error.to_string());
                Ok(Some(Notice::GroupCut { name, reason }))
            }
            Err(error) => Err(error),
        }
    }

    fn end_group(&mut self) {
        if let Some(group) = self.group.take() {
            group.finish();
        }
    }
}
