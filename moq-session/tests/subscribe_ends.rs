//! The end of a subscription: what was told, what is owed, and what contradicts it.

mod common;

use std::time::Duration;

use common::ends::{begun, finished, is_exact, malformed, over, over_after, rest};
use common::for_each_version;
use common::scripts::{Fed, accept_track, fed, header, send_group, settle};
use moq_session::TrackRead;
use moq_wire::code::stream::{CANCELLED, INTERNAL, NOT_FOUND};
use moq_wire::{BiStream, Track};

// spec: Section 3.4, "Group streams may legitimately arrive after the FIN"
#[test]
fn owed_groups_are_waited_for_after_the_end() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        settle().await;
        control.respond(&over(2)).await;
        control.finish();
        tokio::time::sleep(Duration::from_millis(900)).await;
        let mut last = peer.group(&header(id, 1)).await;
        last.send_frame(1, "b").await;
        // What has begun may take its time.
        tokio::time::sleep(Duration::from_secs(40)).await;
        last.send_frame(2, "c").await;
        last.finish();
        let expected = finished(&["0 a", "1 b", "1 c"]);
        assert_eq!(rest(&mut reader.ordered()).await, expected);
    });
}

// spec: Section 6.4, "FIN with groups still missing"
#[test]
fn owed_groups_are_not_waited_for_without_end() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        settle().await;
        let before = tokio::time::Instant::now();
        control.respond(&over(2)).await;
        control.finish();
        let (reads, error) = rest(&mut reader.ordered()).await;
        assert_eq!((&reads[0][..], error), ("0 a", None));
        let grace = if version.features().start_end { 5 } else { 1 };
        assert_eq!(before.elapsed().as_secs(), grace);
        let mut late = peer.group(&header(id, 1)).await;
        late.expect_stop(CANCELLED).await;
    });
}

#[test]
fn a_reader_that_changes_its_mind_does_not_hold_up_the_end() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            mut reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        let before = tokio::time::Instant::now();
        control.respond(&over(2)).await;
        control.finish();
        let wanted = *reader.subscription();
        for n in 0..20 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            reader.update(wanted.with_priority(n));
        }
        assert_eq!(rest(&mut reader.ordered()).await.1, None);
        assert_eq!(before.elapsed().as_secs(), 10);
    });
}

// spec: Appendix D, "a subscriber that has seen that many streams need not wait for more"
#[test]
fn groups_beyond_the_count_of_streams_are_not_waited_for() {
    for_each_version(|version| async move {
        if !version.features().end_stream_count {
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
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        settle().await;
        let before = tokio::time::Instant::now();
        control.respond(&over_after(5, 2)).await;
        control.finish();
        send_group(&mut peer, id, 4, &["e"]).await;
        let (reads, error) = rest(&mut reader.ordered()).await;
        assert_eq!(reads, ["0 a", "no 1..4", "4 e"]);
        assert_eq!(error, None);
        assert!(before.elapsed() < Duration::from_secs(1));
    });
}

// spec: Section 6.4, "FIN without END (05+), and you have not unsubscribed"
#[test]
fn an_end_that_was_not_told_fails_the_track() {
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
        send_group(&mut peer, id, 0, &["a"]).await;
        settle().await;
        control.finish();
        let end = rest(&mut reader.ordered()).await.1;
        let expected = version.features().start_end.then(malformed);
        assert_eq!(end, expected);
        assert!(session.is_open());
    });
}

// spec: Section 6.4, "fail the track, may retry"
#[test]
fn a_publisher_that_lost_the_thread_is_asked_once_more() {
    for_each_version(|version| async move {
        if !version.features().track_stream {
            return;
        }
        for is_refused in [true, false] {
            let Fed {
                mut peer,
                session: _session,
                reader,
                id,
                mut control,
                ..
            } = fed(version).await;
            control.respond(&begun(0)).await;
            send_group(&mut peer, id, 0, &["a"]).await;
            settle().await;
            control.finish();
            control.expect_fin().await;
            if is_refused {
                let (_, mut again) = peer.expect_request::<Track>(BiStream::Track).await;
                again.reset(NOT_FOUND);
                assert_eq!(rest(&mut reader.ordered()).await.1, Some(malformed()));
                continue;
            }
            let (again, mut control) = accept_track(&mut peer).await;
            assert_ne!(again, id);
            control.respond(&begun(0)).await;
            let mut known = peer.group(&header(again, 0)).await;
            known.expect_stop(INTERNAL).await;
            send_group(&mut peer, again, 1, &["b"]).await;
            control.respond(&over(2)).await;
            control.finish();
            assert_eq!(rest(&mut reader.ordered()).await, finished(&["0 a", "1 b"]));
        }
    });
}

// spec: Section 6.4, "group at or above SUBSCRIBE_END"
#[test]
fn a_group_equal_to_the_end_is_the_last_or_a_contradiction() {
    for_each_version(|version| async move {
        if !version.features().start_end {
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
        control.respond(&begun(0)).await;
        control.respond(&over(1)).await;
        settle().await;
        let mut last = peer.group(&header(id, 1)).await;
        if is_exact(version) {
            last.expect_stop(CANCELLED).await;
            assert_eq!(rest(&mut reader.ordered()).await.1, Some(malformed()));
            control.expect_fin().await;
            return;
        }
        last.send_frame(1, "b").await;
        last.finish();
        let mut beyond = peer.group(&header(id, 2)).await;
        beyond.expect_stop(CANCELLED).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        control.finish();
        let expected = finished(&["0 a", "1 b"]);
        assert_eq!(rest(&mut reader.ordered()).await, expected);
    });
}

// spec: Section 6.4, "END reached, every group below it here (05)"
#[test]
fn an_end_that_may_be_inclusive_is_final_with_the_fin() {
    for_each_version(|version| async move {
        if !version.features().start_end {
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
        control.respond(&over(1)).await;
        assert!(matches!(
            reader.next().await,
            Ok(Some(TrackRead::Frame { .. }))
        ));
        let wait = Duration::from_secs(20);
        let end = tokio::time::timeout(wait, reader.next()).await;
        assert_eq!(end.is_ok(), is_exact(version), "{end:?}");
        if is_exact(version) {
            control.expect_fin().await;
            return;
        }
        send_group(&mut peer, id, 1, &["b"]).await;
        control.finish();
        assert_eq!(rest(&mut reader).await, finished(&["1 b"]));
    });
}

// spec: Section 6.4, "END at or below a delivered group"
// spec: Section 6.4, "second START or END; START after END"
#[test]
fn answers_that_contradict_each_other_fail_the_track() {
    for_each_version(|version| async move {
        if !version.features().start_end {
            return;
        }
        let cases = [
            (vec![begun(0), over(3)], !is_exact(version)),
            (vec![begun(0), begun(4), over(6)], true),
            (vec![begun(0), over(6), over(7)], false),
            (vec![begun(0), over(6), over(6), begun(0)], true),
        ];
        for (answers, is_tolerated) in cases {
            eprintln!("{answers:?}");
            let Fed {
                mut peer,
                session,
                reader,
                id,
                mut control,
                ..
            } = fed(version).await;
            for sequence in 0..5 {
                send_group(&mut peer, id, sequence, &["x"]).await;
            }
            settle().await;
            for answer in answers {
                control.respond(&answer).await;
            }
            settle().await;
            if is_tolerated {
                control.finish();
            }
            let end = rest(&mut reader.ordered()).await.1;
            assert_eq!(end, (!is_tolerated).then(malformed));
            assert!(session.is_open());
        }
    });
}
