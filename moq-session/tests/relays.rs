//! What passes through relays, and what does not stay in them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::tell;
use common::scripts::{enter, settle};
use common::{for_each_version, for_each_with, join};
use moq_session::{
    Abort, Announced, AnnouncedEvent, BroadcastPath, BroadcastProducer, Config, Fetch,
    GroupConsumer, GroupEnd, GroupRead, HopId, OriginProducer, Publication, ReadError, Session,
    Start, Subscription, Track, TrackProducer, TrackReader, Version,
};
use moq_wire::BiStream;
use moq_wire::code::stream::CANCELLED;
use tokio::time::{sleep, timeout};

/// A publisher of `room`, and relays one behind the other.
struct Chain {
    version: Version,
    relays: Vec<OriginProducer>,
    publisher: Session,
    track: TrackProducer,
    broadcast: BroadcastProducer,
    publication: Publication,
    _sessions: Vec<(Session, Session)>,
}

impl Chain {
    async fn new(version: Version, length: u64) -> Self {
        let relays: Vec<_> = (1..=length).map(relay).collect();
        let mut sessions = Vec::new();
        for link in relays.windows(2) {
            sessions.push(connect(version, &link[1], &link[0]).await);
        }
        let publisher = join(version, Config::default(), &relays[0]).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let publication = publisher.0.publish("room", broadcast.consume()).unwrap();
        let chain = Self {
            version,
            relays,
            publisher: publisher.0.clone(),
            track,
            broadcast,
            publication,
            _sessions: sessions.into_iter().chain([publisher]).collect(),
        };
        let mut announced = follow(chain.last());
        start(&mut announced).await;
        chain
    }

    fn last(&self) -> &OriginProducer {
        self.relays.last().unwrap()
    }

    /// A viewer's session with the last relay.
    async fn viewer(&self) -> (Session, Session) {
        join(self.version, Config::default(), self.last()).await
    }

    fn group(&self, frame: &'static str) {
        let mut group = self.track.append().unwrap();
        group.append(frame).unwrap();
        group.finish();
    }
}

fn relay(hop: u64) -> OriginProducer {
    OriginProducer::with(HopId(hop), moq_session::Budget::default())
}

/// Joins a relay to another one, as its client.
async fn connect(
    version: Version,
    from: &OriginProducer,
    to: &OriginProducer,
) -> (Session, Session) {
    let both = Config::default()
        .with_publish(from.clone())
        .with_subscribe(from.clone());
    join(version, both, to).await
}

fn follow(origin: &OriginProducer) -> Announced {
    origin.consume().announced(&BroadcastPath::root())
}

async fn start(announced: &mut Announced) {
    while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
}

async fn end(announced: &mut Announced) {
    while !matches!(announced.next().await, AnnouncedEvent::End(_)) {}
}

async fn group(reader: &mut TrackReader) -> GroupConsumer {
    reader.next_group().await.unwrap().expect("a group")
}

/// The frames of a group, and how it ended.
async fn whole(mut group: GroupConsumer) -> (Vec<String>, GroupEnd) {
    let mut frames = Vec::new();
    loop {
        match group.next().await {
            GroupRead::Frame(frame) => {
                frames.push(String::from_utf8(frame.payload.to_vec()).unwrap());
            }
            GroupRead::End(end) => return (frames, end),
        }
    }
}

