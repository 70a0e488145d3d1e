//! A publisher that falls silent while another one has the same path.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{for_each_version, join, speaking};
use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    Abort, Announced, AnnouncedEvent, BroadcastPath, BroadcastProducer, Config, GroupRead,
    OriginProducer, Publication, ReadError, Session, Subscription, Track, TrackConsumer,
    TrackProducer, TrackReader, Version,
};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
/// From the last packet until others take over: the looks are a quarter of a second apart.
const PATIENCE: Duration = Duration::from_millis(1_300);

/// A publisher in a session with a relay, that can fall silent.
struct Publisher {
    connection: MemoryConnection,
    tracks: Vec<(TrackProducer, BroadcastProducer, Publication)>,
    _sessions: (Session, Session),
}

impl Publisher {
    async fn new(version: Version, relay: &OriginProducer, paths: &[&str]) -> Self {
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

    fn group(&self, path: usize, frame: &'static str) {
        let mut group = self.tracks[path].0.append().unwrap();
        group.append(frame).unwrap();
        group.finish();
    }

    /// Begins a group that is not going to end.
    fn begin(&self, path: usize, frame: &'static str) -> moq_session::GroupProducer {
        let mut group = self.tracks[path].0.append().unwrap();
        group.append(frame).unwrap();
        group
    }
}

/// A relay, and a viewer of it.
struct Stage {
    version: Version,
    relay: OriginProducer,
    viewer: Session,
    announced: Announced,
    _server: Session,
}

impl Stage {
    async fn new(version: Version) -> Self {
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

    async fn publisher(&self, paths: &[&str]) -> Publisher {
        Publisher::new(self.version, &self.relay, paths).await
    }

    fn track(&self, path: &str) -> TrackConsumer {
        self.viewer.track(path, "data").unwrap()
    }

    async fn reader(&self, path: &str) -> TrackReader {
        let reader = self.track(path).subscribe(Subscription::default());
        // The publisher is asked.
        sleep(Duration::from_millis(10)).await;
        reader
    }

    /// What the viewer is told by now.
    fn told(&mut self) -> Vec<AnnouncedEvent> {
        let mut told = Vec::new();
        while let Some(event) = self.announced.try_next() {
            told.push(event);
        }
        told
    }
}

fn path(event: &AnnouncedEvent) -> &str {
    match event {
        AnnouncedEvent::Start(path, _)
        | AnnouncedEvent::Update(path, _)
        | AnnouncedEvent::End(path) => path.as_str(),
        _ => "",
    }
}

async fn frame(reader: &mut TrackReader) -> String {
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

async fn lost(reader: &mut TrackReader, within: Duration) {
    let ended = timeout(within, reader.next_group()).await;
    let ended = ended.expect("the track ends in time");
    let expected = ReadError::Aborted(Abort::SessionClosed);
    assert_eq!(ended.unwrap_err(), expected);
}

#[test]
fn readers_of_a_silent_publisher_find_the_one_that_stands_by() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        let open = first.begin(0, "half");
        assert_eq!(frame(&mut reader).await, "half");
        stage.told();

        first.connection.set_silent(true);
        let began = Instant::now();
        lost(&mut reader, PATIENCE).await;
        assert!(began.elapsed() >= SECOND, "{:?}", began.elapsed());
        sleep(Duration::from_millis(10)).await;
        let told = stage.told();
        assert!(told.iter().any(|event| path(event) == "room"), "{told:?}");
        drop(open);

        let mut reader = stage.reader("room").await;
        second.group(0, "second");
        assert_eq!(frame(&mut reader).await, "second");

        first.connection.set_silent(false);
        sleep(Duration::from_millis(500)).await;
        let told = stage.told();
        assert!(told.iter().any(|event| path(event) == "room"), "{told:?}");
        second.group(0, "second");
        assert_eq!(
            frame(&mut reader).await,
            "second",
            "who reads it already stays"
        );
        drop(reader);
        sleep(10 * SECOND).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "again");
        assert_eq!(frame(&mut reader).await, "again");
    });
}

#[test]
fn a_publisher_that_starts_after_the_other_fell_silent_takes_over() {
    for_each_version(|version| async move {
        let stage = Stage::new(version).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        first.connection.set_silent(true);
        let waited = timeout(8 * SECOND, reader.next_group()).await;
        assert!(waited.is_err(), "without an alternative nothing ends");
        let second = stage.publisher(&["room"]).await;
        lost(&mut reader, PATIENCE).await;
        let mut reader = stage.reader("room").await;
        second.group(0, "second");
        assert_eq!(frame(&mut reader).await, "second");
    });
}

#[test]
fn what_nobody_else_has_goes_on_with_the_silent_publisher() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let _second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room", "only"]).await;
        let (mut room, mut only) = (stage.reader("room").await, stage.reader("only").await);
        stage.told();
        first.connection.set_silent(true);
        lost(&mut room, PATIENCE).await;
        sleep(Duration::from_millis(10)).await;
        let told = stage.told();
        let change = told.iter().find(|event| path(event) == "only");
        let features = version.features();
        match change {
            Some(AnnouncedEvent::Update(_, route)) if features.typed_announce => {
                assert_eq!(route.warm_cost, moq_model::Route::MAX_COST);
            }
            Some(AnnouncedEvent::End(_)) if !features.typed_announce => {}
            other => panic!("{other:?}"),
        }
        first.connection.set_silent(false);
        first.group(1, "still");
        assert_eq!(frame(&mut only).await, "still");
        sleep(Duration::from_millis(300)).await;
        let told = stage.told();
        let change = told.iter().find(|event| path(event) == "only");
        match change {
            Some(AnnouncedEvent::Update(_, route)) if features.typed_announce => {
                assert!(route.warm_cost < moq_model::Route::MAX_COST);
            }
            Some(AnnouncedEvent::Start(..)) if !features.typed_announce => {}
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_quiet_publisher_that_answers_keeps_its_readers() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        sleep(SECOND).await;
        stage.told();
        for round in 0..20 {
            sleep(3 * SECOND).await;
            // A ping may come at any moment of a silence, which ends before its answer is due.
            first.connection.set_silent(true);
            sleep(Duration::from_millis(480 - 20 * round)).await;
            first.connection.set_silent(false);
        }
        assert_eq!(stage.told(), []);
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        drop(second);
    });
}

#[test]
fn of_two_silent_publishers_one_stays() {
    for_each_version(|version| async move {
        let stage = Stage::new(version).await;
        let publishers = [
            stage.publisher(&["room"]).await,
            stage.publisher(&["room"]).await,
        ];
        for publisher in &publishers {
            publisher.connection.set_silent(true);
        }
        sleep(30 * SECOND).await;
        let room: BroadcastPath = "room".parse().unwrap();
        assert!(stage.relay.consume().broadcast(&room).is_ok());
        let mut announced = stage.relay.consume().announced(&BroadcastPath::root());
        let Some(AnnouncedEvent::Start(_, route)) = announced.try_next() else {
            panic!("a route is left");
        };
        assert!(route.warm_cost < moq_model::Route::MAX_COST);
    });
}
