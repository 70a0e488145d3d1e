//! Records → broadcasts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::select_all;
use moq_media::recording::{Entry, Record};
use moq_session::{
    Abort, BroadcastPath, BroadcastProducer, GroupProducer, OriginProducer, Publication, Timescale,
    Track, TrackProducer, WriteError,
};

use super::volume::Volume;

/// Broadcasts that are played once.
#[derive(Debug)]
pub(super) struct Stage {
    /// Keep the broadcasts announced.
    _publications: Vec<Publication>,
    _broadcasts: Vec<BroadcastProducer>,
    tracks: BTreeMap<u32, TrackProducer>,
    groups: BTreeMap<(u32, u64), Playing>,
    /// The group with which each track begins.
    firsts: BTreeMap<u32, Entry>,
}

/// A group that has begun and not ended.
#[derive(Debug)]
struct Playing {
    producer: GroupProducer,
    /// How many frames of it are published.
    published: u64,
    /// The number of its next frame in the file, which may have some once more.
    next: u64,
}

impl Stage {
    /// Publishes the broadcasts of a recording with all their tracks, which are empty at first.
    ///
    /// # Errors
    /// If a path or a track of the recording can't be published.
    pub(super) fn new(
        volume: &Volume,
        name: Option<&BroadcastPath>,
        firsts: BTreeMap<u32, Entry>,
        origin: &OriginProducer,
    ) -> anyhow::Result<Self> {
        let mut broadcasts = BTreeMap::new();
        let mut publications = Vec::new();
        for (number, path) in &volume.broadcasts {
            let recorded = BroadcastPath::new(path).context("the recording names no path")?;
            let path = match name {
                None => recorded,
                Some(name) if volume.broadcasts.len() == 1 => name.clone(),
                Some(name) => name.join(&recorded).context("the path is too long")?,
            };
            let broadcast = BroadcastProducer::new();
            publications.push(origin.publish(&path, broadcast.consume()));
            broadcasts.insert(*number, broadcast);
        }
        let mut tracks = BTreeMap::new();
        for (number, track) in &volume.tracks {
            let Some(broadcast) = broadcasts.get(&track.broadcast) else {
                continue;
            };
            let of = Track::new(track.name.as_str())
                .with_priority(track.priority)
                .with_max_age(track.max_age)
                .with_timescale(Timescale::new(track.timescale).unwrap_or_default());
            let created = broadcast.create(of).context("cannot create a track")?;
            tracks.insert(*number, created);
        }
        Ok(Self {
            _publications: publications,
            _broadcasts: broadcasts.into_values().collect(),
            tracks,
            groups: BTreeMap::new(),
            firsts,
        })
    }

    /// Waits until somebody reads a track.
    ///
    /// Cancel safe.
    pub(super) async fn used(&self) {
        if self.tracks.is_empty() {
            return;
        }
        select_all(self.tracks.values().map(|track| Box::pin(track.used()))).await;
    }

    /// Plays a record.
    pub(super) async fn play(&mut self, record: Record) {
        match record {
            Record::Group {
                track,
                sequence,
                at,
                ..
            } => self.begin(track, sequence, at).await,
            Record::GroupAgain {
                track,
                sequence,
                at,
                first,
            } => {
                if let Some(group) = self.groups.get_mut(&(track, sequence)) {
                    group.next = first;
                } else if first == 0 {
                    self.begin(track, sequence, at).await;
                }
            }
            Record::Frame {
                track,
                sequence,
                timestamp,
                payload,
                ..
            } => {
                let group = self.groups.get_mut(&(track, sequence));
                let written = group.map(|group| group.append(timestamp, payload));
                if matches!(written, Some(Err(_))) {
                    self.groups.remove(&(track, sequence));
                }
            }
            Record::GroupEnd {
                track,
                sequence,
                is_whole,
                ..
            } => match self.groups.remove(&(track, sequence)) {
                Some(group) if is_whole => group.producer.finish(),
                Some(group) => group.producer.abort(Abort::Missing),
                None => {}
            },
            Record::TrackEnd { track, .. } => {
                if let Some(track) = self.tracks.remove(&track) {
                    track.finish();
                }
            }
            _ => {}
        }
    }

    async fn begin(&mut self, track: u32, sequence: u64, at: Duration) {
        let is_early = self.firsts.get(&track).is_some_and(|first| at < first.at);
        let Some(producer) = self.tracks.get(&track).filter(|_| !is_early) else {
            return;
        };
        producer.ready_for(sequence).await;
        // A group that nobody could take any more is no loss, nor one that is here once more.
        if let Ok(producer) = producer.create(sequence) {
            let (published, next) = (0, 0);
            let group = Playing {
                producer,
                published,
                next,
            };
            self.groups.insert((track, sequence), group);
        }
    }

    /// Ends everything that has no end in the recording. Groups end well: an abort would overtake the
    /// frames that were recorded of them.
    pub(super) fn finish(&mut self) {
        for group in std::mem::take(&mut self.groups).into_values() {
            group.producer.finish();
        }
        for track in std::mem::take(&mut self.tracks).into_values() {
            track.finish();
        }
    }
}

impl Playing {
    /// Publishes a frame, unless that was done when an earlier file had it.
    fn append(&mut self, timestamp: u64, payload: Bytes) -> Result<(), WriteError> {
        let is_new = self.next >= self.published;
        self.next += 1;
        if is_new {
            self.published = self.next;
            self.producer.append_at(timestamp, payload)?;
        }
        Ok(())
    }
}
