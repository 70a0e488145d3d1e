//! SUBSCRIBE as the publisher answers it.

mod common;

use std::time::Duration;

use common::ends::begun;
use common::for_each_version;
use common::live::{floor, live, start_at, update};
use common::scripts::{A_WHILE, enter, settle, subscribe};
use moq_wire::code::session::PROTOCOL_VIOLATION;
use moq_wire::code::stream::{CANCELLED, MALFORMED_TRACK};
use moq_wire::{BiStream, UniStream, Version};

/// SUBSCRIBE_END, with the count of group streams where the draft tells it.
fn end(version: Version, group: u8, streams: u8) -> Vec<u8> {
    match version.features().end_stream_count {
        true => vec![1, 2, group, streams],
        false => vec![1, 1, group],
    }
}

// spec: Section 3.4, "Responses"
#[test]
fn a_track_is_told_from_its_start_to_its_end() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let wish = subscribe(version, 3, "room", "data");
        let mut stream = live.peer.request(BiStream::Subscribe, &wish).await;
        let features = version.features();
        if features.subscribe_ok {
            let ok: &[u8] = match (features.typed_response, features.ok_priority) {
                (true, _) => &[0, 5, 5, 0, 0, 0, 0],
                (false, true) => &[1, 5],
                (false, false) => &[0],
            };
            stream.expect_bytes(ok).await;
        }
        stream.expect_silence(A_WHILE).await;
        live.group(0);
        if features.start_end {
            stream.expect_bytes(&[0, 1, 0]).await;
        }
        let (group, mut first) = live.peer.expect_group().await;
        assert_eq!(group.subscribe_id.0, 3);
        assert_eq!(group.frame_start, 0);
        let frame: &[u8] = if features.timestamps {
            &[0, 1, b'x']
        } else {
            &[1, b'x']
        };
        first.expect_bytes(frame).await;
        first.expect_fin().await;
        live.group(1_000);
        live.expect_groups([1]).await;
        live.track.finish();
        if features.start_end {
            stream.expect_bytes(&end(version, 2, 2)).await;
        }
        stream.expect_fin().await;
        stream.finish();
        settle().await;
        assert_eq!(live.session.outstanding().subscriptions, 0);
    });
}

// spec: Section 3.4, "A track that finishes without any group gives END 0 and no START"
#[test]
fn a_track_without_groups_has_an_end_and_no_start() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut stream = live.subscribe(&floor(0)).await;
        live.track.finish();
        if version.features().start_end {
            stream.expect_bytes(&end(version, 0, 0)).await;
        }
        stream.expect_fin().await;
    });
}

// spec: Section 3.4, "SUBSCRIBE_UPDATE"
// spec: Section 6.4, "partial update"
#[test]
fn an_update_changes_priority_age_and_start() {
    for_each_version(|version| async move {
        if !version.features().subscribe_range {
            return;
        }
        let mut live = live(version).await;
        for n in 0..3 {
            live.group(n * 1_000);
        }
        let mut stream = live.subscribe(&floor(2)).await;
        live.expect_groups([2]).await;
        stream.send(&update(200, 5_000, start_at(0))).await;
        live.expect_groups([1, 0]).await;
        settle().await;
        let demand = live.track.demand().current().unwrap();
        assert_eq!(demand.priority, 200);
        assert_eq!(demand.max_age, Duration::from_secs(5));

        // Two at once, the second in parts.
        stream.send(&update(9, 1_000, start_at(0))).await;
        let bytes = [5, 7, 0, 0, 0, 0, 0, 0];
        let len = if version.features().frame_bounds {
            6
        } else {
            5
        };
        stream.send_varint(len).await;
        for byte in &bytes[1..=usize::try_from(len).unwrap()] {
            settle().await;
            stream.send_bytes([*byte]).await;
        }
        settle().await;
        let demand = live.track.demand().current().unwrap();
        assert_eq!((demand.priority, demand.max_age), (7, Duration::ZERO));
    });
}

// spec: Section 6.4, "malformed SUBSCRIBE_UPDATE"
// spec: Section 6.4, "frame end without group end"
#[test]
fn a_malformed_update_ends_the_subscription() {
    for_each_version(|version| async move {
        let mut bodies: Vec<&[u8]> = vec![&[1, 9], &[12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
        if version.features().frame_bounds {
            bodies.push(&[6, 5, 0, 0, 0, 0, 1]);
        }
        if !version.features().subscribe_range {
            // There is none, so that even a whole one is too much.
            bodies.push(&[4, 5, 0, 0, 0]);
            bodies.push(&[0]);
        }
        for body in bodies {
            let mut live = live(version).await;
            let mut stream = live.subscribe(&floor(0)).await;
            let mut group = live.track.append().unwrap();
            group.append_at(0, "x").unwrap();
            let (_, mut unfinished) = live.peer.expect_group().await;
            stream.send_bytes(body).await;
            stream.expect_reset(MALFORMED_TRACK).await;
            unfinished.expect_reset(CANCELLED).await;
            live.track.unused().await;
            live.peer.expect_alive().await;
        }
    });
}

// spec: Section 3.4, "unsubscribe. The deployed publisher FINs its half and resets unfinished group streams with 1"
#[test]
fn unsubscribing_ends_the_answer_and_resets_the_groups() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let mut stream = live.subscribe(&floor(0)).await;
        live.group(0);
        live.expect_groups([0]).await;
        let mut group = live.track.append().unwrap();
        group.append_at(1_000, "x").unwrap();
        let (_, mut unfinished) = live.peer.expect_group().await;
        if version.features().start_end {
            assert_eq!(stream.expect_response().await, begun(0));
        }
        stream.finish();
        stream.expect_fin().await;
        unfinished.expect_reset(CANCELLED).await;
        live.track.unused().await;
        assert_eq!(live.session.outstanding().subscriptions, 0);
        let again = subscribe(version, 0, "room", "data");
        let _again = live.subscribe(&again).await;
    });
}

// spec: Section 6.2, "FIN together with SUBSCRIBE or ANNOUNCE_REQUEST"
#[test]
fn a_subscription_that_ends_at_once_is_served_nothing() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        live.group(0);
        let mut stream = live.peer.request(BiStream::Subscribe, &floor(0)).await;
        stream.finish();
        stream.expect_fin().await;
        live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
    });
}

// spec: Section 6.4, "SUBSCRIBE with a live id"
#[test]
fn a_live_id_used_again_closes_the_session() {
    for_each_version(|version| async move {
        let mut live = live(version).await;
        let (mut other, _other) = enter(version, &live.origin).await;
        let _first = live.subscribe(&floor(0)).await;
        let _second = live.peer.request(BiStream::Subscribe, &floor(0)).await;
        live.peer.expect_close(PROTOCOL_VIOLATION).await;
        other.expect_alive().await;
    });
}
