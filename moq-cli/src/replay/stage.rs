//! Records → broadcasts.

use std::collections::BTreeMap;

use anyhow::Context as _;
use futures_util::future::select_all;
use moq_media::recording::{Entry, Record};
use moq_session::{
    Abort, BroadcastPath, BroadcastProducer, GroupProducer, OriginProducer, Publication, Timescale,
    Track, TrackProducer,
};

use super::contents::Contents;

/// Broadcasts that are played once.
#[derive(Debug)]
pub(super) struct Stage {
    /// Keep the broadcasts announced.
    _publications: Vec<Publication>,
    _broadcasts: Vec<BroadcastProducer>,
    tracks: BTreeMap<u32, TrackProducer>,
    groups: BTreeMap<(u32, u64), GroupProducer>,
    /// The group with which each track begins.
    firsts: BTreeMap<u32, Entry>,
}

impl Stage {
    /// Publishes the broadcasts of a recording with all their tracks, which are empty at first.
    ///
    /// # Errors
    /// If a path or a track of the recording can't be published.
    pub(super) fn new(
        contents: &Contents,
        name: Option<&BroadcastPath>,
        firsts: BTreeMap<u32, Entry>,
        origin: &OriginProducer,
    ) -> anyhow::Result<Self> {
        let mut broadcasts = BTreeMap::new();
        let mut publications = Vec::new();
        for (number, path) in &contents.broadcasts {
            let recorded = BroadcastPath::new(path).context("the recording names no path")?;
            let path = match name {
                None => recorded,
                Some(name) if contents.broadcasts.len() == 1 => name.clone(),
                Some(name) => name.join(&recorded).context("the path is too long")?,
            };
            let broadcast = BroadcastProducer::new();
            publications.push(origin.publish(&path, broadcast.consume()));
            broadcasts.insert(*number, broadcast);
        }
        let mut tracks = BTreeMap::new();
        for (number, track) in &contents.tracks {
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
            } => {
                let is_early = self.firsts.get(&track).is_some_and(|first| at < first.at);
                let Some(producer) = self.tracks.get(&track).filter(|_| !is_early) else {
                    return;
                };
                producer.ready_for(sequence).await;
                // A group that nobody could take any more is no loss.
                if let Ok(group) = producer.create(sequence) {
                    self.groups.insert((track, sequence), group);
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
                let written = group.map(|group| group.append_at(timestamp, payload));
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
                Some(group) if is_whole => group.finish(),
                Some(group) => group.abort(Abort::Missing),
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

    /// Ends everything that has no end in the recording. Groups end well: an abort would overtake the
    /// frames that were recorded of them.
    pub(super) fn finish(&mut self) {
        for group in std::mem::take(&mut self.groups).into_values() {
            group.finish();
        }
        for track in std::mem::take(&mut self.tracks).into_values() {
            track.finish();
        }
    }
}
