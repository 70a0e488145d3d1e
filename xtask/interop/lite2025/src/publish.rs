//! What this end publishes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use moq_lite::{
    Broadcast as LiteBroadcast, BroadcastProducer, Error, GroupConsumer, GroupProducer,
    TrackProducer,
};

use crate::tell;

#[derive(Default)]
pub struct Publisher {
    broadcasts: HashMap<String, Broadcast>,
}

struct Broadcast {
    producer: BroadcastProducer,
    tracks: Arc<Mutex<HashMap<String, Track>>>,
}

/// A track that is fed anew to each session that asks for it: that is how its demand shows.
#[derive(Clone, Default)]
pub struct Track(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: u64,
    group: Option<GroupProducer>,
    latest: Option<GroupConsumer>,
    is_finished: bool,
    feeds: Vec<TrackProducer>,
}

impl Publisher {
    pub fn broadcast(&mut self, path: &str) -> &BroadcastProducer {
        &self.get(path).producer
    }

    fn get(&mut self, path: &str) -> &mut Broadcast {
        self.broadcasts.entry(path.to_owned()).or_insert_with(|| {
            let producer = LiteBroadcast::produce().producer;
            let tracks: Arc<Mutex<HashMap<String, Track>>> = Arc::default();
            tokio::spawn(answer(producer.clone(), tracks.clone()));
            Broadcast { producer, tracks }
        })
    }

    pub fn track(&mut self, path: &str, name: &str) {
        let tracks = self.get(path).tracks.clone();
        tracks
            .lock()
            .unwrap()
            .insert(name.to_owned(), Track::default());
    }

    pub fn track_of(&mut self, path: &str, name: &str) -> anyhow::Result<Track> {
        let tracks = self.get(path).tracks.clone();
        let track = tracks.lock().unwrap().get(name).cloned();
        track.with_context(|| format!("there is no track {path} {name}"))
    }

    pub fn remove(&mut self, path: &str) -> anyhow::Result<()> {
        let broadcast = self.broadcasts.remove(path);
        broadcast
            .with_context(|| format!("{path} is not announced"))?
            .producer
            .close();
        Ok(())
    }
}

impl Track {
    pub fn begin(&self) {
        let mut state = self.0.lock().unwrap();
        let moq_lite::Produce {
            producer: group,
            consumer,
        } = moq_lite::Group {
            sequence: state.next,
        }
        .produce();
        state.next += 1;
        for feed in &mut state.feeds {
            feed.insert_group(consumer.clone());
        }
        state.latest = Some(consumer);
        state.group = Some(group);
    }

    pub fn frame(&self, payload: Vec<u8>) -> anyhow::Result<()> {
        let mut state = self.0.lock().unwrap();
        state
            .group
            .as_mut()
            .context("no group is open")?
            .write_frame(payload);
        Ok(())
    }

    pub fn finish_group(&self) -> anyhow::Result<()> {
        let group = self.0.lock().unwrap().group.take();
        group.context("no group is open")?.close();
        Ok(())
    }

    pub fn finish(&self) {
        let mut state = self.0.lock().unwrap();
        state.is_finished = true;
        for feed in state.feeds.drain(..) {
            feed.close();
        }
    }

    fn feed(&self, mut feed: TrackProducer) {
        let mut state = self.0.lock().unwrap();
        if let Some(latest) = &state.latest {
            feed.insert_group(latest.clone());
        }
        match state.is_finished {
            true => feed.close(),
            false => state.feeds.push(feed),
        }
    }

    /// Lets go of a feed that nobody reads; true if it was the last.
    fn starve(&self, feed: &TrackProducer) -> bool {
        let mut state = self.0.lock().unwrap();
        state.feeds.retain(|other| !other.is_clone(feed));
        state.feeds.is_empty() && !state.is_finished
    }
}

async fn answer(mut producer: BroadcastProducer, tracks: Arc<Mutex<HashMap<String, Track>>>) {
    while let Some(feed) = producer.requested_track().await {
        let name = feed.info.name.clone();
        let Some(track) = tracks.lock().unwrap().get(&name).cloned() else {
            feed.abort(Error::NotFound);
            continue;
        };
        track.feed(feed.clone());
        tell(format!("used {name}"));
        tokio::spawn(async move {
            feed.unused().await;
            if track.starve(&feed) {
                tell(format!("unused {name}"));
            }
        });
    }
}
