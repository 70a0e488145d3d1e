//! Requests for announcements: how many, and what they may take.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::{Listener, listen};
use common::for_each_version;
use common::limits::{around, beyond_three, enter, is_late, reached, three_at_once};
use common::scripts::{announce_request, settle};
use common::told::{end, fill, long_name as name, publish};
use moq_session::{Limit, Limits, OriginProducer};
use moq_wire::code::stream::{CANCELLED, NO_CAPACITY};
use moq_wire::{AnnounceEvent, AnnounceOk, BiStream};

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
