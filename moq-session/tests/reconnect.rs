//! What a connection that is kept does about failures.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::keeping::{Fault, config, dialer};
use common::{for_each_version, for_each_with};
use moq_session::{
    DialError, FirstFailure, OriginProducer, Reconnect, ReconnectPolicy, SessionError, Status,
    Version,
};
use moq_wire::code::session::{INTERNAL, NO_ERROR, UNAUTHORIZED};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn for_each_leaving<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.goaway, test);
}

#[test]
fn a_first_failure_is_final_by_default() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[Fault::Unreachable]);
        let reconnect = Reconnect::new(dialer, config(version));
        let error = reconnect.connected().await.unwrap_err();
        assert!(matches!(*error, DialError::Dial(Fault::Unreachable)));
        assert!(matches!(*reconnect.status().borrow(), Status::Failed(_)));
        door.expect_none().await;
        assert!(reconnect.sessions().up().await.is_none());
    });
}

#[test]
fn a_first_failure_is_retried_if_that_is_the_policy() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[Fault::Unreachable, Fault::Unreachable]);
        let policy = ReconnectPolicy::default()
            .with_first_failure(FirstFailure::Retried)
            .with_waits(10 * SECOND, 60 * SECOND);
        let before = Instant::now();
        let reconnect = Reconnect::with_policy(dialer, config(version), policy);
        let relay = OriginProducer::new();
        let (connected, _served) = tokio::join!(reconnect.connected(), door.accept(&relay));
        assert!(connected.unwrap().is_open());
        let waited = before.elapsed();
        assert!((15 * SECOND..=30 * SECOND).contains(&waited), "{waited:?}");
    });
}

#[test]
fn attempts_come_to_an_end_if_that_is_the_policy() {
    for_each_version(|version| async move {
        let faults = vec![Fault::Unreachable; 9];
        let (dialer, mut door) = dialer(version, &faults);
        let left = dialer.faults.clone();
        let policy = ReconnectPolicy::default()
            .with_first_failure(FirstFailure::Retried)
            .with_attempts(3);
        let reconnect = Reconnect::with_policy(dialer, config(version), policy);
        assert!(reconnect.connected().await.is_err());
        assert_eq!(left.lock().unwrap().len(), 6);
        door.expect_none().await;
    });
}

#[test]
fn a_lost_session_is_replaced_by_default() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[]);
        let faults = dialer.faults.clone();
        let reconnect = Reconnect::new(dialer, config(version));
        let relay = OriginProducer::new();
        let (_, served) = door.accept(&relay).await;
        let first = reconnect.connected().await.unwrap();
        faults.lock().unwrap().extend(vec![Fault::Unreachable; 5]);
        served.close(INTERNAL, "");
        first.closed().await;
        assert!(reconnect.sessions().current().is_none());
        let (_, _served) = door.accept(&relay).await;
        assert!(reconnect.sessions().up().await.unwrap().is_open());
    });
}

#[test]
fn a_refused_session_is_final_without_a_fresh_token() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[]);
        let reconnect = Reconnect::new(dialer, config(version));
        let (_, served) = door.accept(&OriginProducer::new()).await;
        reconnect.connected().await.unwrap();
        served.close(UNAUTHORIZED, "expired");
        door.expect_none().await;
        let error = reconnect.connected().await.unwrap_err();
        let DialError::Session(error) = &*error else {
            panic!("{error}");
        };
        assert!(error.is_refusal());
    });
}

#[test]
fn an_expired_grant_is_asked_for_again_with_a_fresh_token() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[]);
        let (tokens, faults) = (dialer.tokens.clone(), dialer.faults.clone());
        tokens.lock().unwrap().extend([2, 3]);
        let reconnect = Reconnect::new(dialer, config(version));
        let relay = OriginProducer::new();
        let (token, served) = door.accept(&relay).await;
        assert_eq!(token, 1);
        reconnect.connected().await.unwrap();
        // The second token is refused by the transport already.
        faults.lock().unwrap().push_back(Fault::Refused);
        served.close(UNAUTHORIZED, "expired");
        let (token, _served) = door.accept(&relay).await;
        assert_eq!(token, 3);
        assert!(reconnect.sessions().up().await.unwrap().is_open());
        assert!(tokens.lock().unwrap().is_empty());
    });
}

