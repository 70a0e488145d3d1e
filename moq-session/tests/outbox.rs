//! In which order a session's groups get streams, and in which order those are sent.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::ends::{begun, heard_over};
use common::live::{start_at, update};
use common::record::Event;
use common::scripts::{A_WHILE, settle};
use common::waiting::Stage;
use common::{for_each_version, for_each_with};
use moq_session::{Abort, Version};
use moq_wire::{Datagram, UniStream};

fn for_each_with_range<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.subscribe_range, test);
}

// spec: Section 4.7, "larger subscription priority first"
#[test]
fn credit_goes_to_the_highest_priority_of_all_subscriptions() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 3).await;
        let mut streams = Vec::new();
        for (track, priority) in [(0, 1), (1, 9), (2, 5)] {
            streams.push(stage.subscribe(track, priority).await);
        }
        for track in 0..3 {
            stage.whole(track, 0);
            stage.whole(track, 1);
        }
        settle().await;
        stage.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
        stage.allow(1);
        let groups = stage.next_of(6).await;
        assert_eq!(groups, [(1, 1), (1, 0), (2, 1), (2, 0), (0, 1), (0, 0)]);
    });
}

#[test]
fn what_waits_for_longer_does_not_take_the_credit_of_what_is_more_important() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 2).await;
        let (_low, _high) = (stage.subscribe(0, 1).await, stage.subscribe(1, 9).await);
        for n in 0..10 {
            stage.whole(0, n);
        }
        settle().await;
        stage.allow(1);
        assert_eq!(stage.next().await, (0, 9));
        settle().await;
        stage.whole(1, 0);
        settle().await;
        // The first one has had its stream since the one before it was read.
        let groups = stage.next_of(3).await;
        assert_eq!(groups, [(0, 8), (1, 0), (0, 7)]);
    });
}

#[test]
fn subscriptions_of_one_priority_take_turns_with_the_newest_groups_first() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 2).await;
        let (_a, _b) = (stage.subscribe(0, 5).await, stage.subscribe(1, 5).await);
        for n in 0..2 {
            stage.whole(0, n);
            stage.whole(1, n);
        }
        settle().await;
        stage.allow(1);
        let groups = stage.next_of(4).await;
        assert_eq!(groups, [(0, 1), (1, 1), (0, 0), (1, 0)]);
    });
}

// spec: Section 4.7, "within a subscription the newest group first"
#[test]
fn newer_groups_are_sent_first_whatever_their_numbers_are() {
    for_each_with_range(|version| async move {
        for step in [1, 1 << 24, 1 << 40] {
            let mut stage = Stage::new(version, 1).await;
            stage.allow(100);
            let _stream = stage.subscribe(0, 5).await;
            let mut groups = Vec::new();
            // The last ones come late, below and between others.
            for n in [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 30, 3, 2, 25, 1] {
                groups.push((n, stage.open(0, n * step)));
                settle().await;
            }
            let ranks = stage.log.take_ranks();
            assert_eq!(ranks.len(), groups.len());
            let mut by_group: Vec<_> = groups.iter().map(|(n, _)| *n).zip(ranks).collect();
            by_group.sort_unstable();
            let is_ascending = by_group.is_sorted_by(|a, b| a.1.1 < b.1.1);
            assert!(is_ascending, "step {step}: {by_group:?}");
        }
    });
}

// spec: Section 4.7, "Each open group stream is ranked in that order"
#[test]
fn an_update_reorders_the_streams_that_are_open() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 2).await;
        stage.allow(100);
        let (_a, mut b) = (stage.subscribe(0, 5).await, stage.subscribe(1, 3).await);
        let mut groups = Vec::new();
        for n in 0..3 {
            groups.push((stage.open(0, n), stage.open(1, n)));
            settle().await;
        }
        stage.whole(1, 3);
        settle().await;
        // Streams of the two take turns, and the last one is of the second.
        let ranks = stage.log.take_ranks();
        let of = |first| ranks.iter().skip(first).step_by(2).map(|(_, rank)| rank);
        assert!(of(0).min() > of(1).max());
        b.send(&update(7, 5_000, start_at(0))).await;
        settle().await;
        let moved = stage.log.take_ranks();
        let streams: Vec<_> = moved
            .iter()
            .map(|(stream, _)| stream - stage.others)
            .collect();
        assert_eq!(
            streams,
            [1, 3, 5, 6],
            "one is written whole and not acknowledged"
        );
        assert!(moved.iter().map(|(_, rank)| rank).min() > of(0).max());
        assert!(moved.is_sorted_by(|a, b| a.1 < b.1));
    });
}

