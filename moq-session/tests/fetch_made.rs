//! Groups that this end fetches from a peer that a test drives by hand.

mod common;

use std::time::Duration;

use common::ends::begun;
use common::fetch::{ended, fetching, for_each_fetching, read};
use common::join;
use common::scripts::{accept_track, answer_track, header, path, settle};
use moq_session::testing::Peer;
use moq_session::{
    Abort, Config, Fetch, FetchError, GroupEnd, GroupRead, OriginProducer, ReadError, Version,
};
use moq_wire::code::stream::{
    CANCELLED, CONTROL_TIMEOUT, EVICTED, FRAME_TOO_LARGE, INTERNAL, NOT_FOUND,
};
use moq_wire::{BiStream, GroupSequence, varint};

// spec: Section 3.6, "When done, the deployed requester *resets* its half with 1"
// spec: Section 3.5, "deployed subscribers ask TRACK first and subscribe after the answer"
#[test]
fn an_answer_that_is_finished_is_a_finished_group() {
    for_each_fetching(|version| async move {
        let wish = Fetch::new(7).with_priority(3);
        let mut f = fetching(version, wish).await;
        let expected = moq_wire::Fetch {
            broadcast: path("room"),
            track: "data".to_owned(),
            priority: 3,
            group: GroupSequence(7),
            frame_start: 0,
            frame_last: None,
        };
        assert_eq!(f.request, expected);
        assert_eq!(f.group.sequence(), 7);
        f.answer.send_frame(180_000, "hello").await;
        assert!(matches!(
            f.group.next().await,
            GroupRead::Frame(frame) if frame.timestamp == 180_000
        ));
        f.answer.send_frame(170_000, "").await;
        f.answer.finish();
        assert_eq!(read(&mut f.group).await, ended(&[""], GroupEnd::Finished));
        f.answer.expect_reset(CANCELLED).await;
        assert!(f.session.is_open());
    });
}

// spec: Section 3.6, "after a refusal with the code it was refused with"
#[test]
fn a_reset_is_how_the_group_ends() {
    for_each_fetching(|version| async move {
        let cases = [
            (NOT_FOUND, NOT_FOUND, Abort::NotFound),
            (EVICTED, EVICTED, Abort::Evicted),
            (64 + 5, 64 + 5, Abort::Application(5)),
            (40, INTERNAL, Abort::Internal),
        ];
        for (code, back, abort) in cases {
            let mut f = fetching(version, Fetch::new(7)).await;
            f.answer.send_frame(1, "a").await;
            settle().await;
            f.answer.reset(code);
            let end = GroupEnd::Aborted(abort);
            assert_eq!(read(&mut f.group).await, ended(&["a"], end));
            f.answer.expect_reset(back).await;
            assert!(f.session.is_open());
        }
    });
}

// spec: Section 6.5, "FETCH that cannot be completed"
#[test]
fn an_answer_that_ends_inside_a_frame_is_incomplete() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        f.answer.send_frame(1, "a").await;
        f.answer.send_bytes([0, 5, b'x']).await;
        f.answer.finish();
        let end = GroupEnd::Aborted(Abort::Internal);
        assert_eq!(read(&mut f.group).await, ended(&["a"], end));
    });
}

#[test]
fn frames_above_the_limit_are_not_read() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        let mut frame = bytes(version, 0);
        frame.extend(bytes(version, (32 << 20) + 1));
        f.answer.send_bytes(frame).await;
        let end = GroupEnd::Aborted(Abort::FrameTooLarge);
        assert_eq!(read(&mut f.group).await, ended(&[], end));
        f.answer.expect_reset(FRAME_TOO_LARGE).await;
    });
}

fn bytes(version: Version, value: u64) -> Vec<u8> {
    let mut buf = Vec::new();
    varint::put(value, &mut buf, version).expect("it is in range");
    buf
}

// spec: Section 3.6, "frame start"
#[test]
fn frames_are_asked_for_by_number_where_that_is_possible() {
    for_each_fetching(|version| async move {
        let has_bounds = version.features().frame_bounds;
        let mut f = fetching(version, Fetch::new(7).with_first_frame(1).with_end_frame(3)).await;
        let frames: &[&str] = if has_bounds {
            assert_eq!((f.request.frame_start, f.request.frame_last), (1, Some(2)));
            &["b", "c"]
        } else {
            &["a", "b", "c", "d"]
        };
        for frame in frames {
            f.answer.send_frame(1, frame).await;
        }
        let expected = ended(&["b", "c"], GroupEnd::Finished);
        assert_eq!(read(&mut f.group).await, expected);
        f.answer.expect_reset(CANCELLED).await;
    });
}

#[test]
fn an_answer_that_does_not_begin_is_given_up() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        let before = tokio::time::Instant::now();
        let end = GroupEnd::Aborted(Abort::Timeout);
        assert_eq!(read(&mut f.group).await, ended(&[], end));
        assert_eq!(before.elapsed(), Duration::from_secs(10));
    });
}