#[test]
fn a_broadcast_lives_and_ends_alike_near_and_far() {
    for_each_version(|version| async move {
        let chain = Chain::new(version, 3).await;
        let mut near = follow(&chain.relays[0]);
        let mut far = follow(chain.last());
        start(&mut near).await;
        start(&mut far).await;
        chain.group("a");
        let (viewer, _served) = chain.viewer().await;
        let track = viewer.track("room", "data").unwrap();
        let mut reader = track.subscribe(Subscription::default());
        assert_eq!(group(&mut reader).await.sequence(), 0);
        drop((reader, track));
        drop(chain.publication);
        end(&mut near).await;
        end(&mut far).await;
        // What nobody announces is not served, though its producer lives.
        for origin in [&chain.relays[0], chain.relays.last().unwrap()] {
            let found = origin.consume().broadcast(&"room".parse().unwrap());
            assert!(found.is_err());
        }
        let track = viewer.track("room", "data").unwrap();
        let mut reader = track.subscribe(Subscription::default());
        let refused = reader.next_group().await.unwrap_err();
        assert_eq!(refused, ReadError::Aborted(Abort::Unroutable));
        let quiet = timeout(Duration::from_secs(60), start(&mut far)).await;
        assert!(quiet.is_err(), "announced again");
        drop((chain.broadcast, chain.publisher));
    });
}

#[test]
fn a_broadcast_whose_producer_is_gone_has_no_tracks_and_ends_with_its_publication() {
    for_each_version(|version| async move {
        let chain = Chain::new(version, 1).await;
        let mut announced = follow(chain.last());
        start(&mut announced).await;
        let (viewer, _served) = chain.viewer().await;
        drop((chain.broadcast, chain.track));
        let track = viewer.track("room", "data").unwrap();
        let mut reader = track.subscribe(Subscription::default());
        let refused = reader.next_group().await.unwrap_err();
        assert_eq!(refused, ReadError::Aborted(Abort::NotFound));
        drop(chain.publication);
        end(&mut announced).await;
    });
}

#[test]
fn who_joins_inside_a_group_gets_it_from_its_first_frame() {
    for_each_version(|version| async move {
        let chain = Chain::new(version, 2).await;
        let (first, _first) = chain.viewer().await;
        let track = first.track("room", "data").unwrap();
        let mut reader = track.subscribe(Subscription::default());
        let mut growing = chain.track.append().unwrap();
        growing.append("snapshot").unwrap();
        growing.append("delta").unwrap();
        let _reading = group(&mut reader).await;
        let (second, _second) = chain.viewer().await;
        let track = second.track("room", "data").unwrap();
        let mut late = track.subscribe(Subscription::default());
        let joined = group(&mut late).await;
        growing.append("more").unwrap();
        growing.finish();
        let expected = ["snapshot", "delta", "more"].map(str::to_owned).to_vec();
        assert_eq!(whole(joined).await, (expected, GroupEnd::Finished));
    });
}

#[test]
fn older_groups_arrive_after_the_newest() {
    for_each_with(
        |features| features.subscribe_range,
        |version| async move {
            let chain = Chain::new(version, 2).await;
            for text in ["a", "b", "c", "d"] {
                chain.group(text);
            }
            let (viewer, _served) = chain.viewer().await;
            let track = viewer.track("room", "data").unwrap();
            let mut reader = track.subscribe(Subscription::default().with_start(Start::OLDEST));
            let mut sequences = Vec::new();
            for _ in 0..4 {
                let group = group(&mut reader).await;
                sequences.push(group.sequence());
                assert_eq!(whole(group).await.1, GroupEnd::Finished);
            }
            sequences.sort_unstable();
            assert_eq!(sequences, [0, 1, 2, 3]);
        },
    );
}

#[test]
fn a_group_cut_off_because_everybody_left_comes_whole_to_who_is_next() {
    for_each_version(|version| async move {
        let chain = Chain::new(version, 2).await;
        let mut growing = chain.track.append().unwrap();
        growing.append("a").unwrap();
        for is_last in [false, true] {
            let (viewer, _served) = chain.viewer().await;
            let track = viewer.track("room", "data").unwrap();
            let mut reader = track.subscribe(Subscription::default());
            let mut begun = group(&mut reader).await;
            let GroupRead::Frame(frame) = begun.next().await else {
                panic!("no frame");
            };
            assert_eq!(&*frame.payload, b"a");
            if is_last {
                growing.append("b").unwrap();
                growing.finish();
                let expected = (vec!["b".to_owned()], GroupEnd::Finished);
                assert_eq!(whole(begun).await, expected);
                return;
            }
            drop((begun, reader, track));
            chain.track.unused().await;
        }
    });
}

