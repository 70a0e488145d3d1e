//! A track that a publisher loses in the middle, as relays do when their own source changes.

mod common;

use common::ends::{finished, rest};
use common::for_each_version;
use common::scripts::{Fed, answer_track, fed, ok, send_group, settle};
use moq_session::{Abort, ReadError};
use moq_wire::SubscribeResponse::{End, Ok as Accepted, Start as Begin};
use moq_wire::code::stream::{EVICTED, NOT_FOUND, UNROUTABLE};
use moq_wire::{BiStream, GroupStart, Subscribe, Track};

// spec: Section 3.4, "After RESET 0x33 in the middle of a track"
#[test]
fn a_track_that_is_lost_midway_is_asked_for_once_more() {
    for_each_version(|version| async move {
        let features = version.features();
        for lost in [NOT_FOUND, EVICTED] {
            let mut fed = fed(version).await;
            begin(&mut fed).await;
            fed.control.reset(lost);
            if features.track_stream {
                answer_track(&mut fed.peer).await;
            }
            let asked = fed.peer.expect_request::<Subscribe>(BiStream::Subscribe);
            let (request, mut control) = asked.await;
            assert_ne!(request.id.0, fed.id);
            if features.subscribe_range {
                assert_eq!(request.start, GroupStart::Floor(3));
            }
            if features.subscribe_ok {
                control.respond(&Accepted(ok(request.priority))).await;
            }
            control.respond(&Begin(4)).await;
            send_group(&mut fed.peer, request.id.0, 4, &["b"]).await;
            settle().await;
            control.respond(&End(5)).await;
            control.finish();
            let expected = finished(&["3 a", "4 b"]);
            assert_eq!(rest(&mut fed.reader.ordered()).await, expected);
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
    fed.control.respond(&Begin(3)).await;
    send_group(&mut fed.peer, fed.id, 3, &["a"]).await;
    settle().await;
}
