//! What a peer is told of the broadcasts here.

mod common;

use common::announce::{Listener, listen, listen_with, tell};
use common::scripts::{A_WHILE, announce_request, enter, enter_as, path, settle, subscribe};
use common::told::{end, own, publish, told};
use common::{finished, for_each_version};
use moq_model::session::Source;
use moq_model::{HopId, Route};
use moq_session::{BroadcastPath, OriginProducer};
use moq_wire::code::stream::{CANCELLED, MALFORMED_TRACK, UNROUTABLE};
use moq_wire::{AnnounceEvent, AnnounceOk, BiStream, Setup};

// spec: Section 3.3, "The publisher sends the current set at once and then every change"
#[test]
fn the_set_comes_first_with_its_count_then_the_changes() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let alice = publish(&origin, "room/alice");
        let _bob = publish(&origin, "room/bob");
        let (mut peer, _session) = enter(version, &origin).await;
        let request = announce_request("room");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        if version.features().announce_ok {
            let ok: AnnounceOk = stream.expect().await;
            assert_eq!((ok.hop.0, ok.active), (origin.hop().0, 2));
        }
        let mut listener = Listener::new(stream);
        for name in ["alice", "bob"] {
            assert_eq!(listener.event().await, own(&origin, version, name));
        }
        let _carol = publish(&origin, "room/carol");
        assert_eq!(listener.event().await, own(&origin, version, "carol"));
        drop(alice);
        assert_eq!(listener.event().await, end("alice"));
        let _again = publish(&origin, "room/alice");
        assert_eq!(listener.event().await, own(&origin, version, "alice"));
        listener.expect_silence(A_WHILE).await;
    });
}

#[test]
fn ids_count_the_announcements_of_a_stream() {
    for_each_version(|version| async move {
        if !version.features().typed_announce {
            return;
        }
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut stream = listen(&mut peer, "").await.stream;
        let (a, b) = (publish(&origin, "a"), publish(&origin, "b"));
        let start = |name| match version.features().announce_compression {
            true => vec![0, 9, 0, 0, 1, name, 0, 0, 0, 0, 0],
            false => vec![0, 5, 1, name, 0, 0, 0],
        };
        stream.expect_bytes(&start(b'a')).await;
        stream.expect_bytes(&start(b'b')).await;
        drop(a);
        stream.expect_bytes(&[1, 1, 0]).await;
        let _a = publish(&origin, "a");
        stream.expect_bytes(&start(b'a')).await;
        drop(b);
        stream.expect_bytes(&[1, 1, 1]).await;
    });
}

// spec: Section 3.3, "an empty set is an open stream without a single byte"
#[test]
fn an_empty_set_is_an_open_stream() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        let request = announce_request("nowhere");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        if version.features().announce_ok {
            assert_eq!(stream.expect::<AnnounceOk>().await.active, 0);
        }
        if version.features().announce_init {
            stream.expect_bytes(&[1, 0]).await;
        }
        stream.expect_silence(A_WHILE).await;
    });
}

// spec: Section 3.3, "A changed route is, on 05, a second `active` for a path that is already active"
#[test]
fn a_better_route_replaces_the_one_that_was_told() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "").await;
        let announce = |hops: &[u64], cost| {
            let route = Route {
                hops: hops.iter().map(|&hop| HopId(hop)).collect(),
                warm_cost: cost,
                cold_cost: cost,
            };
            let source = Source::Broadcast(finished(&[]).consume());
            origin.announce(&BroadcastPath::root(), route, source, None)
        };
        let _far = announce(&[3, 4], 9);
        assert!(matches!(
            listener.event().await,
            AnnounceEvent::Start { .. }
        ));
        let near = announce(&[3], 2);
        let expected = if version.features().typed_announce {
            Some(2)
        } else {
            let features = version.features();
            (features.announce_replace && features.hops.has_count()).then_some(0)
        };
        if let Some(cost) = expected {
            let AnnounceEvent::Update { suffix, route } = listener.event().await else {
                panic!("an update");
            };
            assert_eq!((suffix, route.warm_cost), (path(""), cost));
            assert_eq!(route.hops, [moq_wire::HopId(3)]);
        }
        listener.expect_silence(A_WHILE).await;
        drop(near);
        if expected.is_some() {
            assert!(matches!(
                listener.event().await,
                AnnounceEvent::Update { .. }
            ));
        }
        listener.expect_silence(A_WHILE).await;
    });
}

// spec: Section 4.5, "A publisher that restarts should appear as END then START, or UPDATE with another first hop"
#[test]
fn a_route_of_another_publisher_is_told_as_an_update_or_as_an_end_and_a_start() {
    for_each_version(|version| async move {
        let features = version.features();
        let has_updates = features.announce_ok;
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "").await;
        let announce = |hops: &[u64], cost| {
            let route = Route {
                hops: hops.iter().map(|&hop| HopId(hop)).collect(),
                warm_cost: cost,
                cold_cost: cost,
            };
            let source = Source::Broadcast(finished(&[]).consume());
            origin.announce(&"room".parse().unwrap(), route, source, None)
        };
        let expect = async |listener: &mut Listener, is_first: bool, hops: &[u64]| {
            let expected = told(&origin, version, "room", hops);
            if !is_first && !has_updates {
                assert_eq!(listener.event().await, end("room"));
            }
            let (AnnounceEvent::Start { suffix, route } | AnnounceEvent::Update { suffix, route }) =
                listener.event().await
            else {
                panic!("a route");
            };
            let AnnounceEvent::Start {
                suffix: wanted,
                route: chain,
            } = expected
            else {
                panic!("a start");
            };
            assert_eq!((suffix, route.hops), (wanted, chain.hops));
        };
        let _far = announce(&[3, 4], 9);
        expect(&mut listener, true, &[3, 4]).await;
        let near = announce(&[5], 2);
        expect(&mut listener, false, &[5]).await;
        drop(near);
        expect(&mut listener, false, &[3, 4]).await;
        listener.expect_silence(A_WHILE).await;
    });
}

