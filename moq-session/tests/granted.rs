//! Grants that change while the session lasts.

mod common;

use std::time::Duration;

use common::announce::{Listener, listen, tell};
use common::for_each_version;
use common::scripts::{
    A_WHILE, announce_request, enter_with, grant, path, pattern, settle, subscribe,
};
use common::told::keep as publish;
use moq_session::{
    Announced, AnnouncedEvent, BroadcastPath, Grant, GrantError, OriginProducer, SessionError,
};
use moq_wire::code::session::UNAUTHORIZED;
use moq_wire::code::stream::{CANCELLED, UNROUTABLE};
use moq_wire::{AnnounceEvent, AnnounceOk, BiStream, SubscribeResponse};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_may_be_subscribed_to_in_addition_is_told_at_once() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _rooms: Vec<_> = ["room/a", "hall", "yard"]
            .map(|path| publish(&origin, path))
            .into();
        let rooms = grant("").subscribe([pattern("room/**")]);
        let (mut peer, session) = enter_with(version, &origin, rooms.clone()).await;
        let mut listener = listen(&mut peer, "").await;
        let AnnounceEvent::Start { suffix, .. } = listener.event().await else {
            panic!("a start");
        };
        assert_eq!(suffix, path("room/a"));
        let wish = subscribe(version, 0, "hall", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        stream.expect_reset(UNROUTABLE).await;

        let wider = rooms.subscribe([pattern("hall")]);
        session.renew(wider.clone()).unwrap();
        let AnnounceEvent::Start { suffix, .. } = listener.event().await else {
            panic!("a start");
        };
        assert_eq!(suffix, path("hall"));
        listener.expect_silence(A_WHILE).await;
        // The same once more tells nothing.
        session.renew(wider).unwrap();
        listener.expect_silence(A_WHILE).await;
        let wish = subscribe(version, 1, "hall", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        let _: SubscribeResponse = stream.expect_response().await;
    });
}

#[test]
fn what_is_granted_in_the_middle_of_the_initial_set_comes_after_it() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        // More than what may be in flight.
        let name = |n: usize| format!("room/{n:04}{}", "x".repeat(95));
        let _rooms: Vec<_> = (0..2_000).map(|n| publish(&origin, &name(n))).collect();
        let _hall = publish(&origin, "hall/x");
        let rooms = grant("").subscribe([pattern("room/**")]);
        let (mut peer, session) = enter_with(version, &origin, rooms.clone()).await;
        let request = announce_request("");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        settle().await;
        session
            .renew(rooms.subscribe([pattern("hall/**")]))
            .unwrap();
        settle().await;
        let features = version.features();
        if features.announce_ok {
            assert_eq!(stream.expect::<AnnounceOk>().await.active, 2_000);
        }
        let mut listener = Listener::new(stream);
        let mut told = Vec::new();
        for _ in 0..2_001 {
            let AnnounceEvent::Start { suffix, .. } = listener.event().await else {
                panic!("a start");
            };
            told.push(suffix.as_str().to_owned());
        }
        listener.expect_silence(A_WHILE).await;
        if features.announce_ok || features.announce_init {
            assert_eq!(told.last().unwrap(), "hall/x");
        }
        told.sort();
        let expected = std::iter::once("hall/x".to_owned()).chain((0..2_000).map(name));
        assert_eq!(told, expected.collect::<Vec<_>>());
    });
}

#[test]
fn what_may_be_published_in_addition_appears_at_once() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let room = grant("").publish([pattern("room")]);
        let (mut peer, session) = enter_with(version, &origin, room.clone()).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let mut stream = peer.expect_bi(BiStream::Announce).await;
        tell(&mut stream, 9, &["b", "", "c"]).await;
        assert_eq!(started(&mut announced).await, ["room"]);
        session.renew(room.publish([pattern("room/b")])).unwrap();
        assert_eq!(next(&mut announced).await, "room/b");
        peer.expect_no_bi(BiStream::Announce, A_WHILE).await;
        assert_eq!(announced.try_next(), None);
    });
}

