//! Requests that are taken back before they are answered.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::live::live;
use common::scripts::{accept_track, answer_track, enter, send_group, settle, subscribe, track};
use common::{for_each_version, for_each_with, join};
use moq_session::testing::{Peer, Script};
use moq_session::{
    BroadcastProducer, Config, OriginProducer, Session, Start, Subscription, Track, Version,
};
use moq_wire::BiStream;
use moq_wire::code::stream::{CANCELLED, INTERNAL};
use tokio::time::timeout;

/// A relay, one that announces `room` to it and does not answer, and one that is going to ask.
struct Stage {
    _publisher: Peer,
    _announce: Script,
    _first: Session,
    peer: Peer,
    session: Session,
}

async fn stage(version: Version) -> Stage {
    let origin = OriginProducer::new();
    let (mut publisher, first) = enter(version, &origin).await;
    let (subscriber, second) = enter(version, &origin).await;
    let mut announce = publisher.expect_bi(BiStream::Announce).await;
    common::announce::tell(&mut announce, 1, &["room"]).await;
    settle().await;
    Stage {
        _publisher: publisher,
        _announce: announce,
        _first: first,
        peer: subscriber,
        session: second,
    }
}

// spec: Section 6.2, "RESET of the request half"
#[test]
fn a_subscription_is_taken_back_while_the_track_is_awaited() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        let wish = subscribe(version, 0, "room", "data");
        let mut stream = stage.peer.request(BiStream::Subscribe, &wish).await;
        settle().await;
        assert_eq!(stage.session.outstanding().subscriptions, 1);
        stream.reset(CANCELLED);
        stream.expect_reset(CANCELLED).await;
        assert_eq!(stage.session.outstanding().subscriptions, 0);
    });
}

// spec: Section 6.2, "FIN together with SUBSCRIBE or ANNOUNCE_REQUEST"
#[test]
fn a_subscription_is_ended_while_the_track_is_awaited() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        let wish = subscribe(version, 0, "room", "data");
        let mut stream = stage.peer.request(BiStream::Subscribe, &wish).await;
        settle().await;
        stream.finish();
        stream.expect_fin().await;
        settle().await;
        assert_eq!(stage.session.outstanding().subscriptions, 0);
    });
}

// spec: Section 6.2, "RESET of the request half"
#[test]
fn a_track_request_is_taken_back_while_the_track_is_awaited() {
    for_each_with(
        |features| features.track_stream,
        |version| async move {
            let mut stage = stage(version).await;
            let peer = &mut stage.peer;
            let wish = track("room", "data");
            let mut stream = peer.request(BiStream::Track, &wish).await;
            let mut ended = peer.request(BiStream::Track, &wish).await;
            settle().await;
            let before = tokio::time::Instant::now();
            stream.reset(CANCELLED);
            ended.finish();
            stream.expect_reset(CANCELLED).await;
            assert!(before.elapsed().is_zero());
            ended.expect_silence(Duration::from_secs(5)).await;
        },
    );
}

/// Whoever comes when the last reader leaves reads on, or has the track asked for anew.
#[test]
fn nobody_is_refused_because_another_one_left() {
    for_each_version(|version| async move {
        let relay = OriginProducer::new();
        let origin = OriginProducer::new();
        let config = Config::default().with_publish(origin.clone());
        let _publisher = join(version, config, &relay).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let mut publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        publication.told(Duration::from_secs(1)).await.unwrap();
        let (viewer, _session) = join(version, Config::default(), &relay).await;
        let read = || {
            let track = viewer.track("room", "data").unwrap();
            track.subscribe(Subscription::default().with_start(Start::OLDEST))
        };
        let mut reader = read();
        // The steps of the tasks in between, of which each may be the one that counts.
        for steps in 0..48 {
            let mut group = track.append().unwrap();
            group.append("x").unwrap();
            group.finish();
            let next = timeout(Duration::from_secs(5), reader.next_group()).await;
            let next = next.expect("a group in time");
            assert!(next.is_ok(), "after {steps} steps: {next:?}");
            drop(reader);
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            reader = read();
        }
    });
}

#[test]
fn a_track_that_nobody_reads_is_asked_for_anew() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let consumer = session.track("room", "data").unwrap();
        let (info, (_, _control)) = tokio::join!(consumer.info(), accept_begun(&mut peer));
        assert!(info.is_ok());
        tokio::time::sleep(Duration::from_secs(6)).await;
        let again = session.track("room", "data").unwrap();
        let reader = again.subscribe(Subscription::default());
        let (id, _control) = accept_track(&mut peer).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        let mut reader = reader;
        assert!(reader.next_group().await.is_ok());
    });
}

/// Answers for the track, up to where its subscription waits for a reader.
async fn accept_begun(peer: &mut Peer) -> (u64, Option<Script>) {
    if peer.version().features().track_stream {
        answer_track(peer).await;
        return (0, None);
    }
    let (id, control) = accept_track(peer).await;
    (id, Some(control))
}

// spec: Section 6.4, "peer stops a group stream"
#[test]
fn a_stop_of_an_idle_group_is_noticed() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        settle().await;
        // One for what is announced, one for a group.
        live.peer.allow_streams(2);
        let mut group = live.track.append().unwrap();
        group.append_at(1, "a").unwrap();
        let _stream = live.subscribe(&subscribe(version, 0, "room", "data")).await;
        let (_, mut stream) = live.peer.expect_group().await;
        stream.expect_frame().await;
        stream.stop(INTERNAL);
        settle().await;
        live.group(2);
        let (header, _next) = live.peer.expect_group().await;
        assert_eq!(header.sequence.0, 1);
        drop(group);
    });
}
