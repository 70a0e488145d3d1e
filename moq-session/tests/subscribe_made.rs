//! SUBSCRIBE as this end makes it, and what it makes of the answers.

mod common;

use std::time::Duration;

use common::ends::{begun, drop_of, finished, is_exact, malformed, over, rest};
use common::for_each_version;
use common::live::start_at;
use common::scripts::{
    A_WHILE, Fed, accept_track, answer_track, fed, header, send_group, settle, subscribe,
};
use moq_session::testing::Peer;
use moq_session::{Abort, ReadError, Start, Subscription, TrackRead};
use moq_wire::code::stream::{INTERNAL, MALFORMED_TRACK};
use moq_wire::{BiStream, Subscribe, SubscribeResponse, SubscribeUpdate, code, varint};

// spec: Section 3.4, "never asks for a max age above the track's own (5000 ms where it cannot know it)"
// spec: Section 3.4, "A 06 subscriber that wants \"live edge only\" therefore sends floor 0 and max age 0"
#[test]
fn the_newest_group_is_asked_for_in_the_words_of_the_draft() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        let wanted = Subscription::default().with_priority(5);
        let _reader = track.subscribe(wanted);
        if version.features().track_stream {
            answer_track(&mut peer).await;
        }
        let (request, mut stream) = peer.expect_request::<Subscribe>(BiStream::Subscribe).await;
        let mut expected = subscribe(version, 0, "room", "data");
        if !version.features().subscribe_range {
            expected.max_age = Duration::ZERO;
        }
        if is_exact(version) {
            expected.start = start_at(0);
            expected.max_age = Duration::ZERO;
        }
        assert_eq!(request, expected);
        let ok = SubscribeResponse::Ok(common::scripts::ok(5));
        stream.respond(&ok).await;
        stream.expect_silence(A_WHILE).await;
        stream.respond(&begun(7)).await;
        if is_exact(version) {
            let update: SubscribeUpdate = stream.expect().await;
            assert_eq!(update.start, start_at(7));
            assert_eq!(update.max_age, Duration::from_secs(5));
        } else {
            stream.expect_silence(A_WHILE).await;
        }
    });
}

// Drafts 01 and 02 have no SUBSCRIBE_UPDATE, so a priority that comes later would be lost.
#[test]
fn a_track_that_nobody_reads_yet_is_not_subscribed_to() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        if version.features().track_stream {
            answer_track(&mut peer).await;
        }
        settle().await;
        let _reader = track.subscribe(Subscription::default().with_priority(200));
        let (request, mut stream) = peer.expect_request::<Subscribe>(BiStream::Subscribe).await;
        assert_eq!(request.priority, 200);
        stream.expect_silence(A_WHILE).await;
    });
}

#[test]
fn an_update_follows_what_the_readers_want() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let wanted = Subscription::default()
            .with_start(Start::OLDEST)
            .with_priority(200)
            .with_max_age(Duration::from_secs(1));
        let second = fed.reader.track().subscribe(wanted);
        if !version.features().subscribe_range {
            settle().await;
            drop((second, fed.reader));
            fed.control.expect_fin().await;
            return;
        }
        let update: SubscribeUpdate = fed.control.expect().await;
        assert_eq!(
            (update.priority, update.max_age),
            (200, Duration::from_secs(5))
        );
        drop(second);
        let update: SubscribeUpdate = fed.control.expect().await;
        assert_eq!(update.priority, 127);
        drop(fed.reader);
        fed.control.expect_fin().await;
    });
}

#[test]
fn a_track_is_read_to_its_end() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(2)).await;
        send_group(&mut peer, id, 3, &["c", "d"]).await;
        send_group(&mut peer, id, 2, &["a", "b"]).await;
        control.respond(&over(4)).await;
        control.finish();
        let expected = finished(&["2 a", "2 b", "3 c", "3 d"]);
        assert_eq!(rest(&mut reader.ordered()).await, expected);
        control.expect_fin().await;
    });
}

