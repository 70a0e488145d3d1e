//! What is made of a peer's announcements.

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::for_each_version;
use common::heard::{PEER, assert_hops, heard, own, raw_start};
use common::scripts::{announce_request, asked, carried, hops, path, settle, start};
use moq_session::testing::Peer;
use moq_session::{AnnouncedEvent, HopId, Limit, OriginProducer};
use moq_wire::code::stream::CANCELLED;
use moq_wire::{AnnounceEvent, AnnounceRequest, BiStream};

// spec: Section 3.3, "The count tells a subscriber when it knows the whole set"
#[test]
fn the_set_is_complete_when_the_peer_says_so() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 2).await;
        let before = tokio::time::Instant::now();
        for name in ["a", "b"] {
            heard.teller.tell(&own(version, name)).await;
        }
        for name in ["a", "b"] {
            let AnnouncedEvent::Start(path, route) = heard.next().await else {
                panic!("a start");
            };
            assert_eq!(path.as_str(), name);
            assert_hops(version, &route.hops, &[PEER]);
            let cost = u64::from(version.features().typed_announce);
            assert_eq!(route.warm_cost, cost, "the price of the link is added");
        }
        assert_eq!(heard.next().await, AnnouncedEvent::Live);
        let features = version.features();
        if features.announce_ok || features.announce_init {
            assert_eq!(before.elapsed(), Duration::ZERO);
        }
    });
}

#[test]
fn a_set_that_stays_incomplete_is_taken_for_complete_in_the_end() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 9).await;
        if version.features().announce_init {
            let part = [28, 9, 1, b'a', 1];
            heard.teller.stream.send_bytes(part).await;
        } else {
            heard.teller.tell(&own(version, "a")).await;
        }
        assert_eq!(heard.started().await, "a");
        assert_eq!(heard.next().await, AnnouncedEvent::Live);
    });
}

#[test]
fn the_request_leaves_out_what_leads_through_here() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (_session, mut peer) = asked(version, &origin).await;
        let (request, _stream): (AnnounceRequest, _) =
            peer.expect_request(BiStream::Announce).await;
        let mut expected = announce_request("");
        expected.include_hidden = version.features().include_hidden;
        if version.features().exclude_hop {
            expected.exclude_hop = moq_wire::HopId(origin.hop().0);
        }
        assert_eq!(request, expected);
    });
}

#[test]
fn an_end_retracts_and_the_path_may_come_again() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 0).await;
        for _ in 0..2 {
            heard.teller.tell(&own(version, "a")).await;
            assert_eq!(heard.started().await, "a");
            let suffix = path("a");
            heard.teller.tell(&AnnounceEvent::End { suffix }).await;
            assert_eq!(heard.ended().await, "a");
        }
    });
}

// spec: Section 6.3, "own hop in the chain"
// spec: Section 4.3, "one that finds the sender's own id (ANNOUNCE_OK) already in the received list"
#[test]
fn a_route_in_a_circle_is_dropped_and_keeps_its_id() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 0).await;
        let own_hop = heard.origin.hop().0;
        heard.teller.tell(&start("circle", &[5, own_hop])).await;
        if !version.features().hops.has_ids() {
            // Nobody can be recognised.
            assert_eq!(heard.started().await, "circle");
            return;
        }
        heard.teller.tell(&own(version, "a")).await;
        assert_eq!(heard.started().await, "a");
        if version.features().announce_ok {
            heard.teller.tell(&start("back", &[PEER, 5])).await;
        }
        heard.expect_nothing().await;
        let suffix = path("circle");
        heard.teller.tell(&AnnounceEvent::End { suffix }).await;
        let suffix = path("a");
        heard.teller.tell(&AnnounceEvent::End { suffix }).await;
        assert_eq!(heard.ended().await, "a");
        assert!(heard.session.is_open());
    });
}

// spec: Section 4.3, "an UPDATE may make the route usable"
#[test]
fn an_update_may_make_a_route_usable_and_useless() {
    for_each_version(|version| async move {
        let features = version.features();
        if !features.typed_announce && !features.announce_replace {
            return;
        }
        let mut heard = heard(version, 0).await;
        let own_hop = heard.origin.hop().0;
        let update = |chain: &[u64]| match start("a", chain) {
            AnnounceEvent::Start { suffix, route } => AnnounceEvent::Update { suffix, route },
            other => other,
        };
        if !features.hops.has_ids() {
            // It says nothing of the route, so it changes nothing.
            heard.teller.tell(&own(version, "a")).await;
            assert_eq!(heard.started().await, "a");
            heard.teller.tell(&update(&[])).await;
            heard.expect_nothing().await;
            let suffix = path("a");
            heard.teller.tell(&AnnounceEvent::End { suffix }).await;
            assert_eq!(heard.ended().await, "a");
            return;
        }
        heard.teller.tell(&start("a", &[own_hop])).await;
        heard.expect_nothing().await;
        heard.teller.tell(&update(&[5])).await;
        assert_eq!(heard.started().await, "a");
        heard.teller.tell(&update(&[6])).await;
        let AnnouncedEvent::Update(_, route) = heard.next().await else {
            panic!("an update");
        };
        assert_eq!(route.hops, hops(&[6, PEER]));
        heard.teller.tell(&update(&[own_hop])).await;
        assert_eq!(heard.ended().await, "a");
    });
}

