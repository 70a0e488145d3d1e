//! Grants that change while the session lasts.

mod common;

use std::time::Duration;

use common::announce::{listen, tell};
use common::for_each_version;
use common::scripts::{A_WHILE, enter_with, grant, path, pattern, settle, subscribe};
use common::told::keep as publish;
use moq_session::{AnnouncedEvent, BroadcastPath, Grant, GrantError, OriginProducer, SessionError};
use moq_wire::code::session::UNAUTHORIZED;
use moq_wire::code::stream::UNROUTABLE;
use moq_wire::{AnnounceEvent, BiStream, SubscribeResponse};
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
fn what_may_be_published_in_addition_appears_at_once() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let rooms = grant("").publish([pattern("room/**")]);
        let (mut peer, session) = enter_with(version, &origin, rooms.clone()).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let mut stream = peer.expect_bi(BiStream::Announce).await;
        tell(&mut stream, 9, &["hall", "room/a", "yard"]).await;
        let mut appeared = Vec::new();
        loop {
            match announced.next().await {
                AnnouncedEvent::Start(path, _) => appeared.push(path.to_string()),
                AnnouncedEvent::Live => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(appeared, ["room/a"]);
        session.renew(rooms.publish([pattern("hall")])).unwrap();
        let AnnouncedEvent::Start(path, _) = announced.next().await else {
            panic!("a start");
        };
        assert_eq!(path.as_str(), "hall");
        settle().await;
        assert_eq!(announced.try_next(), None);
    });
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