// spec: Section 6.4, "SUBSCRIBE_DROP (03–06)"
#[test]
fn dropped_groups_are_not_waited_for() {
    for_each_version(|version| async move {
        if version.features().drop_type.is_none() {
            return;
        }
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        let mut reader = reader.ordered();
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        assert!(matches!(
            reader.next().await,
            Ok(Some(TrackRead::Frame { .. }))
        ));
        let before = tokio::time::Instant::now();
        send_group(&mut peer, id, 4, &["e"]).await;
        control.respond(&drop_of(1, 3)).await;
        control.respond(&drop_of(5, 4)).await;
        let skipped = reader.next().await.unwrap().unwrap();
        let expected = TrackRead::Skipped {
            groups: 1..4,
            cause: Abort::Evicted,
        };
        assert_eq!(skipped, expected);
        assert!(before.elapsed() < Duration::from_secs(1));
        control.respond(&drop_of(5, varint::MAX)).await;
        control.respond(&over(9)).await;
        control.finish();
        let is_end_told = version.features().start_end;
        let missing = is_end_told.then_some("no 5..9");
        let expected: Vec<_> = ["4 e"].into_iter().chain(missing).collect();
        assert_eq!(rest(&mut reader).await.0, expected);
    });
}

// spec: Section 6.4, "group below the floor or above the group end asked for"
#[test]
fn a_group_that_was_not_asked_for_harms_nobody() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        let wanted = Subscription::default()
            .with_start(Start::Floor(5))
            .with_max_age(Duration::from_secs(5));
        let reader = track.subscribe(wanted);
        let (id, mut control) = accept_track(&mut peer).await;
        send_group(&mut peer, id, 3, &["early"]).await;
        control.respond(&begun(5)).await;
        send_group(&mut peer, id, 5, &["a"]).await;
        settle().await;
        control.respond(&over(6)).await;
        control.finish();
        let expected = finished(&["5 a"]);
        assert_eq!(rest(&mut reader.ordered()).await, expected);
        assert!(session.is_open());
    });
}

// spec: Section 6.4, "unknown response type"
#[test]
fn an_unknown_answer_fails_the_subscription() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session,
            reader,
            mut control,
            ..
        } = fed(version).await;
        let answer: &[u8] = match version.features().typed_response {
            true => &[9, 1, 0],
            // There is only one answer, and it is shorter.
            false => &[2, 5, 0],
        };
        control.send_bytes(answer).await;
        assert_eq!(rest(&mut reader.ordered()).await.1, Some(malformed()));
        control.expect_reset(MALFORMED_TRACK).await;
        assert!(session.is_open());
        peer.expect_alive().await;
    });
}

// spec: Section 3.4, "the subscription failed; see section 3.14 for codes"
// spec: Section 3.4, "after any other RESET it FINs"
#[test]
fn a_reset_gives_the_reader_its_reason() {
    for_each_version(|version| async move {
        let reasons = [
            (code::application(3), Abort::Application(3)),
            (code::stream::UNROUTABLE, Abort::Unroutable),
            (INTERNAL, Abort::Internal),
        ];
        for (code, reason) in reasons {
            let Fed {
                peer: _peer,
                session,
                reader,
                mut control,
                ..
            } = fed(version).await;
            settle().await;
            control.reset(code);
            let end = rest(&mut reader.ordered()).await.1;
            assert_eq!(end, Some(ReadError::Aborted(reason)));
            assert!(session.is_open());
            control.expect_fin().await;
        }
    });
}

#[test]
fn a_lost_session_ends_its_tracks() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        let mut group = peer.group(&header(id, 0)).await;
        group.send_frame(0, "a").await;
        settle().await;
        peer.close(0, "bye");
        let (reads, end) = rest(&mut reader.ordered()).await;
        assert_eq!(reads, ["0 a"]);
        assert_eq!(end, Some(ReadError::Aborted(Abort::SessionClosed)));
        assert!(!session.is_open());
    });
}

// spec: Section 3.15, "Group stream or datagram"
#[test]
fn a_group_may_come_before_any_answer() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        let wanted = Subscription::default().with_start(Start::OLDEST);
        let mut reader = track.subscribe(wanted).ordered();
        if version.features().track_stream {
            answer_track(&mut peer).await;
        }
        let (request, mut control) = peer.expect_request::<Subscribe>(BiStream::Subscribe).await;
        send_group(&mut peer, request.id.0, 5, &["a"]).await;
        settle().await;
        let ok = SubscribeResponse::Ok(common::scripts::ok(127));
        control.respond(&ok).await;
        control.respond(&begun(5)).await;
        control.respond(&over(6)).await;
        control.finish();
        assert_eq!(rest(&mut reader).await, finished(&["5 a"]));
    });
}

#[test]
fn every_subscription_has_an_id_of_its_own() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let mut ids = Vec::new();
        for name in ["a", "b", "a"] {
            let track = session.track("room", name).unwrap();
            let reader = track.subscribe(Subscription::default());
            let (id, mut control) = accept_track(&mut peer).await;
            ids.push(id);
            settle().await;
            drop((reader, track));
            control.expect_drained().await;
        }
        assert_eq!(ids, [0, 1, 2]);
    });
}