#[test]
fn an_abandoned_fetch_is_taken_back_through_relays() {
    for_each_with(
        |features| features.fetch,
        |version| async move {
            let chain = Chain::new(version, 3).await;
            let mut growing = chain.track.append().unwrap();
            growing.append("a").unwrap();
            let (viewer, served) = chain.viewer().await;
            let owed = || chain.publisher.outstanding().fetches;
            // Before the answer, while it comes, and after it.
            let asked = viewer.fetch("room", "data", Fetch::new(0));
            assert!(timeout(Duration::ZERO, asked).await.is_err());
            let mut reading = viewer.fetch("room", "data", Fetch::new(0)).await.unwrap();
            assert!(matches!(reading.next().await, GroupRead::Frame(_)));
            assert_eq!(owed(), 1);
            drop(reading);
            sleep(Duration::from_secs(1)).await;
            assert_eq!(owed(), 0, "the publisher serves it on");
            assert_eq!(served.outstanding().fetches, 0);
            growing.finish();
            let reading = viewer.fetch("room", "data", Fetch::new(0)).await.unwrap();
            assert_eq!(whole(reading).await.1, GroupEnd::Finished);
            settle().await;
            assert_eq!(owed() + served.outstanding().fetches, 0);
        },
    );
}

#[test]
fn a_request_that_nobody_answers_is_taken_back_through_relays() {
    for_each_version(|version| async move {
        let relays = [relay(1), relay(2)];
        let _link = connect(version, &relays[1], &relays[0]).await;
        let (mut publisher, _served) = enter(version, &relays[0]).await;
        let mut stream = publisher.expect_bi(BiStream::Announce).await;
        tell(&mut stream, 9, &["room"]).await;
        let mut announced = follow(&relays[1]);
        start(&mut announced).await;
        let (viewer, served) = join(version, Config::default(), &relays[1]).await;
        let track = viewer.track("room", "data").unwrap();
        let reader = track.subscribe(Subscription::default());
        let mut request = match version.features().track_stream {
            true => publisher.expect_bi(BiStream::Track).await,
            false => publisher.expect_bi(BiStream::Subscribe).await,
        };
        drop((reader, track));
        // Each hop keeps a track for 5 s that nobody reads, unless its answer is overdue first.
        request.expect_reset(CANCELLED).await;
        sleep(Duration::from_secs(20)).await;
        assert_eq!(served.outstanding().subscriptions, 0);
    });
}

/// Every two of the relays are joined. A draft without ids of hops can't tell a circle from a way
/// out.
#[test]
fn a_withdrawal_ends_once_everywhere_in_a_mesh() {
    for_each_with(
        |features| features.hops.has_ids(),
        |version| async move {
            let relays: Vec<_> = (1..=8).map(relay).collect();
            let mut sessions = Vec::new();
            for (n, from) in relays.iter().enumerate() {
                for to in &relays[..n] {
                    sessions.push(connect(version, from, to).await);
                }
            }
            let publisher = join(version, Config::default(), &relays[0]).await;
            let broadcast = BroadcastProducer::new();
            let mut heard: Vec<_> = relays.iter().map(follow).collect();
            for _ in 0..3 {
                let publication = publisher.0.publish("room", broadcast.consume()).unwrap();
                for announced in &mut heard {
                    start(announced).await;
                }
                sleep(Duration::from_secs(5)).await;
                drop(publication);
                for announced in &mut heard {
                    end(announced).await;
                }
                sleep(Duration::from_secs(5)).await;
                for announced in &mut heard {
                    while let Some(event) = announced.try_next() {
                        assert!(matches!(event, AnnouncedEvent::Live), "{event:?}");
                    }
                }
            }
        },
    );
}