#[test]
fn an_answer_that_has_begun_may_take_its_time() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        f.answer.send_frame(1, "a").await;
        tokio::time::sleep(Duration::from_secs(90)).await;
        f.answer.finish();
        assert_eq!(read(&mut f.group).await, ended(&["a"], GroupEnd::Finished));
    });
}

#[test]
fn half_a_frame_is_not_waited_for_and_is_no_lost_session() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        f.answer.send_frame(1, "a").await;
        settle().await;
        // The first byte of a longer number.
        f.answer.send_bytes([0x80]).await;
        let end = GroupEnd::Aborted(Abort::Timeout);
        assert_eq!(read(&mut f.group).await, ended(&["a"], end));
        f.answer.expect_reset(CONTROL_TIMEOUT).await;
        assert!(f.session.is_open());
    });
}

#[test]
fn a_group_that_nobody_reads_is_not_fetched_on() {
    for_each_fetching(|version| async move {
        let f = fetching(version, Fetch::new(7)).await;
        let mut answer = f.answer;
        answer.send_frame(1, "a").await;
        drop(f.group);
        answer.expect_reset(CANCELLED).await;
        answer.expect_stop(INTERNAL).await;
    });
}

#[test]
fn a_session_that_ends_ends_the_group() {
    for_each_fetching(|version| async move {
        let mut f = fetching(version, Fetch::new(7)).await;
        f.answer.send_frame(1, "a").await;
        settle().await;
        f.peer.close(0, "");
        let (frames, end) = read(&mut f.group).await;
        assert_eq!(frames, ["a"]);
        assert_eq!(end, GroupEnd::Aborted(Abort::SessionClosed));
    });
}

#[test]
fn a_track_that_is_refused_has_no_groups() {
    for_each_fetching(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let refuse = async {
            let mut track = peer.expect_bi(BiStream::Track).await;
            track.reset(NOT_FOUND);
        };
        let (fetched, ()) = tokio::join!(session.fetch("room", "data", Fetch::new(0)), refuse);
        assert!(matches!(
            fetched,
            Err(FetchError::Track(ReadError::Aborted(Abort::NotFound)))
        ));
        let path = "a/".repeat(33);
        let fetched = session.fetch(&path, "data", Fetch::new(0)).await;
        assert!(matches!(fetched, Err(FetchError::Path(_))));
    });
}

#[test]
fn what_is_fetched_does_not_disturb_a_subscription() {
    for_each_fetching(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let track = session.track("room", "data").unwrap();
        let mut reader = track.subscribe(moq_session::Subscription::default());
        let (id, mut control) = accept_track(&mut peer).await;
        control.respond(&begun(5)).await;
        let mut live = peer.group(&header(id, 5)).await;
        live.send_frame(5, "live").await;
        let held = reader.next_group().await.unwrap().unwrap();
        assert_eq!(held.sequence(), 5);

        let mut fetched = track.fetch(Fetch::new(2)).await.unwrap();
        let mut answer = peer.expect_bi(BiStream::Fetch).await;
        let request: moq_wire::Fetch = answer.expect().await;
        assert_eq!(request.group.0, 2);
        answer.send_frame(2, "old").await;
        answer.finish();
        assert_eq!(
            read(&mut fetched).await,
            ended(&["old"], GroupEnd::Finished)
        );
        let next = tokio::time::timeout(Duration::from_secs(3), reader.next_group());
        assert!(next.await.is_err(), "fetched groups are not live");

        let mut here = track.fetch(Fetch::new(5)).await.unwrap();
        assert!(matches!(here.next().await, GroupRead::Frame(_)));
        peer.expect_no_bi(BiStream::Fetch, common::scripts::A_WHILE)
            .await;
    });
}

#[test]
fn a_relay_asks_once_for_all_who_fetch_a_group() {
    for_each_fetching(|version| async move {
        let origin = OriginProducer::new();
        let (mut publisher, _session) = common::scripts::enter(version, &origin).await;
        let mut announce = publisher.expect_bi(BiStream::Announce).await;
        common::announce::tell(&mut announce, 1, &["room"]).await;
        settle().await;
        let first = join(version, Config::default(), &origin).await;
        let second = join(version, Config::default(), &origin).await;
        let (one, two, ()) = tokio::join!(
            first.0.fetch("room", "data", Fetch::new(7)),
            second.0.fetch("room", "data", Fetch::new(7)),
            answer_track(&mut publisher)
        );
        let mut answer = publisher.expect_bi(BiStream::Fetch).await;
        let _: moq_wire::Fetch = answer.expect().await;
        answer.send_frame(1, "a").await;
        answer.finish();
        for group in [one, two] {
            let read = read(&mut group.unwrap()).await;
            assert_eq!(read, ended(&["a"], GroupEnd::Finished));
        }
        publisher
            .expect_no_bi(BiStream::Fetch, common::scripts::A_WHILE)
            .await;
    });
}
