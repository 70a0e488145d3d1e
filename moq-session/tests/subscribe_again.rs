//! A track that a publisher loses in the middle, as relays do when their own source changes.

mod common;

use std::time::Duration;

use common::ends::{begun, finished, over, rest};
use common::for_each_version;
use common::live::start_at;
use common::scripts::{Fed, answer_track, fed, header, ok, send_group, settle};
use moq_session::testing::Script;
use moq_session::{Abort, ReadError};
use moq_wire::SubscribeResponse::Ok as Accepted;
use moq_wire::code::stream::{CANCELLED, EVICTED, INTERNAL, NOT_FOUND, UNROUTABLE};
use moq_wire::{BiStream, Subscribe, Track};

// spec: Section 3.4, "After RESET 0x33 in the middle of a track"
#[test]
fn a_track_that_is_lost_midway_is_asked_for_once_more() {
    for_each_version(|version| async move {
        let features = version.features();
        for lost in [NOT_FOUND, EVICTED] {
            let mut fed = fed(version).await;
            begin(&mut fed).await;
            fed.control.reset(lost);
            let (request, mut control) = asked_again(&mut fed).await;
            assert_ne!(request.id.0, fed.id);
            if features.subscribe_range {
                assert_eq!(request.start, start_at(3));
            }
            control.respond(&begun(3)).await;
            let mut known = fed.peer.group(&header(request.id.0, 3)).await;
            known.expect_stop(INTERNAL).await;
            send_group(&mut fed.peer, request.id.0, 4, &["b"]).await;
            settle().await;
            control.respond(&over(5)).await;
            control.finish();
            let before = tokio::time::Instant::now();
            let expected = finished(&["3 a", "4 b"]);
            assert_eq!(rest(&mut fed.reader.ordered()).await, expected);
            if features.start_end {
                let limit = Duration::from_secs(1);
                assert!(before.elapsed() < limit, "nothing is owed");
            }
        }
    });
}

#[test]
fn the_gaps_of_a_track_that_is_lost_are_asked_for() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        fed.control.respond(&begun(3)).await;
        send_group(&mut fed.peer, fed.id, 6, &["d"]).await;
        send_group(&mut fed.peer, fed.id, 3, &["a"]).await;
        settle().await;
        fed.control.reset(EVICTED);
        let (request, _control) = asked_again(&mut fed).await;
        if version.features().subscribe_range {
            assert_eq!(request.start, start_at(3));
        }
    });
}

#[test]
fn whoever_has_no_group_of_the_track_is_not_waited_for() {
    for_each_version(|version| async move {
        for is_other_numbering in [false, true] {
            let mut fed = fed(version).await;
            begin(&mut fed).await;
            fed.control.reset(EVICTED);
            let (request, _control) = asked_again(&mut fed).await;
            let before = tokio::time::Instant::now();
            if is_other_numbering {
                let mut other = fed.peer.group(&header(request.id.0, 0)).await;
                other.expect_stop(CANCELLED).await;
            }
            let (_, end) = rest(&mut fed.reader.ordered()).await;
            assert_eq!(end, Some(ReadError::Aborted(Abort::Evicted)));
            let waited = if is_other_numbering { 0 } else { 10 };
            assert_eq!(before.elapsed(), Duration::from_secs(waited));
        }
    });
}

#[test]
fn a_track_that_is_gone_for_good_ends_with_the_first_reason() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        begin(&mut fed).await;
        fed.control.reset(EVICTED);
        let mut again = match version.features().track_stream {
            true => fed.peer.expect_request::<Track>(BiStream::Track).await.1,
            false => {
                fed.peer
                    .expect_request::<Subscribe>(BiStream::Subscribe)
                    .await
                    .1
            }
        };
        again.reset(NOT_FOUND);
        let (_, end) = rest(&mut fed.reader.ordered()).await;
        assert_eq!(end, Some(ReadError::Aborted(Abort::Evicted)));
    });
}

#[test]
fn a_track_is_not_asked_for_again_for_other_reasons_or_before_it_began() {
    for_each_version(|version| async move {
        for (has_begun, reason) in [(true, UNROUTABLE), (false, NOT_FOUND)] {
            let mut fed = fed(version).await;
            if has_begun {
                begin(&mut fed).await;
            }
            fed.control.reset(reason);
            let (_, end) = rest(&mut fed.reader.ordered()).await;
            assert!(end.is_some(), "{reason:#x}");
        }
    });
}

async fn begin(fed: &mut Fed) {
    fed.control.respond(&begun(3)).await;
    send_group(&mut fed.peer, fed.id, 3, &["a"]).await;
    settle().await;
}

/// Accepts the second attempt at a track.
async fn asked_again(fed: &mut Fed) -> (Subscribe, Script) {
    let features = fed.peer.version().features();
    if features.track_stream {
        answer_track(&mut fed.peer).await;
    }
    let asked = fed.peer.expect_request::<Subscribe>(BiStream::Subscribe);
    let (request, mut control) = asked.await;
    if features.subscribe_ok {
        control.respond(&Accepted(ok(request.priority))).await;
    }
    (request, control)
}
