//! The application at the session's end, which does what a plan says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use moq_model::Route;
use moq_model::session::{Request, RequestQueue, RequestSource, Source};
use moq_session::{
    Abort, Bandwidth, BroadcastPath, BroadcastProducer, Budget, GroupProducer, GroupRead, HopId,
    OriginProducer, Publication, Session, Subscription, TrackInfo, TrackProducer, TrackReader,
};
use moq_wire::code::{from_application, stream};
use tokio::sync::{mpsc, watch};

use crate::Outcome;
use crate::plan::{Action, Track};
use crate::recording::End;
use crate::tape::Tape;

/// What the application holds in its hands.
pub(crate) struct Cast {
    pub(crate) published: OriginProducer,
    tape: Tape,
    session: Arc<Mutex<Option<Outcome<Session>>>>,
    broadcasts: BTreeMap<BroadcastPath, BroadcastProducer>,
    publications: BTreeMap<BroadcastPath, Publication>,
    refused: BTreeMap<BroadcastPath, u16>,
    tracks: BTreeMap<Track, TrackProducer>,
    groups: BTreeMap<(Track, u64), GroupProducer>,
    /// Readers, until they leave.
    readers: BTreeMap<Track, mpsc::UnboundedSender<Subscription>>,
    asked: Vec<watch::Receiver<Bandwidth>>,
}

impl Cast {
    pub(crate) fn new(
        hop: HopId,
        tape: Tape,
        session: Arc<Mutex<Option<Outcome<Session>>>>,
    ) -> Self {
        Self {
            published: OriginProducer::with(hop, Budget::default()),
            tape,
            session,
            broadcasts: BTreeMap::new(),
            publications: BTreeMap::new(),
            refused: BTreeMap::new(),
            tracks: BTreeMap::new(),
            groups: BTreeMap::new(),
            readers: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    /// Does everything that was done before the session, refusals first.
    pub(crate) fn act_all(&mut self, mut actions: Vec<Action>) -> Outcome {
        actions.sort_by_key(|action| match action {
            Action::Refuse(..) => 0,
            Action::Announce(..) => 1,
            Action::Create(..) => 2,
            _ => 3,
        });
        actions.into_iter().try_for_each(|action| self.act(action))
    }

    pub(crate) fn act(&mut self, action: Action) -> Outcome {
        match action {
            Action::Announce(path, route) => self.announce(path, route),
            Action::Retract(path) => drop(self.publications.remove(&path)),
            Action::Create(track, info) => self.create(track, info)?,
            Action::Frame(track, group, timestamp, payload) => {
                self.frame(&track, group, timestamp, payload)?;
            }
            Action::EndGroup(track, group, end) => self.end_group(&track, group, end)?,
            Action::EndTrack(track, end) => self.end_track(&track, end)?,
            Action::Refuse(path, code) => drop(self.refused.insert(path, code)),
            Action::Measure(stats) => self.tape.measure(stats),
            Action::Ask => self.asked.push(self.session()?.bandwidth()),
            Action::Read(track, subscription) => self.read(track, subscription)?,
            Action::Update(track, subscription) => {
                let reader = self.readers.get(&track).ok_or("nobody reads")?;
                // A reader whose track is over wants nothing more.
                let _ = reader.send(subscription);
            }
            Action::Leave(track) => drop(self.readers.remove(&track)),
            Action::Close(code, reason) => self.session()?.close(code, &reason),
        }
        Ok(())
    }

    pub(crate) fn has_session(&self) -> bool {
        self.session().is_ok()
    }

    fn session(&self) -> Outcome<Session> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.clone().ok_or("there is no session yet")?
    }

    fn announce(&mut self, path: BroadcastPath, route: Route) {
        let refused = self.refused.iter().find(|(at, _)| at.has_prefix(&path));
        let source = match refused {
            Some((_, code)) => {
                let (source, requests) = RequestSource::new(Budget::default().feeder());
                tokio::spawn(refuse(requests, Abort::Application(*code)));
                Source::Requests(source)
            }
            None => {
                let broadcast = self.broadcasts.entry(path.clone()).or_default();
                Source::Broadcast(broadcast.consume())
            }
        };
        // The new route is there before the old one goes.
        let publication = self.published.announce(&path, route, source, None);
        self.publications.insert(path, publication);
    }

    fn create(&mut self, track: Track, info: TrackInfo) -> Outcome {
        let broadcast = self.broadcasts.entry(track.0.clone()).or_default();
        let new = moq_session::Track::new(track.1.as_str())
            .with_priority(info.priority)
            .with_max_age(info.max_age)
            .with_timescale(info.timescale);
        let producer = broadcast.create(new).map_err(|error| error.to_string())?;
        self.tracks.insert(track, producer);
        Ok(())
    }

    fn group(&mut self, track: &Track, sequence: u64) -> Outcome<&mut GroupProducer> {
        let key = (track.clone(), sequence);
        if !self.groups.contains_key(&key) {
            let track = self.tracks.get(track).ok_or("no such track")?;
            let group = track.create(sequence).map_err(|error| error.to_string())?;
            self.groups.insert(key.clone(), group);
        }
        self.groups
            .get_mut(&key)
            .ok_or_else(|| "no such group".to_owned())
    }

    fn frame(&mut self, track: &Track, group: u64, timestamp: u64, payload: Bytes) -> Outcome {
        let written = self.group(track, group)?.append_at(timestamp, payload);
        written.map_err(|error| error.to_string())
    }

    fn end_group(&mut self, track: &Track, sequence: u64, end: End) -> Outcome {
        self.group(track, sequence)?;
        let group = self.groups.remove(&(track.clone(), sequence));
        match (group, end) {
            (Some(group), End::Fin) => group.finish(),
            (Some(group), End::Reset(code)) => group.abort(abort(code)),
            _ => {}
        }
        Ok(())
    }

    fn end_track(&mut self, track: &Track, end: End) -> Outcome {
        let track = self.tracks.remove(track).ok_or("no such track")?;
        match end {
            End::Reset(code) => track.abort(abort(code)),
            _ => track.finish(),
        }
        Ok(())
    }

    fn read(&mut self, track: Track, subscription: Subscription) -> Outcome {
        let consumer = self.session()?.track(track.0.as_str(), &track.1);
        let consumer = consumer.map_err(|error| error.to_string())?;
        let (updates, updated) = mpsc::unbounded_channel();
        tokio::spawn(read(consumer.subscribe(subscription), updated));
        self.readers.insert(track, updates);
        Ok(())
    }
}

/// Reads everything, until nobody holds the other end of the updates.
async fn read(mut reader: TrackReader, mut updates: mpsc::UnboundedReceiver<Subscription>) {
    loop {
        tokio::select! {
            update = updates.recv() => match update {
                Some(subscription) => reader.update(subscription),
                None => return,
            },
            group = reader.next_group() => match group {
                Ok(Some(mut group)) => {
                    tokio::spawn(async move {
                        while let GroupRead::Frame(_) = group.next().await {}
                    });
                }
                _ => return,
            },
        }
    }
}

async fn refuse(mut requests: RequestQueue, reason: Abort) {
    loop {
        match requests.next().await {
            Request::Track(request) => request.track.abort(reason),
            Request::Fetch(request) => request.group.abort(reason),
            _ => {}
        }
    }
}

/// The reason that a session gives with this code.
fn abort(code: u32) -> Abort {
    match code {
        stream::INTERNAL => Abort::Internal,
        stream::NOT_FOUND => Abort::NotFound,
        stream::UNROUTABLE => Abort::Unroutable,
        _ => from_application(code).map_or(Abort::Other(code), Abort::Application),
    }
}
