//! What a peer may do.

mod common;

use std::time::Duration;

use common::announce::{listen, tell};
use common::for_each_version;
use common::scripts::{A_WHILE, enter, enter_with, grant, path, pattern, settle, subscribe, track};
use common::told::keep as publish;
use moq_session::{AnnouncedEvent, BroadcastPath, Grant, OriginProducer, SessionError};
use moq_wire::code::session::UNAUTHORIZED;
use moq_wire::code::stream::UNROUTABLE;
use moq_wire::{AnnounceEvent, BiStream, SubscribeResponse, TrackInfo};

#[test]
fn what_a_peer_may_not_publish_does_not_appear() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let allowed = grant("").publish([pattern("room/**"), pattern("one")]);
        let (mut peer, session) = enter_with(version, &origin, allowed).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        // The peer is asked below each pattern, of which one is that path alone.
        let mut streams = Vec::new();
        for names in [&["b", ""][..], &["a"]] {
            let mut stream = peer.expect_bi(BiStream::Announce).await;
            tell(&mut stream, 9, names).await;
            streams.push(stream);
        }
        let mut appeared = Vec::new();
        loop {
            match announced.next().await {
                AnnouncedEvent::Start(path, _) => appeared.push(path.to_string()),
                AnnouncedEvent::Live => break,
                other => panic!("{other:?}"),
            }
        }
        appeared.sort();
        assert_eq!(appeared, ["one", "room/a"]);
        assert!(session.is_open());
    });
}

// spec: Section 6.2, "not authorised"
#[test]
fn what_a_peer_may_not_subscribe_to_is_unroutable() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _rooms: Vec<_> = ["room/a", "hall"].map(|path| publish(&origin, path)).into();
        let allowed = grant("").subscribe([pattern("room/**")]);
        let (mut peer, _session) = enter_with(version, &origin, allowed).await;
        let wish = subscribe(version, 0, "hall", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        stream.expect_reset(UNROUTABLE).await;
        if version.features().track_stream {
            let wish = track("hall", "data");
            let mut stream = peer.request(BiStream::Track, &wish).await;
            stream.expect_reset(UNROUTABLE).await;
            let wish = track("room/a", "data");
            let mut stream = peer.request(BiStream::Track, &wish).await;
            let _: TrackInfo = stream.expect().await;
        }
        let wish = subscribe(version, 1, "room/a", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        let _: SubscribeResponse = stream.expect_response().await;
        let (group, _stream) = peer.expect_group().await;
        assert_eq!(group.subscribe_id.0, 1);
    });
}

// spec: Section 6.2, "not authorised"
#[test]
fn a_listing_shows_what_is_granted() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let names = ["room/a", "roommate", "hall"];
        let _rooms: Vec<_> = names.map(|path| publish(&origin, path)).into();
        let allowed = grant("").subscribe([pattern("room/**")]);
        let (mut peer, _session) = enter_with(version, &origin, allowed).await;
        let mut listener = listen(&mut peer, "").await;
        let AnnounceEvent::Start { suffix, .. } = listener.event().await else {
            panic!("a start");
        };
        assert_eq!(suffix, path("room/a"));
        listener.expect_silence(A_WHILE).await;
        let mut listener = listen(&mut peer, "hall").await;
        listener.expect_silence(A_WHILE).await;
    });
}

#[test]
fn paths_of_a_session_lie_below_its_root() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _deep = publish(&origin, "anon/x");
        let _out = publish(&origin, "x");
        let rooted = Grant::everything("anon".parse().unwrap());
        let (mut peer, _session) = enter_with(version, &origin, rooted).await;
        let mut listener = listen(&mut peer, "").await;
        let AnnounceEvent::Start { suffix, .. } = listener.event().await else {
            panic!("a start");
        };
        assert_eq!(suffix, path("x"));
        listener.expect_silence(A_WHILE).await;
        let wish = subscribe(version, 0, "anon/x", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        stream.expect_reset(UNROUTABLE).await;
        let wish = subscribe(version, 1, "x", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        let _: SubscribeResponse = stream.expect_response().await;

        let mut announced = origin.consume().announced(&"anon/mine".parse().unwrap());
        let mut stream = peer.expect_bi(BiStream::Announce).await;
        tell(&mut stream, 9, &["mine"]).await;
        while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
    });
}

#[test]
fn a_session_ends_with_its_grant() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut other, _other) = enter(version, &origin).await;
        let before = tokio::time::Instant::now();
        let until = before + Duration::from_secs(30);
        let brief = Grant::everything(BroadcastPath::root()).until(until);
        let (mut peer, session) = enter_with(version, &origin, brief).await;
        settle().await;
        peer.expect_alive().await;
        assert_eq!(peer.expect_close(UNAUTHORIZED).await, "expired");
        assert_eq!(before.elapsed(), Duration::from_secs(30));
        assert!(matches!(session.closed().await, SessionError::Expired));
        other.expect_alive().await;
    });
}
