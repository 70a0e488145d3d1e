//! Which groups a subscriber is sent, and which it is told not to wait for.

mod common;

use std::time::Duration;

use common::ends::begun;
use common::for_each_version;
use common::live::{floor, live, start_at, update};
use common::scripts::{A_WHILE, settle, subscribe};
use moq_wire::code::stream::{CANCELLED, MALFORMED_TRACK, OLD};
use moq_wire::{GroupSequence, SubscribeResponse, UniStream};

// spec: Section 4.6, "Where delivery begins"
#[test]
fn delivery_begins_where_the_draft_says() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        for n in 0..4 {
            live.group(n * 1_000);
        }
        let is_floor = version.features().start_is_floor;
        let mut wish = subscribe(version, 0, "room", "data");
        let _latest = live.subscribe(&wish).await;
        if is_floor {
            // With an age of five seconds a floor of 0 is everything that is held.
            live.expect_groups([3, 2, 1, 0]).await;
        } else {
            live.expect_groups([3]).await;
        }
        wish = floor(2);
        wish.id.0 = 1;
        let _floor = live.subscribe(&wish).await;
        if version.features().subscribe_range {
            live.expect_groups([3, 2]).await;
        } else {
            live.expect_groups([3]).await;
        }

        wish.id.0 = 2;
        wish.start = subscribe(version, 0, "", "").start;
        wish.max_age = Duration::ZERO;
        let _edge = live.subscribe(&wish).await;
        live.expect_groups([3]).await;
        live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
    });
}

// spec: Section 3.4, "A floor above the newest group is legal: the subscription waits"
// spec: Section 3.4, "An end bound works as a cap: the publisher stops there and parks"
#[test]
fn bounds_are_kept_until_an_update_moves_them() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut wish = floor(1);
        wish.last = Some(GroupSequence(2));
        let mut stream = live.subscribe(&wish).await;
        for n in 0..4 {
            live.group(n * 100);
            settle().await;
        }
        if !version.features().subscribe_range {
            live.expect_groups([0, 1, 2, 3]).await;
            return;
        }
        live.expect_groups([1, 2]).await;
        live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
        stream.send(&update(5, 5_000, start_at(1))).await;
        live.group(400);
        settle().await;
        live.expect_groups([4, 3]).await;
        live.group(500);
        live.expect_groups([5]).await;
    });
}

// spec: Section 4.6, "if the group that delivery begins with is the one named by group start, it begins at frame start"
// spec: Section 3.7, "complete up to the frame end asked for"
#[test]
fn frames_are_counted_in_the_groups_that_the_bounds_name() {
    for_each_version(|version| async move {
        if !version.features().frame_bounds {
            return;
        }
        let mut live = live(version).await;
        for group in 0..3_u64 {
            let mut frames = live.track.append().unwrap();
            for frame in 0..3 {
                frames.append_at(group * 100 + frame, "x").unwrap();
            }
            frames.finish();
        }
        let mut wish = floor(0);
        (wish.frame_start, wish.last, wish.frame_last) = (1, Some(GroupSequence(2)), Some(1));
        let _stream = live.subscribe(&wish).await;
        for (group, times) in [(2, 200..202), (1, 100..103), (0, 1..3)] {
            let (header, mut stream) = live.peer.expect_group().await;
            let start = u64::from(group == 0);
            assert_eq!((header.sequence.0, header.frame_start), (group, start));
            for time in times {
                assert_eq!(stream.expect_frame().await.0, time);
            }
            stream.expect_fin().await;
        }
    });
}

// spec: Section 4.6, "A frame start beyond the end of a finished group"
#[test]
fn a_frame_beyond_the_groups_end_leaves_an_empty_group() {
    for_each_version(|version| async move {
        if !version.features().frame_bounds {
            return;
        }
        let mut live = live(version).await;
        live.group(0);
        let mut wish = floor(0);
        wish.frame_start = 5;
        let _stream = live.subscribe(&wish).await;
        let (header, mut stream) = live.peer.expect_group().await;
        assert_eq!((header.sequence.0, header.frame_start), (0, 5));
        stream.expect_fin().await;
    });
}

