//! Groups on their way in, and what becomes of broken ones.

mod common;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::for_each_version;
use common::scripts::{fed, header, send_group, settle};
use moq_session::{Abort, GroupEnd, GroupRead, Version};
use moq_wire::code::stream::{CANCELLED, EVICTED, FRAME_TOO_LARGE, INTERNAL, MALFORMED_TRACK};
use moq_wire::{Datagram, GroupSequence, SubscribeId, UniStream, code, varint};

/// A frame's header, whatever it says.
fn frame_header(version: Version, delta: u64, len: u64) -> BytesMut {
    let mut buf = BytesMut::new();
    if version.features().timestamps {
        varint::put(delta, &mut buf, version).expect("it is in range");
    }
    varint::put(len, &mut buf, version).expect("it is in range");
    buf
}

#[test]
fn a_group_arrives_with_its_frames_and_times() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut stream = fed.peer.group(&header(fed.id, 4)).await;
        stream.send_frame(90_000, "hello").await;
        stream.send_frame(89_000, "back").await;
        stream.finish();
        let mut group = fed.group().await;
        assert_eq!(group.sequence(), 4);
        for (timestamp, text) in [(90_000, "hello"), (89_000, "back")] {
            let GroupRead::Frame(frame) = group.next().await else {
                panic!("a frame");
            };
            assert_eq!(frame.payload, text);
            if version.features().timestamps {
                assert_eq!(frame.timestamp, timestamp);
            }
        }
        assert_eq!(group.next().await, GroupRead::End(GroupEnd::Finished));
    });
}

/// A stream that is seen opens all those before it, which may wait long for their turn.
#[test]
fn streams_whose_first_byte_is_late_hold_up_nobody_and_are_read_when_it_comes() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut silent = Vec::new();
        for _ in 0..90 {
            silent.push(fed.peer.open_raw_uni().await);
        }
        send_group(&mut fed.peer, fed.id, 8, &["newest"]).await;
        let newest = (8, vec!["newest".to_owned()], GroupEnd::Finished);
        assert_eq!(fed.read().await, newest);

        tokio::time::sleep(Duration::from_secs(60)).await;
        for (sequence, mut stream) in (0..8).zip(silent) {
            stream.send_varint(UniStream::Group.code()).await;
            stream.send(&header(fed.id, sequence)).await;
            stream.send_frame(8_000, "late").await;
            stream.finish();
            let late = (sequence, vec!["late".to_owned()], GroupEnd::Finished);
            assert_eq!(fed.read().await, late);
        }
    });
}

// spec: Section 3.7, "A group with no frames is legal (header, FIN)"
// spec: Section 3.8, "Empty payloads are ordinary frames"
#[test]
fn emptiness_is_content() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        send_group(&mut fed.peer, fed.id, 0, &[]).await;
        assert_eq!(fed.read().await, (0, vec![], GroupEnd::Finished));
        send_group(&mut fed.peer, fed.id, 1, &["", ""]).await;
        let empty = vec![String::new(), String::new()];
        assert_eq!(fed.read().await, (1, empty, GroupEnd::Finished));
    });
}

// spec: Section 6.4, "Group stream or datagram with an unknown or finished subscribe id"
#[test]
fn a_group_of_no_subscription_is_stopped() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut stranger = fed.peer.group(&header(fed.id + 1, 0)).await;
        stranger.expect_stop(CANCELLED).await;
        send_group(&mut fed.peer, fed.id, 0, &["a"]).await;
        assert_eq!(fed.read().await.0, 0);
        drop(fed.reader);
        fed.control.expect_fin().await;
        let mut late = fed.peer.group(&header(fed.id, 1)).await;
        late.expect_stop(CANCELLED).await;
        fed.peer.expect_alive().await;
    });
}

// spec: Section 6.4, "same group twice on one subscription"
#[test]
fn the_first_of_two_equal_groups_is_kept() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut first = fed.peer.group(&header(fed.id, 3)).await;
        first.send_frame(0, "first").await;
        settle().await;
        let mut second = fed.peer.group(&header(fed.id, 3)).await;
        second.expect_stop(INTERNAL).await;
        first.send_frame(1, "goes on").await;
        first.finish();
        let frames = vec!["first".to_owned(), "goes on".to_owned()];
        assert_eq!(fed.read().await, (3, frames, GroupEnd::Finished));
    });
}

