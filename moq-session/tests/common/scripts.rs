//! Peers that a test drives by hand, and what they say most often.

use std::time::Duration;

use moq_session::testing::{self, Peer, Script, memory_pair};
use moq_session::{
    Config, Established, Grant, GroupConsumer, GroupEnd, GroupRead, HopId, OriginProducer, Pattern,
    Session, TrackReader, Version,
};
use moq_wire::{
    AnnounceEvent, AnnounceRequest, BiStream, GroupHeader, GroupSequence, GroupStart, Path, Route,
    Setup, Subscribe, SubscribeId, Track, TrackInfo,
};

/// A short while, for checking that nothing comes.
pub const A_WHILE: Duration = Duration::from_millis(700);

/// Lets everybody do what can be done now.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A peer in a client's place, let in by a relay on `origin` to everything.
pub async fn enter(version: Version, origin: &OriginProducer) -> (Peer, Session) {
    enter_as(version, origin, &Setup::default()).await
}

/// As [`enter`], with a SETUP of its own.
pub async fn enter_as(version: Version, origin: &OriginProducer, setup: &Setup) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    let mut peer = Peer::new(client, version);
    let (session, ()) = tokio::join!(testing::accept(server, origin), peer.setup(setup));
    (peer, session.unwrap())
}

/// As [`enter`], with what the peer is allowed.
pub async fn enter_with(
    version: Version,
    origin: &OriginProducer,
    grant: Grant,
) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    let mut peer = Peer::new(client, version);
    let config = Config::default()
        .with_versions([version])
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let setup = Setup::default();
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(server), config),
        peer.setup(&setup)
    );
    (peer, request.unwrap().accept(grant).await.unwrap())
}

/// A client's session that tells what is in `origin` and asks for more, and a peer that is asked.
pub async fn asked(version: Version, origin: &OriginProducer) -> (Session, Peer) {
    let config = Config::default()
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    Peer::server_of(version, config).await
}

/// The kinds of requests that a draft has.
pub fn kinds(version: Version) -> impl Iterator<Item = BiStream> {
    let kinds = [
        BiStream::Announce,
        BiStream::Subscribe,
        BiStream::Fetch,
        BiStream::Goaway,
        BiStream::Track,
    ];
    let exists = move |kind: &BiStream| BiStream::from_code(kind.code(), version).is_some();
    kinds.into_iter().filter(exists)
}

/// Nothing below `root`, for adding to.
pub fn grant(root: &str) -> Grant {
    Grant::new(root.parse().unwrap())
}

pub fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

pub fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

/// A request for the newest group and what follows. Where the draft has no word for the newest group, it
/// is for all groups that are not too old.
pub fn subscribe(version: Version, id: u64, broadcast: &str, track: &str) -> Subscribe {
    let start = match version.features().start_is_floor {
        true => GroupStart::Floor(GroupSequence(0)),
        false => GroupStart::Latest,
    };
    subscribe_from(start, id, broadcast, track)
}

pub fn subscribe_from(start: GroupStart, id: u64, broadcast: &str, track: &str) -> Subscribe {
    Subscribe {
        id: SubscribeId(id),
        broadcast: path(broadcast),
        track: track.to_owned(),
        priority: 5,
        max_age: Duration::from_secs(5),
        start,
        last: None,
        frame_start: 0,
        frame_last: None,
    }
}

pub fn track(broadcast: &str, track: &str) -> Track {
    Track {
        broadcast: path(broadcast),
        track: track.to_owned(),
    }
}

pub fn header(id: u64, sequence: u64) -> GroupHeader {
    GroupHeader {
        subscribe_id: SubscribeId(id),
        sequence: GroupSequence(sequence),
        frame_start: 0,
    }
}

pub fn announce_request(prefix: &str) -> AnnounceRequest {
    AnnounceRequest {
        prefix: path(prefix),
        exclude_hop: moq_wire::HopId::default(),
        include_hidden: false,
    }
}

pub fn route(hops: &[u64]) -> Route {
    Route {
        hops: hops.iter().map(|&hop| moq_wire::HopId(hop)).collect(),
        warm_cost: 0,
        cold_cost: 0,
    }
}

pub fn start(suffix: &str, hops: &[u64]) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: path(suffix),
        route: route(hops),
    }
}

pub fn hops(hops: &[u64]) -> Vec<HopId> {
    hops.iter().map(|&hop| HopId(hop)).collect()
}

/// What is left of a chain when it has travelled on the wire.
pub fn carried(version: Version, hops: &[u64]) -> Vec<u64> {
    let features = version.features();
    if features.hops.has_ids() {
        hops.to_vec()
    } else if features.hops.has_count() {
        vec![0; hops.len()]
    } else {
        Vec::new()
    }
}

/// Plays the publisher of a track that a session asks for, up to its acceptance; says under which
/// id.
pub async fn accept_track(peer: &mut Peer) -> (u64, Script) {
    if peer.version().features().track_stream {
        answer_track(peer).await;
    }
    let (request, mut stream) = peer.expect_request::<Subscribe>(BiStream::Subscribe).await;
    if peer.version().features().subscribe_ok {
        stream
            .respond(&moq_wire::SubscribeResponse::Ok(ok(request.priority)))
            .await;
    }
    (request.id.0, stream)
}

/// Answers TRACK with the default properties.
pub async fn answer_track(peer: &mut Peer) {
    let (_, mut stream) = peer.expect_request::<Track>(BiStream::Track).await;
    stream.send(&track_info()).await;
    stream.finish();
}

pub fn track_info() -> TrackInfo {
    TrackInfo {
        priority: 127,
        max_age: Duration::from_secs(5),
        timescale: 1_000,
    }
}

pub fn ok(priority: u8) -> moq_wire::SubscribeOk {
    moq_wire::SubscribeOk {
        priority,
        max_age: Duration::ZERO,
        start: None,
        last: None,
    }
}

/// Sends a whole group of text frames, a millisecond apart.
pub async fn send_group(peer: &mut Peer, id: u64, sequence: u64, frames: &[&str]) {
    let mut stream = peer.group(&header(id, sequence)).await;
    for (at, frame) in (sequence * 1_000..).zip(frames) {
        stream.send_frame(at, frame).await;
    }
    stream.finish();
}

/// A session, a peer that publishes to it, and a reader of the peer's track `data` of `room`.
pub struct Fed {
    pub session: Session,
    pub peer: Peer,
    pub reader: TrackReader,
    pub id: u64,
    pub control: Script,
}

pub async fn fed(version: Version) -> Fed {
    let (session, mut peer) = Peer::server(version).await;
    let wanted = moq_session::Subscription::default()
        .with_start(moq_session::Start::OLDEST)
        .with_max_age(Duration::from_secs(5));
    let track = session.track("room", "data").unwrap();
    let reader = track.subscribe(wanted);
    let (id, control) = accept_track(&mut peer).await;
    Fed {
        session,
        peer,
        reader,
        id,
        control,
    }
}

impl Fed {
    pub async fn group(&mut self) -> GroupConsumer {
        let next = tokio::time::timeout(Duration::from_secs(60), self.reader.next_group());
        next.await.expect("a group").unwrap().expect("a group")
    }

    /// The frames of the next group, and how it ended.
    pub async fn read(&mut self) -> (u64, Vec<String>, GroupEnd) {
        let mut group = self.group().await;
        let mut frames = Vec::new();
        loop {
            match group.next().await {
                GroupRead::Frame(frame) => {
                    frames.push(String::from_utf8(frame.payload.to_vec()).unwrap());
                }
                GroupRead::End(end) => return (group.sequence(), frames, end),
            }
        }
    }
}
