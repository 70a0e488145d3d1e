//! What a session costs in which nothing happens.

mod common;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::for_each_version;
use moq_session::testing::memory_pair;
use moq_session::{
    BroadcastPath, BroadcastProducer, Config, Established, Grant, OriginProducer, Session,
    Subscription, Track,
};
use tokio::time::sleep;

#[test]
fn a_viewer_of_a_silent_track_wakes_its_server_for_nothing() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let mut group = track.append().unwrap();
        group.append("a").unwrap();
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (client, server) = memory_pair(version);
        let config = Config::default()
            .with_versions([version])
            .with_publish(origin.clone());
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        let serving = tokio::spawn(async move {
            let accepted = Session::accept(Established::new(server), config).await;
            let grant = Grant::everything(BroadcastPath::root());
            let request = accepted.unwrap();
            let (_session, driver) = request.accept_with_driver(grant).await.unwrap();
            let mut driver = pin!(driver);
            poll_fn(|cx| {
                counted.fetch_add(1, Ordering::Relaxed);
                driver.as_mut().poll(cx)
            })
            .await
        });
        let config = Config::default().with_versions([version]);
        let viewer = Session::connect_with(client, config).await.unwrap();
        let wanted = viewer.track("room", "data").unwrap();
        let mut reader = wanted.subscribe(Subscription::default());
        assert!(reader.next_group().await.unwrap().is_some());
        sleep(Duration::from_secs(20)).await;
        let before = polls.load(Ordering::Relaxed);
        sleep(Duration::from_secs(200)).await;
        assert_eq!(polls.load(Ordering::Relaxed), before);
        assert!(viewer.is_open());
        serving.abort();
    });
}
