//! What this end publishes.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{
    BroadcastPath, BroadcastProducer, GroupProducer, OriginProducer, Publication, Track,
    TrackProducer,
};

use crate::Events;

/// Broadcasts and tracks by name.
#[derive(Debug)]
pub(crate) struct Publisher {
    origin: OriginProducer,
    broadcasts: HashMap<String, Broadcast>,
    events: Events,
}

#[derive(Debug, Default)]
struct Broadcast {
    producer: BroadcastProducer,
    tracks: HashMap<String, Open>,
    publication: Option<Publication>,
}

#[derive(Debug)]
struct Open {
    track: TrackProducer,
    group: Option<GroupProducer>,
}

impl Publisher {
    pub(crate) fn new(origin: OriginProducer, events: Events) -> Self {
        Self {
            origin,
            broadcasts: HashMap::new(),
            events,
        }
    }

    pub(crate) fn origin(&self) -> &OriginProducer {
        &self.origin
    }

    pub(crate) fn track(&mut self, path: &str, name: &str, max_age: &str) -> anyhow::Result<()> {
        let broadcast = self.broadcasts.entry(path.to_owned()).or_default();
        let max_age = Duration::from_millis(max_age.parse().context("reading the max age")?);
        let track = broadcast
            .producer
            .create(Track::new(name).with_max_age(max_age))?;
        tokio::spawn(tell_demand(track.clone(), self.events.clone()));
        broadcast
            .tracks
            .insert(name.to_owned(), Open { track, group: None });
        Ok(())
    }

    pub(crate) fn announce(&mut self, path: &str) -> anyhow::Result<()> {
        let broadcast = self.broadcasts.entry(path.to_owned()).or_default();
        let consumer = broadcast.producer.consume();
        broadcast.publication = Some(self.origin.publish(&BroadcastPath::new(path)?, consumer));
        Ok(())
    }

    pub(crate) fn unannounce(&mut self, path: &str) -> anyhow::Result<()> {
        let broadcast = self.broadcasts.remove(path);
        broadcast
            .map(drop)
            .with_context(|| format!("{path} is not announced"))
    }

    pub(crate) fn group(&mut self, path: &str, name: &str) -> anyhow::Result<()> {
        let open = self.open(path, name)?;
        open.group = Some(open.track.append()?);
        Ok(())
    }

    pub(crate) fn frame(
        &mut self,
        path: &str,
        name: &str,
        millis: u64,
        payload: Vec<u8>,
    ) -> anyhow::Result<()> {
        let open = self.open(path, name)?;
        let group = open.group.as_mut().context("no group is open")?;
        Ok(group.append_at(millis, payload)?)
    }

    pub(crate) fn datagram(
        &mut self,
        path: &str,
        name: &str,
        millis: u64,
        payload: Vec<u8>,
    ) -> anyhow::Result<()> {
        let open = self.open(path, name)?;
        Ok(open.track.append_datagram(millis, payload)?)
    }

    pub(crate) fn finish_group(&mut self, path: &str, name: &str) -> anyhow::Result<()> {
        let group = self.open(path, name)?.group.take();
        group.context("no group is open")?.finish();
        Ok(())
    }

    pub(crate) fn finish(&mut self, path: &str, name: &str) -> anyhow::Result<()> {
        let broadcast = self.broadcasts.get_mut(path);
        let open = broadcast.and_then(|broadcast| broadcast.tracks.remove(name));
        open.context("there is no such track")?.track.finish();
        Ok(())
    }

    fn open(&mut self, path: &str, name: &str) -> anyhow::Result<&mut Open> {
        let broadcast = self.broadcasts.get_mut(path);
        let open = broadcast.and_then(|broadcast| broadcast.tracks.get_mut(name));
        open.with_context(|| format!("there is no track {path} {name}"))
    }
}

/// Tells when a track gains its first reader and when it loses its last.
async fn tell_demand(track: TrackProducer, events: Events) {
    let name = track.name().to_owned();
    let mut demand = track.demand();
    // The handle must not keep the track open.
    drop(track);
    let mut is_used = false;
    loop {
        let changed = demand.wait_for(|demand| demand.is_some() != is_used).await;
        if changed.is_err() {
            return;
        }
        is_used = !is_used;
        let state = if is_used { "used" } else { "unused" };
        events.tell(format!("{state} {name}"));
    }
}
