//! Limits are named on both ends, and soon.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::record::enter_recorded;
use common::scripts::{A_WHILE, asked};
use common::{for_each_version, speaking};
use moq_session::memory::memory_pair;
use moq_session::{
    Abort, BroadcastPath, BroadcastProducer, Config, Established, Grant, Limit, Limits,
    OriginProducer, ReadError, Session, Subscription, Track, TrackReader, Version,
};
use tokio::time::Instant;

/// A client of a relay that serves so many subscriptions, and that session of the relay.
async fn client_of(version: Version, origin: &OriginProducer, most: usize) -> (Session, Session) {
    let (client, server) = memory_pair(version);
    client.allow_bi(4_096);
    server.allow_bi(4_096);
    let mut limits = Limits::default();
    limits.subscriptions = most;
    let config = speaking(version)
        .with_publish(origin.clone())
        .with_limits(limits);
    let (client, server) = tokio::join!(Session::connect_with(client, speaking(version)), async {
        let request = Session::accept(Established::new(server), config).await;
        let everything = Grant::everything(BroadcastPath::root());
        request.unwrap().accept(everything).await
    });
    (client.unwrap(), server.unwrap())
}

#[test]
fn a_subscription_too_many_is_refused_within_a_second() {
    for_each_version(|version| async move {
        for (count, refused) in [(2, 0), (3, 0), (4, 1), (300, 297)] {
            let origin = OriginProducer::new();
            let broadcast = BroadcastProducer::new();
            let tracks: Vec<_> = (0..count)
                .map(|n| broadcast.create(Track::new(n.to_string())).unwrap())
                .collect();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            let (client, server) = client_of(version, &origin, 3).await;
            let mut readers: Vec<TrackReader> = Vec::new();
            for (n, written) in tracks.iter().enumerate() {
                let begin = Instant::now();
                let track = client.track("room", &n.to_string()).unwrap();
                let mut reader = track.subscribe(Subscription::default());
                let group = written.append().unwrap();
                group.finish();
                let first = tokio::time::timeout(A_WHILE, reader.next_group()).await;
                let is_refused = matches!(first, Ok(Err(ReadError::Aborted(Abort::NoCapacity))));
                assert!(!is_refused || begin.elapsed() < Duration::from_secs(1));
                assert_eq!(is_refused, n >= 3, "{n}: {first:?}");
                assert!(
                    is_refused || matches!(first, Ok(Ok(Some(_)))),
                    "{n}: {first:?}"
                );
                readers.push(reader);
            }
            assert_eq!(server.reached(Limit::Subscriptions), refused);
            assert!(client.is_open() && server.is_open());
        }
    });
}

#[test]
fn a_peer_without_credit_for_a_stream_ends_a_request_as_one_without_capacity() {
    for_each_version(|version| async move {
        let (session, mut peer) = asked(version, &OriginProducer::new()).await;
        peer.allow_streams(0);
        let track = session.track("room", "data").unwrap();
        let _reader = track.subscribe(Subscription::default());
        let failed = track.info().await;
        assert!(
            matches!(failed, Err(ReadError::Aborted(Abort::NoCapacity))),
            "{failed:?}"
        );
    });
}

#[test]
fn who_dials_takes_more_than_who_is_dialled() {
    let (client, relay) = (Limits::default(), Limits::relay());
    assert_eq!((client.subscriptions, relay.subscriptions), (1_024, 10_000));
    assert_eq!((client.announces, relay.announces), (4_096, 65_536));
    assert_eq!(Config::default().limits, None);
}

#[test]
fn there_is_credit_for_all_requests_that_are_served_and_some_that_are_refused() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (_peer, _session, recorder) = enter_recorded(version, &origin).await;
        let limits = Limits::default();
        let counts = [
            limits.announce_requests,
            limits.subscriptions,
            limits.tracks,
            limits.fetches,
            limits.probes,
            limits.headerless,
        ];
        let served: usize = counts.iter().sum();
        assert_eq!(*recorder.requests.lock().unwrap(), served + 64);
    });
}
