//! Requests for announcements: how many, and what they may take.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use allocation_counter::measure;
use common::announce::{Listener, listen};
use common::limits::{around, beyond_three, enter, is_late, reached, three_at_once};
use common::scripts::{announce_request, enter_with, grant, pattern, settle};
use common::told::{end, publish};
use common::{for_each_version, for_each_with};
use moq_session::{BroadcastProducer, Grant, Limit, Limits, OriginProducer, Publication, Version};
use moq_wire::code::stream::{CANCELLED, NO_CAPACITY};
use moq_wire::{AnnounceEvent, AnnounceOk, BiStream};

/// Names that are longer together than what may be in flight.
fn name(n: usize) -> String {
    format!("{n:05}{}", "x".repeat(95))
}

fn fill(origin: &OriginProducer, count: usize) -> Vec<Publication> {
    (0..count).map(|n| publish(origin, &name(n))).collect()
}

#[test]
fn so_many_are_answered() {
    for_each_version(|version| async move {
        for (count, _) in around(3) {
            let mut limits = Limits::default();
            limits.announce_requests = 3;
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut answered = Vec::new();
            for _ in 0..count {
                let request = announce_request("");
                let mut stream = peer.request(BiStream::Announce, &request).await;
                match answered.len() {
                    3 => stream.expect_reset(NO_CAPACITY).await,
                    _ => answered.push(stream),
                }
                settle().await;
            }
            let refused = count.saturating_sub(3);
            assert_eq!(session.reached(Limit::AnnounceRequests), refused);
            // One that ends makes room for another.
            if let Some(mut stream) = answered.pop() {
                stream.finish();
                stream.expect_reset(CANCELLED).await;
                listen(&mut peer, "").await;
            }
            assert!(session.is_open());
        }
    });
}

#[test]
fn the_set_is_whole_over_many_pages_and_its_count_is_kept() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let mut published = fill(&origin, 2_000);
        let (mut peer, _session) = enter(version, &origin, Limits::default()).await;
        let request = announce_request("");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        // The beginning is on its way, and the rest has to wait for it to be read.
        settle().await;
        drop(published.pop());
        drop(published.remove(1));
        let _late = publish(&origin, "00000");
        let features = version.features();
        let mut counted = None;
        if features.announce_ok {
            counted = Some(stream.expect::<AnnounceOk>().await.active);
        }
        let mut listener = Listener::new(stream);
        let (mut starts, mut ends, mut all) = (Vec::new(), Vec::new(), Vec::new());
        // One that is gone before it was told comes only where it was counted.
        let is_counted = features.announce_ok || features.announce_init;
        for _ in 0..if is_counted { 2_003 } else { 2_001 } {
            let event = listener.event().await;
            all.push(event.suffix().as_str().to_owned());
            match event {
                AnnounceEvent::End { suffix } => ends.push(suffix),
                event => starts.push(event.suffix().clone()),
            }
        }
        listener.expect_silence(Duration::from_secs(1)).await;
        if let Some(counted) = counted {
            assert_eq!(counted, 2_000);
        }
        if is_counted {
            let expected: Vec<_> = (0..2_000).map(name).collect();
            assert_eq!(all[..2_000], expected, "all that were counted, in order");
            assert_eq!(ends.len(), 2, "what is gone is told as gone");
        }
        assert!(all[1_000..].contains(&"00000".to_owned()));
        let live: Vec<_> = starts.iter().filter(|path| !ends.contains(path)).collect();
        assert_eq!(live.len(), 1_999);
    });
}

#[test]
fn a_peer_that_reads_nothing_may_end_its_request() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _published = fill(&origin, 2_000);
        let mut limits = Limits::default();
        limits.announce_requests = 1;
        let (mut peer, session) = enter(version, &origin, limits).await;
        for n in 0..4 {
            let request = announce_request("");
            let mut stream = peer.request(BiStream::Announce, &request).await;
            settle().await;
            match n % 2 {
                0 => stream.finish(),
                _ => stream.reset(CANCELLED),
            }
            settle().await;
            stream.expect_reset(CANCELLED).await;
        }
        reached(&session, Limit::AnnounceRequests, 0);
    });
}

#[test]
fn a_peer_that_reads_nothing_is_told_the_last_of_many_changes() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let published = fill(&origin, 1_000);
        let (mut peer, _session) = enter(version, &origin, Limits::default()).await;
        let request = announce_request("");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        settle().await;
        for _ in 0..1_000 {
            drop(publish(&origin, "flapping"));
            settle().await;
        }
        drop(published);
        settle().await;
        if version.features().announce_ok {
            let _: AnnounceOk = stream.expect().await;
        }
        let mut listener = Listener::new(stream);
        let mut live = 0_i32;
        let mut events = 0;
        loop {
            let event = listener.event().await;
            events += 1;
            live += if matches!(event, AnnounceEvent::End { .. }) {
                -1
            } else {
                1
            };
            if live == 0 {
                break;
            }
        }
        assert!(events <= 2_000, "{events}");
        let _last = publish(&origin, "flapping");
        let AnnounceEvent::Start { .. } = listener.event().await else {
            panic!("a start");
        };
        drop(_last);
        assert_eq!(listener.event().await, end("flapping"));
    });
}

#[test]
fn requests_that_end_at_once_make_the_next_one_wait() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.resets = three_at_once();
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            for _ in 0..count {
                let request = announce_request("");
                let mut stream = peer.request(BiStream::Announce, &request).await;
                stream.finish();
                stream.expect_reset(CANCELLED).await;
            }
            assert_eq!(is_late(&mut peer).await, is_over);
            reached(&session, Limit::Resets, beyond_three(count));
        }
    });
}

#[test]
fn requests_that_are_reset_count_once_and_those_that_last_not_at_all() {
    for_each_version(|version| async move {
        for (count, wait, reached_so_often) in [(3, 0, 0), (4, 0, 1), (40, 11, 0)] {
            let mut limits = Limits::default();
            limits.resets = three_at_once();
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            let mut listeners = Vec::new();
            for _ in 0..count {
                listeners.push(listen(&mut peer, "").await);
            }
            tokio::time::sleep(Duration::from_secs(wait)).await;
            for (n, listener) in listeners.iter_mut().enumerate() {
                match n % 2 {
                    0 => listener.stream.reset(CANCELLED),
                    _ => listener.stream.finish(),
                }
            }
            settle().await;
            peer.expect_alive().await;
            reached(&session, Limit::Resets, reached_so_often);
        }
    });
}

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
