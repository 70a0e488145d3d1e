//! Subscriptions of one session, whose peer allows streams as the test says.

use moq_session::testing::{Peer, Script};
use moq_session::{
    BroadcastProducer, GroupProducer, OriginProducer, Publication, Session, Track, TrackProducer,
    Version,
};
use moq_wire::{BiStream, Setup, SubscribeResponse, UniStream};

use super::live::floor;
use super::record::{Log, enter_recorded};
use super::scripts::{ok, settle};

/// A relay's session with a peer that subscribes to the tracks `0`, `1` and so on of `room`.
pub struct Stage {
    pub peer: Peer,
    pub log: Log,
    pub tracks: Vec<TrackProducer>,
    /// Streams that were opened before those of groups.
    pub others: usize,
    _kept: (Session, BroadcastProducer, Publication),
}

impl Stage {
    /// The peer allows no stream for a group at first.
    pub async fn new(version: Version, tracks: usize) -> Self {
        let origin = OriginProducer::new();
        let broadcast = BroadcastProducer::new();
        let tracks = (0..tracks).map(|n| broadcast.create(Track::new(n.to_string())).unwrap());
        let tracks = tracks.collect();
        let publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, session, recorder) = enter_recorded(version, &origin).await;
        if version.features().setup_stream {
            let mut setup = peer.expect_uni(UniStream::Setup).await;
            setup.expect::<Setup>().await;
            setup.expect_fin().await;
        }
        settle().await;
        let others = *recorder.opened.lock().unwrap();
        peer.allow_streams(0);
        recorder.log.take();
        Self {
            peer,
            log: recorder.log,
            tracks,
            others,
            _kept: (session, broadcast, publication),
        }
    }

    /// Allows so many streams of groups at a time.
    pub fn allow(&mut self, streams: usize) {
        self.peer.allow_streams(streams);
    }

    /// Subscribes to all groups of a track, under the track's number.
    pub async fn subscribe(&mut self, track: u64, priority: u8) -> Script {
        let mut wish = floor(0);
        (wish.id.0, wish.priority) = (track, priority);
        wish.track = track.to_string().as_str().into();
        let mut stream = self.peer.request(BiStream::Subscribe, &wish).await;
        let features = self.peer.version().features();
        if features.subscribe_ok {
            let expected = ok(if features.ok_priority { priority } else { 0 });
            assert_eq!(
                stream.expect_response().await,
                SubscribeResponse::Ok(expected)
            );
        }
        settle().await;
        stream
    }

    /// Writes a group of one frame that goes on.
    pub fn open(&self, track: usize, sequence: u64) -> GroupProducer {
        let mut group = self.tracks[track].create(sequence).unwrap();
        group.append("x").unwrap();
        group
    }

    pub fn whole(&self, track: usize, sequence: u64) {
        self.open(track, sequence).finish();
    }

    /// The next group, as its subscription and number.
    pub async fn next(&mut self) -> (u64, u64) {
        let (header, mut stream) = self.peer.expect_group().await;
        stream.expect_frame().await;
        stream.expect_fin().await;
        (header.subscribe_id.0, header.sequence.0)
    }

    pub async fn next_of(&mut self, count: usize) -> Vec<(u64, u64)> {
        let mut groups = Vec::new();
        for _ in 0..count {
            groups.push(self.next().await);
        }
        groups
    }
}
