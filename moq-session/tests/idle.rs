//! What a session costs in which nothing happens.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::scripts::settle;
use common::{for_each_version, for_each_with};
use moq_session::testing::{MemoryConnection, Peer, memory_pair};
use moq_session::{
    BroadcastPath, BroadcastProducer, Config, Established, Grant, OriginProducer, Session,
    SessionError, Subscription, Track, Version,
};
use moq_wire::{BiStream, Setup};
use tokio::time::sleep;

/// A server's end, and how often its driver was polled.
struct Counted {
    polls: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<SessionError>,
}

fn serve(version: Version, server: MemoryConnection, origin: &OriginProducer) -> Counted {
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
    Counted { polls, serving }
}

impl Counted {
    /// How often the driver is polled in that time.
    async fn polled_in(&self, time: Duration) -> usize {
        let before = self.polls.load(Ordering::Relaxed);
        sleep(time).await;
        self.polls.load(Ordering::Relaxed) - before
    }
}

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
        let counted = serve(version, server, &origin);
        let config = Config::default().with_versions([version]);
        let viewer = Session::connect_with(client, config).await.unwrap();
        let wanted = viewer.track("room", "data").unwrap();
        let mut reader = wanted.subscribe(Subscription::default());
        assert!(reader.next_group().await.unwrap().is_some());
        sleep(Duration::from_secs(20)).await;
        assert_eq!(counted.polled_in(Duration::from_secs(200)).await, 0);
        assert!(viewer.is_open());
        counted.serving.abort();
    });
}

/// How often a server is polled in 100 s whose peer has asked so often for estimates.
async fn polled(version: Version, requests: usize) -> usize {
    let (client, server) = memory_pair(version);
    server.allow_bi(1_000);
    server.measure(Some(1_000_000), Some(Duration::from_millis(20)));
    let counted = serve(version, server, &OriginProducer::new());
    let mut peer = Peer::new(client, version);
    peer.setup(&Setup::default()).await;
    let mut streams = Vec::new();
    for _ in 0..requests {
        streams.push(peer.open_bi(BiStream::Probe).await);
        // At moments of their own.
        settle().await;
    }
    sleep(Duration::from_secs(20)).await;
    let polled = counted.polled_in(Duration::from_secs(100)).await;
    counted.serving.abort();
    polled
}

#[test]
fn a_flood_of_requests_for_estimates_wakes_its_server_hardly_more_than_one() {
    for_each_with(
        |features| features.probe.exists(),
        |version| async move {
            let (one, flood) = (polled(version, 1).await, polled(version, 400).await);
            assert!((1..=1_000).contains(&one), "{one} in 100 s");
            // Each report is written to four streams.
            assert!(flood <= 2 * one, "{flood} and {one}");
        },
    );
}
