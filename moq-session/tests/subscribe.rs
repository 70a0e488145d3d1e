//! Tracks through a session, and through a relay.

mod common;

use common::{finished, for_each_version, join, pair, read_all};
use moq_session::{Abort, Config, OriginProducer, ReadError, Subscription, Track, Version};

/// The first of so many groups that whoever comes late can get: the newest, where a subscription
/// has no start.
fn first(version: Version, groups: usize) -> usize {
    match version.features().subscribe_range {
        true => 0,
        false => groups - 1,
    }
}

#[test]
fn a_finished_track_arrives_whole() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let broadcast = finished(&[&["a", "", "b"], &["c"], &["ä", "d"]]);
        let _publication = pair
            .origin
            .publish(&"room".parse().unwrap(), broadcast.consume());
        let track = pair.client.track("room", "data").unwrap();
        let groups = [vec!["a", "", "b"], vec!["c"], vec!["ä", "d"]];
        let first = first(version, groups.len());
        assert_eq!(read_all(&track).await, groups[first..]);
    });
}

#[test]
fn a_client_publishes_to_a_client_through_a_relay() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (publisher, _first) = join(version, Config::default(), &origin).await;
        let (subscriber, _second) = join(version, Config::default(), &origin).await;
        let broadcast = finished(&[&["a"], &["b", "c"]]);
        let _publication = publisher
            .publish("room/alice", broadcast.consume())
            .unwrap();

        let mut announced = subscriber.announced("room").unwrap();
        loop {
            if let moq_session::AnnouncedEvent::Start(path, _) = announced.next().await {
                assert_eq!(path.as_str(), "room/alice");
                break;
            }
        }
        let track = subscriber.track("room/alice", "data").unwrap();
        let groups = [vec!["a"], vec!["b", "c"]];
        let first = first(version, groups.len());
        assert_eq!(read_all(&track).await, groups[first..]);
        let again = subscriber.track("room/alice", "data").unwrap();
        assert_eq!(
            read_all(&again).await,
            groups[first..],
            "a second viewer gets it too"
        );
    });
}

#[test]
fn an_unknown_broadcast_is_unroutable() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let track = pair.client.track("nowhere", "data").unwrap();
        let mut reader = track.subscribe(Subscription::default());
        let end = reader.next_group().await.unwrap_err();
        assert_eq!(end, ReadError::Aborted(Abort::Unroutable));
    });
}

#[test]
fn an_unknown_track_is_not_found() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let broadcast = finished(&[]);
        let _publication = pair
            .origin
            .publish(&"room".parse().unwrap(), broadcast.consume());
        let track = pair.client.track("room", "other").unwrap();
        assert_eq!(
            track.info().await.unwrap_err(),
            ReadError::Aborted(Abort::NotFound)
        );
    });
}

#[test]
fn an_empty_track_ends() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let broadcast = finished(&[]);
        let _publication = pair
            .origin
            .publish(&"room".parse().unwrap(), broadcast.consume());
        let track = pair.client.track("room", "data").unwrap();
        assert!(read_all(&track).await.is_empty());
    });
}

#[test]
fn unsubscribing_reaches_the_publisher() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (publisher, _first) = join(version, Config::default(), &origin).await;
        let (subscriber, _second) = join(version, Config::default(), &origin).await;
        let broadcast = moq_session::BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let _publication = publisher.publish("room", broadcast.consume()).unwrap();

        let mut announced = subscriber.announced("").unwrap();
        while !matches!(
            announced.next().await,
            moq_session::AnnouncedEvent::Start(..)
        ) {}
        let mut reader = subscriber
            .track("room", "data")
            .unwrap()
            .subscribe(Subscription::default());
        track.used().await;
        let mut group = track.append().unwrap();
        group.append("x").unwrap();
        assert!(reader.next_group().await.unwrap().is_some());
        drop(reader);
        track.unused().await;
    });
}

#[test]
fn megabytes_arrive_in_order_and_whole() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (publisher, _first) = join(version, Config::default(), &origin).await;
        let (subscriber, _second) = join(version, Config::default(), &origin).await;
        let broadcast = moq_session::BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let _publication = publisher.publish("room", broadcast.consume()).unwrap();
        let mut announced = subscriber.announced("").unwrap();
        while !matches!(
            announced.next().await,
            moq_session::AnnouncedEvent::Start(..)
        ) {}

        let groups = 80u64;
        let writer = async {
            track.used().await;
            for n in 0..groups {
                let mut group = track.append().unwrap();
                for k in 0..16u8 {
                    track.ready().await;
                    group.append(vec![n as u8 ^ k; 65_536]).unwrap();
                }
                group.finish();
                tokio::task::yield_now().await;
            }
            track.finish();
        };
        let reader = async {
            let wanted = Subscription::default().with_start(moq_session::Start::OLDEST);
            let track = subscriber.track("room", "data").unwrap();
            let mut reader = track.subscribe(wanted).ordered();
            let mut next = (0, 0);
            while let Some(read) = reader.next().await.unwrap() {
                let moq_session::TrackRead::Frame {
                    group,
                    index,
                    frame,
                } = read
                else {
                    panic!("{read:?} after {next:?}")
                };
                assert_eq!((group, index), next);
                let expected = vec![group as u8 ^ index as u8; 65_536];
                assert!(frame.payload == expected, "{group} {index}");
                next = if index == 15 {
                    (group + 1, 0)
                } else {
                    (group, index + 1)
                };
            }
            assert_eq!(next, (groups, 0));
        };
        tokio::join!(writer, reader);
    });
}
