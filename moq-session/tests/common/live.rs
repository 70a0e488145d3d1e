//! A track of a relay, and a peer that subscribes to it by hand.

use std::time::Duration;

use moq_session::testing::{Peer, Script};
use moq_session::{
    BroadcastProducer, OriginProducer, Publication, Session, Track, TrackProducer, Version,
};
use moq_wire::{
    BiStream, GroupSequence, GroupStart, Subscribe, SubscribeResponse, SubscribeUpdate,
};

use super::scripts::{enter, ok, subscribe_from};

/// A relay's session with a peer that subscribes, and the track `data` of `room`.
pub struct Live {
    pub origin: OriginProducer,
    pub peer: Peer,
    pub session: Session,
    pub track: TrackProducer,
    _broadcast: BroadcastProducer,
    _publication: Publication,
}

pub async fn live(version: Version) -> Live {
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data")).unwrap();
    let publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
    let (peer, session) = enter(version, &origin).await;
    Live {
        origin,
        peer,
        session,
        track,
        _broadcast: broadcast,
        _publication: publication,
    }
}

impl Live {
    /// Writes a finished group of one frame.
    pub fn group(&self, timestamp: u64) {
        let mut group = self.track.append().unwrap();
        group.append_at(timestamp, "x").unwrap();
        group.finish();
    }

    pub async fn subscribe(&mut self, wish: &Subscribe) -> Script {
        let mut stream = self.peer.request(BiStream::Subscribe, wish).await;
        if self.peer.version().features().subscribe_ok {
            let has_priority = self.peer.version().features().ok_priority;
            let priority = if has_priority { wish.priority } else { 0 };
            let expected = SubscribeResponse::Ok(ok(priority));
            assert_eq!(stream.expect_response().await, expected);
        }
        stream
    }

    pub async fn expect_groups(&mut self, sequences: impl IntoIterator<Item = u64>) {
        for sequence in sequences {
            let (header, mut stream) = self.peer.expect_group().await;
            assert_eq!(header.sequence.0, sequence);
            stream.expect_frame().await;
            stream.expect_fin().await;
        }
    }
}

pub fn start_at(group: u64) -> GroupStart {
    GroupStart::Floor(GroupSequence(group))
}

pub fn floor(group: u64) -> Subscribe {
    subscribe_from(start_at(group), 0, "room", "data")
}

pub fn update(priority: u8, age: u64, start: GroupStart) -> SubscribeUpdate {
    SubscribeUpdate {
        priority,
        max_age: Duration::from_millis(age),
        start,
        last: None,
        frame_start: 0,
        frame_last: None,
    }
}