#[test]
fn a_refused_first_dial_is_tried_with_a_fresh_token() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[Fault::Refused]);
        dialer.tokens.lock().unwrap().push_back(7);
        let _reconnect = Reconnect::new(dialer, config(version));
        let (token, _served) = door.accept(&OriginProducer::new()).await;
        assert_eq!(token, 7);
    });
}

/// A session that is asked to leave for ten minutes, while all dials fail like this, and how many of a
/// hundred faults are left a minute later.
async fn left_behind(version: Version, fault: Fault, policy: ReconnectPolicy) -> usize {
    let (dialer, mut door) = dialer(version, &[]);
    let faults = dialer.faults.clone();
    let config = config(version).with_subscribe(OriginProducer::new());
    let reconnect = Reconnect::with_policy(dialer, config, policy);
    let (_, served) = door.accept(&OriginProducer::new()).await;
    let session = reconnect.connected().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    faults.lock().unwrap().extend(vec![fault; 100]);
    served.goaway("", 600 * SECOND).unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert!(session.is_open() && served.is_open());
    assert!(!matches!(*reconnect.status().borrow(), Status::Failed(_)));
    let left = faults.lock().unwrap().len();
    served.close(UNAUTHORIZED, "expired");
    session.closed().await;
    assert!(reconnect.connected().await.is_err());
    left
}

#[test]
fn a_move_that_is_refused_is_not_tried_again() {
    for_each_leaving(|version| async move {
        let policy = ReconnectPolicy::default();
        assert_eq!(left_behind(version, Fault::Refused, policy).await, 99);
    });
}

#[test]
fn the_attempts_of_a_move_come_to_an_end_if_that_is_the_policy() {
    for_each_leaving(|version| async move {
        let policy = ReconnectPolicy::default().with_attempts(3);
        assert_eq!(left_behind(version, Fault::Unreachable, policy).await, 97);
    });
}

#[test]
fn a_move_that_is_refused_is_tried_with_a_fresh_token() {
    for_each_leaving(|version| async move {
        let (dialer, mut door) = dialer(version, &[]);
        let (tokens, faults) = (dialer.tokens.clone(), dialer.faults.clone());
        let config = config(version).with_subscribe(OriginProducer::new());
        let reconnect = Reconnect::new(dialer, config);
        let relay = OriginProducer::new();
        let (_, first) = door.accept(&relay).await;
        reconnect.connected().await.unwrap();
        tokio::time::sleep(2 * SECOND).await;
        tokens.lock().unwrap().push_back(2);
        faults.lock().unwrap().push_back(Fault::Refused);
        first.goaway("", 600 * SECOND).unwrap();
        let (token, _second) = door.accept(&relay).await;
        assert_eq!(token, 2);
        assert!(first.is_open());
    });
}

#[test]
fn dropping_it_closes_the_session_whoever_holds_it() {
    for_each_version(|version| async move {
        let (dialer, mut door) = dialer(version, &[]);
        let reconnect = Reconnect::new(dialer, config(version));
        let (_, served) = door.accept(&OriginProducer::new()).await;
        let session = reconnect.connected().await.unwrap();
        let (status, sessions) = (reconnect.status(), reconnect.sessions());
        drop(reconnect);
        let closed = timeout(SECOND, served.closed()).await.unwrap();
        let closed = closed.to_string();
        assert!(closed.contains(&format!("code {NO_ERROR:#x}")), "{closed}");
        assert!(matches!(session.closed().await, SessionError::Closed));
        assert!(sessions.current().is_none());
        assert!(status.has_changed().is_err(), "nothing is posted any more");
        door.expect_none().await;
    });
}
