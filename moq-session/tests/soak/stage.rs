//! A publisher and a viewer, joined by a relay.

use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastPath, BroadcastProducer, Config, OriginProducer, Publication, Session,
    Track, TrackProducer, Version,
};

/// How many tracks the publisher has.
pub const TRACKS: usize = 8;

#[derive(Debug)]
pub struct Stage {
    pub version: Version,
    pub relay: OriginProducer,
    pub publisher: Session,
    pub viewer: Session,
    /// Tracks of the broadcast `room`, by number, each with a finished group.
    pub tracks: Vec<TrackProducer>,
    pub broadcast: BroadcastProducer,
    /// Serial number of the next thing that has to be another one than all before it.
    pub serial: u64,
    _publication: Publication,
    _served: [Session; 2],
}

impl Stage {
    pub async fn new(version: Version) -> Self {
        let relay = OriginProducer::new();
        let (publisher, first) = join(version, &relay).await;
        let (viewer, second) = join(version, &relay).await;
        let broadcast = BroadcastProducer::new();
        let tracks: Vec<_> = (0..TRACKS)
            .map(|number| {
                let track = broadcast.create(Track::new(number.to_string())).unwrap();
                let mut group = track.append().unwrap();
                group.append("first").unwrap();
                group.finish();
                track
            })
            .collect();
        let publication = publisher.publish("room", broadcast.consume()).unwrap();
        listed(&relay).await;
        Self {
            version,
            relay,
            publisher,
            viewer,
            tracks,
            broadcast,
            serial: 0,
            _publication: publication,
            _served: [first, second],
        }
    }

    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// Waits until the relay knows of the broadcast.
async fn listed(relay: &OriginProducer) {
    let mut announced = relay.consume().announced(&BroadcastPath::root());
    while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
}

/// A client of the relay, and the session that serves it.
pub async fn join(version: Version, relay: &OriginProducer) -> (Session, Session) {
    let (client, server): (MemoryConnection, _) = memory_pair(version);
    let config = Config::default().with_versions([version]);
    let (client, server) = tokio::join!(
        Session::connect_with(client, config),
        testing::accept(server, relay)
    );
    (client.unwrap(), server.unwrap())
}
