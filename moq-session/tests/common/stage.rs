//! A publisher, a relay, and viewers of different speed.

use std::time::Duration;

use moq_session::testing::{Peer, Script};
use moq_session::{
    BroadcastProducer, Budget, Config, OriginProducer, Publication, Session, Start, Subscription,
    Track, TrackConsumer, TrackProducer, TrackRead, Version,
};
use moq_wire::code::stream::{EVICTED, OLD};
use moq_wire::{BiStream, SubscribeResponse};
use tokio::time::{Instant, sleep};

use super::join;
use super::live::floor;
use super::scripts::{enter, settle};

/// Media time from one group to the next.
pub const STEP: Duration = Duration::from_millis(100);
/// A group has this many frames of 64 KiB.
pub const FRAMES: usize = 4;
pub const FRAME: usize = 64 * 1024;

/// A publisher's track, as a relay on `origin` has it.
pub struct Stage {
    version: Version,
    pub origin: OriginProducer,
    pub track: TrackProducer,
    _broadcast: BroadcastProducer,
    _publication: Publication,
    _publisher: (Session, Session),
}

impl Stage {
    pub async fn new(version: Version, budget: u64) -> Self {
        let origin = OriginProducer::with(moq_session::HopId(1), Budget::new(budget));
        let publisher = join(version, Config::default(), &origin).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let mut publication = publisher.0.publish("room", broadcast.consume()).unwrap();
        publication.told(Duration::from_secs(1)).await.unwrap();
        Self {
            version,
            origin,
            track,
            _broadcast: broadcast,
            _publication: publication,
            _publisher: publisher,
        }
    }

    /// A further viewer's track; it lives as long as the sessions.
    pub async fn viewer(&self) -> (TrackConsumer, (Session, Session)) {
        let sessions = join(self.version, Config::default(), &self.origin).await;
        (sessions.0.track("room", "data").unwrap(), sessions)
    }

    /// A viewer that takes nothing, not even the few streams that it allows.
    pub async fn stalled(&self) -> (Peer, Script, Session) {
        let (mut peer, session) = enter(self.version, &self.origin).await;
        settle().await;
        peer.allow_streams(4);
        let stream = peer.request(BiStream::Subscribe, &floor(0)).await;
        (peer, stream, session)
    }

    /// Writes groups in media time and finishes; says how long the longest wait for readers was.
    pub async fn write(self, groups: u64, step: Duration) -> Duration {
        let mut longest = Duration::ZERO;
        self.track.used().await;
        for n in 0..groups {
            let mut group = self.track.append().unwrap();
            for _ in 0..FRAMES {
                let before = Instant::now();
                self.track.ready().await;
                longest = longest.max(before.elapsed());
                let at = u64::try_from(STEP.as_millis()).unwrap() * n;
                if group.append_at(at, vec![n as u8; FRAME]).is_err() {
                    break;
                }
            }
            group.finish();
            sleep(step).await;
        }
        self.track.finish();
        sleep(Duration::from_secs(60)).await;
        longest
    }
}

/// Reads everything, as fast as it comes; says how many groups there were.
pub async fn fast(track: TrackConsumer) -> u64 {
    let wanted = Subscription::default().with_start(Start::OLDEST);
    let mut reader = track.subscribe(wanted).ordered();
    let mut next = (0, 0);
    while let Some(read) = reader.next().await.unwrap() {
        let TrackRead::Frame {
            group,
            index,
            frame,
        } = read
        else {
            panic!("{read:?} after {next:?}");
        };
        assert_eq!((group, index), next);
        assert_eq!(frame.payload.len(), FRAME);
        next = if index + 1 == FRAMES {
            (group + 1, 0)
        } else {
            (group, index + 1)
        };
    }
    next.0
}

/// Takes three times as long for a group as the next one takes to come. Says how many it got
/// whole, and how many it was told it lost.
pub async fn slow(track: TrackConsumer) -> (u64, u64) {
    let wanted = Subscription::default()
        .with_start(Start::OLDEST)
        .with_max_age(Duration::from_secs(2));
    let mut reader = track.subscribe(wanted).ordered();
    let (mut whole, mut lost) = (0, 0);
    while let Some(read) = reader.next().await.unwrap() {
        match read {
            TrackRead::Frame { index, .. } if index + 1 == FRAMES => {
                whole += 1;
                sleep(3 * STEP).await;
            }
            TrackRead::Frame { .. } => {}
            TrackRead::Skipped { groups, .. } => lost += groups.end - groups.start,
            other => panic!("{other:?}"),
        }
    }
    (whole, lost)
}

/// How many groups a viewer that took nothing is told not to wait for, as far as `enough`.
pub async fn dropped(stream: &mut Script, enough: u64) -> u64 {
    let mut dropped = 0;
    while dropped < enough {
        match stream.expect_response().await {
            SubscribeResponse::Drop { first, last, code } => {
                assert!(
                    [u64::from(OLD), u64::from(EVICTED)].contains(&code),
                    "{code:#x}"
                );
                dropped += last.0 - first.0 + 1;
            }
            SubscribeResponse::Ok(_) | SubscribeResponse::Start(_) => {}
            SubscribeResponse::End { .. } => panic!("the end before what was dropped"),
        }
    }
    dropped
}
