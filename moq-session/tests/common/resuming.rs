//! A reader that goes on, and what it reads from.

use std::time::Duration;

use moq_session::{
    BroadcastProducer, Continuity, OriginProducer, Publication, Reconnect, ResumeEvent,
    ResumingReader, Session, Start, Subscription, Track, TrackProducer, TrackRead, Version,
};
use tokio::time::timeout;

use super::keeping::{Dialer, Door, config, dialer};

pub const SECOND: Duration = Duration::from_secs(1);

/// A relay with `room` and its track `data`, and a client that keeps a session to it.
pub struct Stage {
    pub relay: OriginProducer,
    pub track: TrackProducer,
    pub broadcast: BroadcastProducer,
    pub publication: Option<Publication>,
    pub door: Door,
    pub reconnect: Reconnect<Dialer>,
    pub origin: OriginProducer,
    pub session: Session,
}

pub fn room(
    relay: &OriginProducer,
    track: Track,
) -> (BroadcastProducer, TrackProducer, Publication) {
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(track).unwrap();
    let publication = relay.publish(&"room".parse().unwrap(), broadcast.consume());
    (broadcast, track, publication)
}

pub async fn stage(version: Version) -> Stage {
    let relay = OriginProducer::new();
    let track = Track::new("data").with_max_age(10 * SECOND);
    let (broadcast, track, publication) = room(&relay, track);
    let (dialer, mut door) = dialer(version, &[]);
    let origin = OriginProducer::new();
    let config = config(version).with_subscribe(origin.clone());
    let reconnect = Reconnect::new(dialer, config);
    let (_, session) = door.accept(&relay).await;
    Stage {
        relay,
        track,
        broadcast,
        publication: Some(publication),
        door,
        reconnect,
        origin,
        session,
    }
}

impl Stage {
    pub fn reader(&self) -> ResumingReader {
        let reader = self.reconnect.subscribe("room", "data").unwrap();
        let wanted = Subscription::default().with_start(Start::OLDEST);
        reader.with_subscription(wanted)
    }

    pub fn group(&self, at: u64, frames: &[&str]) {
        let mut group = self.track.append().unwrap();
        for frame in frames {
            group.append_at(at, frame.as_bytes().to_vec()).unwrap();
        }
        group.finish();
    }
}

/// What happens next, in one word or a few.
pub async fn next(reader: &mut ResumingReader) -> String {
    let next = timeout(60 * SECOND, reader.next()).await.expect("hangs");
    match next {
        Ok(None) => "end".to_owned(),
        Ok(Some(ResumeEvent::Waiting)) => "waiting".to_owned(),
        Ok(Some(ResumeEvent::Reading { continuity, .. })) => match continuity {
            Continuity::Resumed { group, frame } => format!("resumed {group}.{frame}"),
            continuity => format!("{continuity:?}").to_lowercase(),
        },
        Ok(Some(ResumeEvent::Read(TrackRead::Frame { group, frame, .. }))) => {
            format!("{group}{}", String::from_utf8_lossy(&frame.payload))
        }
        Ok(Some(ResumeEvent::Read(TrackRead::Skipped { groups, cause }))) => {
            format!("skipped {groups:?} {cause:?}")
        }
        Ok(Some(ResumeEvent::Lost { loss, .. })) => format!("lost {loss}"),
        Ok(Some(other)) => panic!("{other:?}"),
        Err(error) => format!("error {error}"),
    }
}

pub async fn expect(reader: &mut ResumingReader, expected: &[&str]) {
    for expected in expected {
        assert_eq!(next(reader).await, *expected);
    }
}
