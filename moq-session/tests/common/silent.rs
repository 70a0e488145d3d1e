//! A relay whose publishers can fall silent.

use std::time::Duration;

use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    Abort, Announced, AnnouncedEvent, BroadcastProducer, Config, GroupProducer, GroupRead,
    OriginProducer, Publication, ReadError, Session, Subscription, Track, TrackConsumer,
    TrackProducer, TrackReader, Version,
};
use tokio::time::{sleep, timeout};

use super::{join, speaking};

pub const SECOND: Duration = Duration::from_secs(1);
/// From the last packet until others take over: the looks are a quarter of a second apart.
pub const PATIENCE: Duration = Duration::from_millis(1_300);

/// A publisher in a session with a relay, that can fall silent.
pub struct Publisher {
    pub connection: MemoryConnection,
    tracks: Vec<(TrackProducer, BroadcastProducer, Publication)>,
    _sessions: (Session, Session),
}

impl Publisher {
    pub async fn new(version: Version, relay: &OriginProducer, paths: &[&str]) -> Self {
        let origin = OriginProducer::new();
        let (client, server) = memory_pair(version);
        let connection = client.clone();
        let config = speaking(version).with_publish(origin.clone());
        let sessions = tokio::join!(
            Session::connect_with(client, config),
            testing::accept(server, relay)
        );
        let mut tracks = Vec::new();
        for path in paths {
            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("data")).unwrap();
            let mut publication = origin.publish(&path.parse().unwrap(), broadcast.consume());
            publication.told(SECOND).await.unwrap();
            tracks.push((track, broadcast, publication));
        }
        sleep(Duration::from_millis(10)).await;
        Self {
            connection,
            tracks,
            _sessions: (sessions.0.unwrap(), sessions.1.unwrap()),
        }
    }

    pub fn group(&self, path: usize, frame: &'static str) {
        let mut group = self.tracks[path].0.append().unwrap();
        group.append(frame).unwrap();
        group.finish();
    }

    /// Begins a group that is not going to end.
    pub fn begin(&self, path: usize, frame: &'static str) -> GroupProducer {
        let mut group = self.tracks[path].0.append().unwrap();
        group.append(frame).unwrap();
        group
    }
}

/// A relay, and a viewer of it.
pub struct Stage {
    version: Version,
    pub relay: OriginProducer,
    pub viewer: Session,
    announced: Announced,
    _server: Session,
}

impl Stage {
    pub async fn new(version: Version) -> Self {
        let relay = OriginProducer::new();
        let (viewer, server) = join(version, Config::default(), &relay).await;
        let announced = viewer.announced("").unwrap();
        Self {
            version,
            relay,
            viewer,
            announced,
            _server: server,
        }
    }

    pub async fn publisher(&self, paths: &[&str]) -> Publisher {
        Publisher::new(self.version, &self.relay, paths).await
    }

    pub fn track(&self, path: &str) -> TrackConsumer {
        self.viewer.track(path, "data").unwrap()
    }

    pub async fn reader(&self, path: &str) -> TrackReader {
        let reader = self.track(path).subscribe(Subscription::default());
        // The publisher is asked.
        sleep(Duration::from_millis(10)).await;
        reader
    }

    /// What the viewer is told by now.
    pub fn told(&mut self) -> Vec<AnnouncedEvent> {
        let mut told = Vec::new();
        while let Some(event) = self.announced.try_next() {
            told.push(event);
        }
        told
    }
}

pub fn path(event: &AnnouncedEvent) -> &str {
    match event {
        AnnouncedEvent::Start(path, _)
        | AnnouncedEvent::Update(path, _)
        | AnnouncedEvent::End(path) => path.as_str(),
        _ => "",
    }
}

pub async fn frame(reader: &mut TrackReader) -> String {
    let mut group = timeout(3 * SECOND, reader.next_group())
        .await
        .expect("a group in time")
        .expect("the track goes on")
        .expect("a group");
    match timeout(SECOND, group.next()).await.expect("a frame") {
        GroupRead::Frame(frame) => String::from_utf8(frame.payload.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub async fn lost(reader: &mut TrackReader, within: Duration) {
    let ended = timeout(within, reader.next_group()).await;
    let ended = ended.expect("the track ends in time");
    let expected = ReadError::Aborted(Abort::SessionClosed);
    assert_eq!(ended.unwrap_err(), expected);
}
