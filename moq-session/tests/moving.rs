//! Connections that move when the peer goes away.

mod common;

use std::time::Duration;

use common::for_each_with;
use common::moving::{HOME, Stage};
use common::scripts::settle;
use moq_session::testing;
use moq_session::{AnnouncedEvent, BroadcastPath, Redirects, Version};
use moq_wire::{Features, code};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn for_each_leaving<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.goaway, test);
}

// spec: Section 3.11, "empty: come back to where you were"
#[test]
fn the_new_session_is_up_before_the_old_one_goes() {
    for_each_leaving(|version| async move {
        let mut stage = Stage::new(version, Redirects::default(), &[]);
        let (_, first) = stage.accept().await;
        let mut announced = stage.origin.consume().announced(&BroadcastPath::root());
        while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
        let before = stage.session().await;

        first.goaway("", 60 * SECOND).unwrap();
        let dialled = timeout(SECOND, stage.dialled.recv()).await.unwrap();
        let (uri, connection) = dialled.unwrap();
        assert_eq!(uri, HOME);
        if version.features().setup_stream {
            tokio::time::sleep(SECOND).await;
            assert!(before.is_open() && first.is_open(), "there is no other yet");
            assert!(!stage.status.has_changed().unwrap());
        }
        let second = testing::accept(connection, &stage.relay).await.unwrap();
        stage.status.changed().await.unwrap();
        let after = stage.session().await;
        assert!(after.is_open() && before.is_open());
        tokio::time::sleep(10 * SECOND).await;
        assert!(!before.is_open() && after.is_open());
        let error = first.closed().await.to_string();
        assert!(error.contains("code 0x0"), "{error}");
        while let Some(event) = announced.try_next() {
            let is_gap = matches!(event, AnnouncedEvent::End(_));
            assert!(!is_gap, "{event:?}");
        }
        drop(second);
    });
}

// spec: Section 3.11, "URI"
#[test]
fn a_credential_stays_at_its_authority() {
    for_each_leaving(|version| async move {
        let elsewhere = "https://other.example/room";
        let cases = [
            (
                Redirects::SameAuthority,
                "https://relay.example:443/b",
                "https://relay.example:443/b?jwt=secret",
            ),
            (
                Redirects::SameAuthority,
                "https://relay.example/b?jwt=x",
                "https://relay.example/b?jwt=x",
            ),
            (Redirects::SameAuthority, elsewhere, HOME),
            (Redirects::SameAuthority, "nonsense", HOME),
            (Redirects::Refused, "https://relay.example/b", HOME),
            (Redirects::Anywhere, elsewhere, elsewhere),
        ];
        for (redirects, to, expected) in cases {
            let mut stage = Stage::new(version, redirects, &[]);
            let (_, first) = stage.accept().await;
            tokio::time::sleep(2 * SECOND).await;
            first.goaway(to, 60 * SECOND).unwrap();
            let (uri, _second) = stage.accept().await;
            assert_eq!(uri, expected);
        }
    });
}

#[test]
fn a_place_that_is_not_there_sends_everybody_home() {
    for_each_leaving(|version| async move {
        let to = "https://relay.example/b?";
        let mut stage = Stage::new(version, Redirects::default(), &[to]);
        let (_, first) = stage.accept().await;
        tokio::time::sleep(2 * SECOND).await;
        first.goaway(to, 60 * SECOND).unwrap();
        let (uri, second) = stage.accept().await;
        assert_eq!(uri, HOME);
        assert!(first.is_open() && second.is_open());
    });
}

#[test]
fn a_place_that_is_lost_is_tried_again_and_then_home() {
    for_each_leaving(|version| async move {
        let to = "https://relay.example/b?x";
        let mut stage = Stage::new(version, Redirects::default(), &[]);
        let (_, first) = stage.accept().await;
        tokio::time::sleep(2 * SECOND).await;
        first.goaway(to, 60 * SECOND).unwrap();
        let (uri, second) = stage.accept().await;
        assert_eq!(uri, to);
        tokio::time::sleep(20 * SECOND).await;
        second.close(code::session::INTERNAL, "");
        let (uri, third) = stage.accept().await;
        assert_eq!(uri, to);
        tokio::time::sleep(20 * SECOND).await;
        stage.unreachable.lock().unwrap().insert(to.to_owned());
        third.close(code::session::INTERNAL, "");
        let (uri, _fourth) = stage.accept().await;
        assert_eq!(uri, HOME);
    });
}

#[test]
fn a_place_that_refuses_is_left_for_home() {
    for_each_leaving(|version| async move {
        let to = "https://relay.example/b?x";
        let mut stage = Stage::new(version, Redirects::default(), &[]);
        let (_, first) = stage.accept().await;
        tokio::time::sleep(2 * SECOND).await;
        first.goaway(to, 60 * SECOND).unwrap();
        let (uri, second) = stage.accept().await;
        assert_eq!(uri, to);
        tokio::time::sleep(20 * SECOND).await;
        second.close(code::session::UNAUTHORIZED, "");
        let (uri, _third) = stage.accept().await;
        assert_eq!(uri, HOME);
    });
}

#[test]
fn a_session_that_ends_before_there_is_another_is_replaced_all_the_same() {
    // Without a SETUP, a session is up when there is a connection.
    let has_setup = |features: &Features| features.goaway && features.setup_stream;
    for_each_with(has_setup, |version| async move {
        let mut stage = Stage::new(version, Redirects::default(), &[]);
        let (_, first) = stage.accept().await;
        tokio::time::sleep(2 * SECOND).await;
        first.goaway("", 3 * SECOND).unwrap();
        let (_, unanswered) = stage.dialled.recv().await.unwrap();
        tokio::time::sleep(4 * SECOND).await;
        assert!(!first.is_open());
        drop(unanswered);
        let (uri, _second) = stage.accept().await;
        assert_eq!(uri, HOME);
        assert!(stage.session().await.is_open());
    });
}

#[test]
fn a_peer_that_sends_everybody_away_is_not_asked_all_the_time() {
    for_each_leaving(|version| async move {
        let mut stage = Stage::new(version, Redirects::default(), &[]);
        let before = Instant::now();
        let mut sessions = Vec::new();
        while before.elapsed() < 60 * SECOND {
            let (_, session) = stage.accept().await;
            session.goaway("", 600 * SECOND).unwrap();
            sessions.push(session);
        }
        assert!(sessions.len() < 40, "{}", sessions.len());
        settle().await;
        let open = sessions.iter().filter(|session| session.is_open());
        assert!(open.count() < 8);
    });
}