#[test]
fn a_route_without_room_for_the_peer_is_withheld_until_there_is_a_shorter_one() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "").await;
        let announce = |len: u64| {
            let route = Route {
                hops: (1..=len).map(HopId).collect(),
                ..Route::default()
            };
            let source = Source::Broadcast(finished(&[]).consume());
            origin.announce(&"room".parse().unwrap(), route, source, None)
        };
        let _full = announce(32);
        listener.expect_silence(A_WHILE).await;
        let short = announce(2);
        let started = told(&origin, version, "room", &[1, 2]);
        assert_eq!(listener.event().await, started);
        drop(short);
        assert_eq!(listener.event().await, end("room"));
        let _short = announce(2);
        assert_eq!(listener.event().await, started);
    });
}

// spec: Section 4.3, "Split horizon"
#[test]
fn a_route_is_not_told_where_it_came_from() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let hop = |hop| Setup {
            hop: Some(moq_wire::HopId(hop)),
            ..Setup::default()
        };
        let (mut alice, _a) = enter_as(version, &origin, &hop(11)).await;
        let (mut bob, _b) = enter_as(version, &origin, &hop(12)).await;
        let mut announce = alice.expect_bi(BiStream::Announce).await;
        tell(&mut announce, 11, &["room"]).await;
        settle().await;

        let mut back = listen(&mut alice, "").await;
        back.expect_silence(A_WHILE).await;
        let wish = subscribe(version, 0, "room", "data");
        let mut refused = alice.request(BiStream::Subscribe, &wish).await;
        refused.expect_reset(UNROUTABLE).await;

        let mut onward = listen(&mut bob, "").await;
        let AnnounceEvent::Start { suffix, route } = onward.event().await else {
            panic!("a start");
        };
        assert_eq!(suffix, path("room"));
        // Where hops have no names, a name for the first session comes before the peer.
        let features = version.features();
        let first = [11, 0][..]
            .get(usize::from(!features.hops.has_ids()))
            .copied();
        let first = first
            .filter(|_| features.hops.has_count())
            .map(moq_wire::HopId);
        assert_eq!(route.hops.first().copied(), first);

        // A second session of the first peer is known by the hop it declares.
        let (mut again, _c) = enter_as(version, &origin, &hop(11)).await;
        let mut request = announce_request("");
        request.exclude_hop = moq_wire::HopId(11);
        let mut back = listen_with(&mut again, &request).await;
        if features.hops.has_ids() {
            back.expect_silence(A_WHILE).await;
        } else {
            assert_eq!(back.event().await.suffix(), &path("room"));
        }
    });
}

// spec: Section 4.3, "for announcements on 04 and 05 the exclude hop of that Announce stream, on 06+ the SETUP Hop"
#[test]
fn the_hop_of_the_request_counts_where_the_draft_has_one() {
    for_each_version(|version| async move {
        let features = version.features();
        if !features.announce_ok {
            return;
        }
        let origin = OriginProducer::new();
        let mut route = Route::local();
        route.hops = vec![HopId(77)];
        let broadcast = Source::Broadcast(finished(&[]).consume());
        let path = BroadcastPath::new("via").unwrap();
        let _publication = origin.announce(&path, route, broadcast, None);
        for (declared, excluded) in [(77, 0), (5, 77)] {
            let setup = Setup {
                hop: Some(moq_wire::HopId(declared)),
                ..Setup::default()
            };
            let (mut peer, _session) = enter_as(version, &origin, &setup).await;
            let mut request = announce_request("");
            request.exclude_hop = moq_wire::HopId(excluded);
            let mut stream = peer.request(BiStream::Announce, &request).await;
            let through = if features.exclude_hop {
                excluded
            } else {
                declared
            };
            let expected = u64::from(through != 77);
            assert_eq!(stream.expect::<AnnounceOk>().await.active, expected);
        }
    });
}

// spec: Section 3.3, "the subscriber FINs (or resets) to unsubscribe; the deployed publisher answers with RESET 1"
#[test]
fn who_has_heard_enough_is_reset() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        for is_reset in [false, true] {
            let mut stream = listen(&mut peer, "").await.stream;
            if is_reset {
                stream.reset(CANCELLED);
            } else {
                stream.finish();
            }
            stream.expect_reset(CANCELLED).await;
        }
        // spec: Section 6.2, "FIN together with SUBSCRIBE or ANNOUNCE_REQUEST"
        let request = announce_request("");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        stream.finish();
        stream.expect_reset(CANCELLED).await;
        peer.expect_alive().await;
    });
}

// spec: Section 6.3, "as a publisher: second message on the stream"
#[test]
fn a_second_message_is_malformed() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        let mut stream = listen(&mut peer, "").await.stream;
        stream.send(&announce_request("x")).await;
        stream.expect_reset(MALFORMED_TRACK).await;
        let request = announce_request("");
        let mut stream = peer.request(BiStream::Announce, &request).await;
        stream.send(&request).await;
        stream.expect_reset(MALFORMED_TRACK).await;
        peer.expect_alive().await;
    });
}