// spec: Section 6.3, "chain full"
#[test]
fn a_full_chain_is_dropped_where_the_sender_is_still_to_be_added() {
    for_each_version(|version| async move {
        let features = version.features();
        if !features.hops.has_count() {
            return;
        }
        let mut heard = heard(version, 0).await;
        let long: Vec<u64> = (101..=132).collect();
        let message = raw_start(version, "full", &long);
        heard.teller.stream.send_bytes(message).await;
        // Where hops have no names, that of the session is still to be added, too.
        if features.sender_in_chain && features.hops.has_ids() {
            assert_eq!(heard.started().await, "full");
        } else {
            heard.expect_nothing().await;
        }
        assert!(heard.session.is_open());
    });
}

// spec: Section 4.3, "Zero: the anonymous hop"
#[test]
fn an_anonymous_publisher_is_given_a_name_that_lasts() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 0).await;
        let message = raw_start(version, "a", &[0, 0]);
        heard.teller.stream.send_bytes(message).await;
        let mut stamps = Vec::new();
        loop {
            if let AnnouncedEvent::Start(_, route) = heard.next().await {
                let anonymous = carried(version, &[0, 0]).len().max(1);
                assert_eq!(route.hops[1..=anonymous], vec![HopId::ANONYMOUS; anonymous]);
                stamps.push(route.hops[0]);
                if stamps.len() == 2 {
                    break;
                }
                heard.teller.stream.reset(CANCELLED);
                let stream = heard.peer.expect_bi(BiStream::Announce).await;
                heard.teller = Teller::new(stream, PEER, 0).await;
                let message = raw_start(version, "a", &[0, 0]);
                heard.teller.stream.send_bytes(message).await;
            }
        }
        assert_eq!(stamps[0], stamps[1]);
        assert!(!stamps[0].is_anonymous());
    });
}

// spec: Section 6.3, "FIN from the publisher"
#[test]
fn the_end_of_the_stream_retracts_everything() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 0).await;
        heard.teller.tell(&own(version, "a")).await;
        assert_eq!(heard.started().await, "a");
        heard.teller.stream.finish();
        assert_eq!(heard.ended().await, "a");
        heard.teller.stream.expect_fin().await;
        let wait = Duration::from_secs(40);
        heard.peer.expect_no_bi(BiStream::Announce, wait).await;
        assert!(heard.session.is_open());
    });
}

// spec: Section 6.3, "RESET from the publisher"
#[test]
fn a_reset_retracts_everything_and_the_peer_is_asked_again() {
    for_each_version(|version| async move {
        let mut heard = heard(version, 0).await;
        for _ in 0..3 {
            heard.teller.tell(&own(version, "a")).await;
            assert_eq!(heard.started().await, "a");
            let before = tokio::time::Instant::now();
            heard.teller.stream.reset(CANCELLED);
            assert_eq!(heard.ended().await, "a");
            let stream = heard.peer.expect_bi(BiStream::Announce).await;
            assert!(before.elapsed() >= Duration::from_millis(500));
            heard.teller = Teller::new(stream, PEER, 0).await;
        }
        assert!(heard.session.is_open());
    });
}

#[test]
fn a_peer_that_takes_no_request_for_announcements_keeps_nobody_waiting() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        settle().await;
        peer.allow_bytes(0);
        let mut announced = session.announced("").unwrap();
        let live = tokio::time::timeout(Duration::from_secs(11), announced.next());
        assert_eq!(live.await.expect("in time"), AnnouncedEvent::Live);
        assert_eq!(session.reached(Limit::WriteTime), 1);
        drop(peer.expect_raw_bi().await);
        // It is asked again.
        peer.allow_bytes(1_000);
        let mut stream = peer.expect_bi(BiStream::Announce).await;
        common::announce::tell(&mut stream, PEER, &["room"]).await;
        let found = announced.next().await;
        assert!(matches!(found, AnnouncedEvent::Start(..)), "{found:?}");
    });
}