// spec: Section 6.4, "RESET of a group"
#[test]
fn a_reset_group_is_a_value_for_the_reader() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let reasons = [
            (EVICTED, Abort::Evicted),
            (code::application(9), Abort::Application(9)),
            (0x77_7777, Abort::Internal),
        ];
        for (sequence, (code, reason)) in (0..).zip(reasons) {
            let mut stream = fed.peer.group(&header(fed.id, sequence)).await;
            stream.send_frame(sequence * 100, "so far").await;
            settle().await;
            stream.reset(code);
            let so_far = vec!["so far".to_owned()];
            assert_eq!(
                fed.read().await,
                (sequence, so_far, GroupEnd::Aborted(reason))
            );
        }
        send_group(&mut fed.peer, fed.id, 9, &["next"]).await;
        assert_eq!(fed.read().await.2, GroupEnd::Finished);
    });
}

// spec: Section 6.4, "FIN inside a frame"
#[test]
fn a_group_cut_inside_a_frame_keeps_its_complete_frames() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        for (sequence, len) in [(0, 1), (1, 20)] {
            let mut stream = fed.peer.group(&header(fed.id, sequence)).await;
            stream.send_frame(0, "whole").await;
            let mut cut = frame_header(version, 0, 100);
            cut.extend_from_slice(&[0; 30]);
            stream.send_bytes(&cut[..len]).await;
            stream.finish();
            let (_, frames, end) = fed.read().await;
            assert_eq!(frames, ["whole"]);
            assert!(matches!(end, GroupEnd::Aborted(_)), "{end:?}");
        }
        assert!(fed.session.is_open());
    });
}

// spec: Section 6.4, "frame length above your limit"
#[test]
fn a_frame_above_the_limit_is_not_read() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut stream = fed.peer.group(&header(fed.id, 0)).await;
        stream.send_frame(0, "small").await;
        stream
            .send_bytes(frame_header(version, 0, (32 << 20) + 1))
            .await;
        stream.expect_stop(FRAME_TOO_LARGE).await;
        let (_, frames, end) = fed.read().await;
        assert_eq!(frames, ["small"]);
        assert_eq!(end, GroupEnd::Aborted(Abort::FrameTooLarge));
        send_group(&mut fed.peer, fed.id, 1, &["next"]).await;
        assert_eq!(fed.read().await.2, GroupEnd::Finished);
    });
}

// spec: Section 6.4, "timestamp below zero or above 2^62−1"
#[test]
fn an_impossible_timestamp_is_malformed() {
    for_each_version(|version| async move {
        if !version.features().timestamps {
            return;
        }
        let mut fed = fed(version).await;
        let huge = varint::MAX - 1;
        // Steps of -1; and of as much as can be written, three times.
        for (sequence, steps) in [(0, vec![1]), (1, vec![huge, huge, huge])] {
            let mut stream = fed.peer.group(&header(fed.id, sequence)).await;
            for step in steps {
                stream.send_bytes(frame_header(version, step, 0)).await;
            }
            stream.expect_stop(MALFORMED_TRACK).await;
        }
        fed.peer.expect_alive().await;
    });
}

#[test]
fn a_group_that_begins_elsewhere_than_at_its_first_frame_was_not_asked_for() {
    for_each_version(|version| async move {
        if !version.features().frame_bounds {
            return;
        }
        let mut fed = fed(version).await;
        let mut part = header(fed.id, 0);
        part.frame_start = 2;
        let mut stream = fed.peer.group(&part).await;
        stream.expect_stop(MALFORMED_TRACK).await;
    });
}

#[test]
fn a_malformed_header_costs_that_stream() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut stream = fed.peer.open_uni(UniStream::Group).await;
        stream.send_bytes([5, 0, 0, 0, 0, 0]).await;
        stream.expect_stop(CANCELLED).await;
        send_group(&mut fed.peer, fed.id, 0, &["a"]).await;
        assert_eq!(fed.read().await.2, GroupEnd::Finished);
    });
}

// spec: Section 6.4, "Group stream or datagram with an unknown or finished subscribe id"
// spec: Section 3.9, "A group of exactly one frame may travel as one datagram"
#[test]
fn a_datagram_is_a_group_where_the_draft_has_them() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let datagram = |id, sequence, payload: &'static str| Datagram {
            subscribe_id: SubscribeId(id),
            sequence: GroupSequence(sequence),
            timestamp: 7_000,
            payload: Bytes::from_static(payload.as_bytes()),
        };
        fed.peer.send_raw_datagram(Bytes::from_static(&[0x40]));
        fed.peer.send_datagram(&datagram(fed.id + 1, 0, "stranger"));
        fed.peer.send_datagram(&datagram(fed.id, 0, "datagram"));
        fed.peer.send_datagram(&datagram(fed.id, 0, "again"));
        settle().await;
        if version.features().datagrams {
            let frames = vec!["datagram".to_owned()];
            assert_eq!(fed.read().await, (0, frames, GroupEnd::Finished));
        }
        send_group(&mut fed.peer, fed.id, 1, &["stream"]).await;
        let frames = vec!["stream".to_owned()];
        assert_eq!(fed.read().await, (1, frames, GroupEnd::Finished));
    });
}
