//! What requests for announcements are told: how much, and in pages.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use allocation_counter::measure;
use common::announce::listen;
use common::limits::{enter, reached};
use common::scripts::{announce_request, enter_with, grant, pattern, settle};
use common::told::{fill, long_name as name};
use common::{for_each_version, for_each_with};
use moq_session::{BroadcastProducer, Grant, Limit, Limits, OriginProducer, Version};
use moq_wire::BiStream;
use moq_wire::code::stream::NO_CAPACITY;

#[test]
fn what_all_requests_are_told_is_bounded() {
    for_each_version(|version| async move {
        // Two requests over as many; one alone may have more than is allowed.
        for (told, is_over) in [(1_199, true), (1_200, false), (1_201, false), (10, true)] {
            let origin = OriginProducer::new();
            let _published = fill(&origin, 600);
            let mut limits = Limits::default();
            limits.told = told;
            let (mut peer, session) = enter(version, &origin, limits).await;
            let request = announce_request("");
            let mut first = peer.request(BiStream::Announce, &request).await;
            first.skip_all().await;
            let mut second = peer.request(BiStream::Announce, &request).await;
            if is_over {
                second.expect_reset(NO_CAPACITY).await;
            }
            settle().await;
            reached(&session, Limit::Told, u64::from(is_over));
            assert!(session.is_open());
        }
    });
}

#[test]
fn what_was_counted_takes_as_much_room_as_what_was_told() {
    for_each_with(
        |features| features.announce_ok || features.announce_init,
        |version| async move {
            let origin = OriginProducer::new();
            let _published = fill(&origin, 2_000);
            let mut limits = Limits::default();
            limits.told = 3_999;
            let (mut peer, session) = enter(version, &origin, limits).await;
            let request = announce_request("");
            // It is not read, and its set is promised all the same.
            let mut first = peer.request(BiStream::Announce, &request).await;
            settle().await;
            let mut second = peer.request(BiStream::Announce, &request).await;
            second.expect_reset(NO_CAPACITY).await;
            first.skip_all().await;
            reached(&session, Limit::Told, 1);
        },
    );
}

#[test]
fn what_comes_after_the_requests_is_bounded_as_well() {
    for_each_version(|version| async move {
        for (count, is_over) in [(599, false), (600, false), (601, true), (900, true)] {
            let origin = OriginProducer::new();
            let mut limits = Limits::default();
            limits.told = 1_200;
            let (mut peer, session) = enter(version, &origin, limits).await;
            let mut first = listen(&mut peer, "").await;
            let mut second = listen(&mut peer, "").await;
            first.stream.skip_all().await;
            second.stream.skip_all().await;
            let _published = fill(&origin, count);
            first.stream.skip_all().await;
            second.stream.skip_all().await;
            reached(&session, Limit::Told, u64::from(is_over));
            assert!(session.is_open());
        }
    });
}

/// What the heap has for each request over so many broadcasts, in bytes.
fn heap(version: Version, requests: usize, count: usize, is_read: bool) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let publish = |n: usize| {
        let path = format!("room/{n}").parse().unwrap();
        origin.publish(&path, broadcast.consume())
    };
    let _published: Vec<_> = (0..count).map(publish).collect();
    let mut limits = Limits::default();
    limits.announce_requests = requests;
    let (mut peer, _session) = runtime.block_on(enter(version, &origin, limits));
    let mut streams = Vec::with_capacity(requests);
    let held = measure(|| {
        runtime.block_on(async {
            for _ in 0..requests {
                let request = announce_request("room");
                let mut stream = peer.request(BiStream::Announce, &request).await;
                if is_read {
                    stream.skip_all().await;
                }
                settle().await;
                streams.push(stream);
            }
        });
    });
    held.bytes_current / i64::try_from(requests).unwrap()
}

#[test]
fn what_all_requests_are_told_takes_64_mib_at_most() {
    const COUNT: usize = 1_500;
    let all = i64::try_from(Limits::default().told / COUNT).unwrap();
    for &version in Version::ALL {
        for is_read in [false, true] {
            let each = heap(version, 4, COUNT, is_read);
            let fits = each * all <= 64 << 20;
            assert!(fits, "{version}: {each} B for {COUNT}, read: {is_read}");
        }
    }
}

/// What the heap has at most while a grant is renewed to another over so many names, in bytes.
fn renewed(version: Version, count: usize, after: &Grant) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let publish = |n| {
        let path = format!("hall/{}", name(n)).parse().unwrap();
        origin.publish(&path, broadcast.consume())
    };
    let _published: Vec<_> = (0..count).map(publish).collect();
    let before = grant("").subscribe([pattern("room/**")]);
    let (mut peer, session) = runtime.block_on(enter_with(version, &origin, before));
    // It reads nothing of what comes later.
    let _listener = runtime.block_on(async {
        let listener = listen(&mut peer, "").await;
        settle().await;
        listener
    });
    let held = measure(|| {
        session.renew(after.clone()).unwrap();
        runtime.block_on(settle());
    });
    held.bytes_max
}

#[test]
fn what_a_wider_grant_allows_is_told_in_pages() {
    let rooms = || grant("").subscribe([pattern("room/**")]);
    for &version in Version::ALL {
        let until = tokio::time::Instant::now() + Duration::from_secs(600);
        let same = renewed(version, 20_000, &rooms().until(until));
        assert!(same < 64 << 10, "{version}: {same} B for nothing more");
        let wider = rooms().subscribe([pattern("hall/**")]);
        let wider = renewed(version, 20_000, &wider);
        assert!(wider < 1 << 20, "{version}: {wider} B for 2 MB of names");
    }
}
