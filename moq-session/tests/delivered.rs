//! Leaving once everything that is owed is delivered.

mod common;

use std::time::Duration;

use common::{finished, for_each_version, join, pair, read_all};
use moq_session::{BroadcastProducer, Config, OriginProducer, Subscription, Track};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nothing_owed_is_delivered_at_once() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let delivered = timeout(Duration::ZERO, pair.server.delivered()).await;
        assert!(matches!(delivered, Ok(Ok(()))), "{delivered:?}");
    });
}

#[test]
fn a_finished_track_is_delivered_once_its_reader_has_it() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let path = "room".parse().unwrap();
        let _publication = pair.origin.publish(&path, broadcast.consume());
        let wanted = pair.client.track("room", "data").unwrap();
        let reader = wanted.subscribe(Subscription::default());
        track.used().await;
        let early = timeout(60 * SECOND, pair.server.delivered()).await;
        assert!(early.is_err(), "the track goes on");
        let mut group = track.append().unwrap();
        group.append("x").unwrap();
        group.finish();
        track.finish();
        let reading = async {
            let mut reader = reader.ordered();
            while reader.next().await.unwrap().is_some() {}
        };
        let (delivered, ()) = tokio::join!(pair.server.delivered(), reading);
        assert!(delivered.is_ok());
        assert!(pair.server.outstanding().is_nothing());
    });
}

#[test]
fn a_session_that_ends_first_has_not_delivered() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let path = "room".parse().unwrap();
        let _publication = pair.origin.publish(&path, broadcast.consume());
        let wanted = pair.client.track("room", "data").unwrap();
        let _reader = wanted.subscribe(Subscription::default());
        track.used().await;
        let leave = async {
            tokio::time::sleep(SECOND).await;
            pair.client.close(0, "");
        };
        let (delivered, ()) = tokio::join!(pair.server.delivered(), leave);
        let error = delivered.unwrap_err().to_string();
        assert!(error.contains("the peer closed"), "{error}");
        assert!(pair.server.delivered().await.is_err(), "it stays so");
    });
}

#[test]
fn a_client_that_leaves_afterwards_cuts_nobody_off() {
    for_each_version(|version| async move {
        let relay = OriginProducer::new();
        let (publisher, _served) = join(version, Config::default(), &relay).await;
        let (viewer, _fed) = join(version, Config::default(), &relay).await;
        let broadcast = finished(&[&["a", "b"], &["c"]]);
        let mut publication = publisher.publish("room", broadcast.consume()).unwrap();
        publication.told(SECOND).await.unwrap();
        let track = viewer.track("room", "data").unwrap();
        let leaving = async {
            publication.requested(SECOND).await.unwrap();
            publisher.delivered().await.unwrap();
            publisher.close(0, "");
        };
        let (groups, ()) = tokio::join!(read_all(&track), leaving);
        let last = groups.last().and_then(|group| group.last());
        assert_eq!(last.map(String::as_str), Some("c"));
    });
}