// spec: Section 6.4, "peer stops a group stream"
#[test]
fn a_stopped_group_is_reset_and_not_sent_again() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let _stream = live.subscribe(&floor(0)).await;
        let mut group = live.track.append().unwrap();
        group.append_at(0, "x").unwrap();
        let (_, mut unwanted) = live.peer.expect_group().await;
        unwanted.expect_frame().await;
        unwanted.stop(CANCELLED);
        group.append_at(1, "y").unwrap();
        group.finish();
        live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
        live.group(2_000);
        live.expect_groups([1]).await;
    });
}

#[test]
fn a_frame_without_a_form_on_the_wire_resets_its_group() {
    for_each_version(|version| async move {
        if !version.features().timestamps {
            return;
        }
        let mut live = live(version).await;
        let _stream = live.subscribe(&floor(0)).await;
        let mut group = live.track.append().unwrap();
        group.append_at(5, "a").unwrap();
        let (_, mut stream) = live.peer.expect_group().await;
        stream.expect_frame().await;
        group.append_at(u64::MAX, "b").unwrap();
        group.append_at(6, "c").unwrap();
        group.finish();
        stream.expect_reset(MALFORMED_TRACK).await;
        assert_eq!(
            live.session.outstanding().bytes,
            1,
            "nothing after it is sent"
        );
    });
}

// spec: Section 4.6, "01 and 02 have no such field"
// spec: Section 4.6, "An open group stream whose group expires while it is blocked is reset with 0x34"
#[test]
fn a_group_that_gets_too_old_on_its_way_is_reset_and_told() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut wish = floor(0);
        wish.max_age = Duration::from_secs(1);
        let mut stream = live.subscribe(&wish).await;
        let mut group = live.track.append().unwrap();
        group.append_at(0, vec![0; 200_000]).unwrap();
        let (_, mut blocked) = live.peer.expect_group().await;
        settle().await;
        live.group(1_000);
        live.group(2_000);
        settle().await;
        if version.features().subscribe_range {
            blocked.expect_reset(OLD).await;
            live.expect_groups([2, 1]).await;
            if version.features().start_end {
                assert_eq!(stream.expect_response().await, begun(0));
            }
            if version.features().drop_type.is_some() {
                // The reset may have overtaken the header.
                let (first, last, code) = (GroupSequence(0), GroupSequence(0), u64::from(OLD));
                let told = SubscribeResponse::Drop { first, last, code };
                assert_eq!(stream.expect_response().await, told);
            }
            return;
        }
        group.finish();
        let (_, payload) = blocked.expect_frame().await;
        assert_eq!(payload.len(), 200_000);
        blocked.expect_fin().await;
        live.expect_groups([2, 1]).await;
    });
}

#[test]
fn groups_that_found_no_stream_in_time_are_told_as_dropped() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut stream = live.subscribe(&floor(0)).await;
        live.peer.allow_streams(0);
        for n in 0..400 {
            live.group(n * 1_000);
            settle().await;
        }
        if version.features().start_end {
            assert_eq!(stream.expect_response().await, begun(0));
        }
        // The newest group counts as five seconds old when the sixth after it begins.
        let mut next = 0;
        while version.features().drop_type.is_some() && next < 394 {
            let SubscribeResponse::Drop { first, last, code } = stream.expect_response().await
            else {
                panic!("a drop");
            };
            assert_eq!((first.0, code), (next, u64::from(OLD)));
            next = last.0 + 1;
        }
        stream.expect_silence(A_WHILE).await;
        live.peer.allow_streams(128);
        if version.features().subscribe_range {
            live.expect_groups([399, 398, 397, 396, 395, 394]).await;
        } else {
            live.expect_groups([394, 399, 398, 397, 396, 395]).await;
        }
    });
}

#[test]
fn many_groups_that_wait_for_a_stream_lose_no_order() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut stream = live.subscribe(&floor(0)).await;
        live.peer.allow_streams(0);
        for n in 0..100 {
            live.group(n);
            settle().await;
        }
        live.peer.allow_streams(128);
        let newest = (1..100).rev();
        if version.features().subscribe_range {
            live.expect_groups(newest.chain([0])).await;
        } else {
            live.expect_groups([0].into_iter().chain(newest)).await;
        }
        if version.features().start_end {
            assert_eq!(stream.expect_response().await, begun(0));
        }
        stream.expect_silence(A_WHILE).await;
    });
}