#[test]
fn of_many_updates_only_the_last_is_applied() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 1).await;
        stage.allow(10);
        let mut stream = stage.subscribe(0, 5).await;
        let _group = stage.open(0, 0);
        settle().await;
        stage.log.take();
        for n in 0..200 {
            stream.send(&update(n, 5_000, start_at(0))).await;
        }
        settle().await;
        let events = stage.log.take();
        let ranked: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::Ranked(Some(_), _)))
            .collect();
        assert!(ranked.len() <= 3, "{ranked:?}");
        let _newer = stage.open(0, 1);
        settle().await;
        let priority = |rank: i32| (rank.cast_unsigned() ^ 0x8000_0000) >> 24;
        let newer = stage.log.take_ranks();
        assert_eq!(newer.last().map(|(_, rank)| priority(*rank)), Some(199));
    });
}

#[test]
fn control_messages_go_before_all_groups() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version, 1).await;
        stage.allow(10);
        let _stream = stage.subscribe(0, 255).await;
        let _group = stage.open(0, 0);
        settle().await;
        let (mut controls, mut groups) = (Vec::new(), Vec::new());
        for event in stage.log.take() {
            match event {
                Event::Ranked(None, rank) => controls.push(rank),
                Event::Ranked(Some(_), rank) => groups.push(rank),
                _ => {}
            }
        }
        assert!(!controls.is_empty() && !groups.is_empty());
        assert!(controls.iter().min() > groups.iter().max());
    });
}

#[test]
fn datagrams_do_not_wait_for_stream_credit() {
    for_each_with(
        |features| features.datagrams,
        |version| async move {
            let mut stage = Stage::new(version, 1).await;
            let _stream = stage.subscribe(0, 5).await;
            stage.whole(0, 0);
            settle().await;
            for sequence in 1..4 {
                stage.tracks[0].append_datagram(0, "now").unwrap();
                let datagram: Datagram = stage.peer.expect_datagram().await;
                assert_eq!(datagram.sequence.0, sequence);
            }
            stage.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
            stage.allow(1);
            assert_eq!(stage.next().await, (0, 0));
        },
    );
}

// spec: Section 4.6, "Where delivery begins"
#[test]
fn the_oldest_leads_where_a_draft_cannot_name_the_start() {
    for_each_with(
        |features| !features.subscribe_range,
        |version| async move {
            let mut stage = Stage::new(version, 1).await;
            let _stream = stage.subscribe(0, 5).await;
            for n in 0..4 {
                stage.whole(0, n);
                settle().await;
            }
            stage.allow(1);
            let groups = stage.next_of(4).await;
            assert_eq!(groups, [(0, 0), (0, 3), (0, 2), (0, 1)]);
            let ranks: Vec<_> = stage
                .log
                .take_ranks()
                .iter()
                .map(|(_, rank)| *rank)
                .collect();
            assert!(ranks.is_sorted_by(|a, b| a > b), "{ranks:?}");
        },
    );
}

#[test]
fn a_finished_track_is_delivered_to_a_peer_whose_credit_comes_late() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version, 1).await;
        let mut stream = stage.subscribe(0, 5).await;
        (0..5).for_each(|n| stage.whole(0, n));
        stage.tracks.remove(0).finish();
        settle().await;
        stage.allow(1);
        let mut groups = stage.next_of(5).await;
        groups.sort_unstable();
        let all: Vec<_> = (0..5).map(|n| (0, n)).collect();
        assert_eq!(groups, all);
        if version.features().start_end {
            assert_eq!(stream.expect_response().await, begun(0));
            assert_eq!(stream.expect_response().await, heard_over(version, 5, 5));
        }
        stream.expect_fin().await;
    });
}

#[test]
fn a_peer_without_credit_learns_that_the_track_was_given_up() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version, 1).await;
        let mut stream = stage.subscribe(0, 5).await;
        stage.whole(0, 0);
        settle().await;
        if version.features().start_end {
            assert_eq!(stream.expect_response().await, begun(0));
        }
        stage.tracks.remove(0).abort(Abort::NotFound);
        stream.expect_reset(moq_wire::code::stream::NOT_FOUND).await;
        stage.allow(5);
        stage.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
    });
}

#[test]
fn a_track_that_ends_while_it_waits_passes_its_turn_on() {
    for_each_with_range(|version| async move {
        let mut stage = Stage::new(version, 2).await;
        let (mut high, _low) = (stage.subscribe(0, 9).await, stage.subscribe(1, 1).await);
        stage.whole(0, 0);
        stage.whole(1, 0);
        settle().await;
        stage.tracks.remove(0).finish();
        // What is left of the track is not wanted any more.
        high.send(&update(9, 5_000, start_at(5))).await;
        settle().await;
        stage.allow(1);
        assert_eq!(stage.next().await, (1, 0));
    });
}

#[test]
fn a_peer_that_leaves_passes_its_turn_on() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version, 2).await;
        let (mut high, _low) = (stage.subscribe(0, 9).await, stage.subscribe(1, 1).await);
        stage.whole(0, 0);
        stage.whole(1, 0);
        settle().await;
        high.finish();
        settle().await;
        stage.allow(1);
        assert_eq!(stage.next().await, (1, 0));
    });
}