#[test]
fn a_peer_is_asked_below_what_it_may_publish_in_addition() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let rooms = grant("").publish([pattern("room/**")]);
        let (mut peer, session) = enter_with(version, &origin, rooms.clone()).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let mut first = peer.expect_bi(BiStream::Announce).await;
        tell(&mut first, 9, &["a"]).await;
        assert_eq!(started(&mut announced).await, ["room/a"]);
        session.renew(rooms.publish([pattern("hall")])).unwrap();
        let mut second = peer.expect_bi(BiStream::Announce).await;
        tell(&mut second, 9, &[""]).await;
        assert_eq!(next(&mut announced).await, "hall");
        first.expect_silence(A_WHILE).await;
        peer.expect_no_bi(BiStream::Announce, A_WHILE).await;
        assert_eq!(announced.try_next(), None);
    });
}

#[test]
fn a_request_for_everything_takes_the_place_of_those_for_a_part() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let rooms = grant("").publish(["hall", "room/**"].map(pattern));
        let (mut peer, session) = enter_with(version, &origin, rooms.clone()).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let mut parts = Vec::new();
        for name in ["", "a"] {
            let mut part = peer.expect_bi(BiStream::Announce).await;
            tell(&mut part, 9, &[name]).await;
            parts.push(part);
        }
        assert_eq!(started(&mut announced).await, ["hall", "room/a"]);
        session.renew(rooms.publish([pattern("**")])).unwrap();
        let mut all = peer.expect_bi(BiStream::Announce).await;
        for part in &mut parts {
            part.expect_silence(A_WHILE).await;
        }
        tell(&mut all, 9, &["hall", "room/a", "yard"]).await;
        for part in &mut parts {
            part.expect_reset(CANCELLED).await;
        }
        let mut news = Vec::new();
        while let Some(event) = announced.try_next() {
            assert!(!matches!(event, AnnouncedEvent::End(_)), "{event:?}");
            news.push(event);
        }
        let is_yard = |event: &AnnouncedEvent| matches!(event, AnnouncedEvent::Start(path, _) if path.as_str() == "yard");
        assert!(news.iter().any(is_yard), "{news:?}");
        peer.expect_no_bi(BiStream::Announce, A_WHILE).await;
    });
}

/// The paths that were announced in the beginning.
async fn started(announced: &mut Announced) -> Vec<String> {
    let mut started = Vec::new();
    loop {
        match announced.next().await {
            AnnouncedEvent::Start(path, _) => started.push(path.to_string()),
            AnnouncedEvent::Live => break,
            other => panic!("{other:?}"),
        }
    }
    started.sort();
    started
}

async fn next(announced: &mut Announced) -> String {
    match announced.next().await {
        AnnouncedEvent::Start(path, _) => path.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_renewed_grant_lasts_until_its_own_end() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let everything = Grant::everything(BroadcastPath::root());
        let before = Instant::now();
        let first = everything.clone().until(before + 30 * SECOND);
        let (mut peer, session) = enter_with(version, &origin, first).await;
        tokio::time::sleep(20 * SECOND).await;
        let longer = everything.clone().until(before + 600 * SECOND);
        session.renew(longer).unwrap();
        tokio::time::sleep(60 * SECOND).await;
        assert!(session.is_open());
        session
            .renew(everything.until(before + 100 * SECOND))
            .unwrap();
        assert_eq!(peer.expect_close(UNAUTHORIZED).await, "expired");
        assert_eq!(before.elapsed(), 100 * SECOND);
        assert!(matches!(session.closed().await, SessionError::Expired));
    });
}

#[test]
fn a_narrower_grant_closes_the_session() {
    for_each_version(|version| async move {
        let rooms = || grant("").subscribe([pattern("room/**")]);
        let narrower = [
            grant("").subscribe([pattern("room/a")]),
            grant("room").subscribe([pattern("**")]),
            rooms().with_identity("somebody else"),
        ];
        for narrower in narrower {
            let (mut peer, session) = enter_with(version, &OriginProducer::new(), rooms()).await;
            assert_eq!(session.renew(narrower), Err(GrantError::Narrower));
            let reason = peer.expect_close(UNAUTHORIZED).await;
            assert_eq!(reason, "the grant is narrower");
            assert!(matches!(session.closed().await, SessionError::Closed));
        }
    });
}

#[test]
fn a_revoked_grant_closes_the_session() {
    for_each_version(|version| async move {
        let (mut peer, session) = enter_with(version, &OriginProducer::new(), grant("")).await;
        session.revoke();
        assert_eq!(peer.expect_close(UNAUTHORIZED).await, "revoked");
    });
}
