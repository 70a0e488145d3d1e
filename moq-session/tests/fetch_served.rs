//! Groups that a peer fetches by hand.

mod common;

use std::time::Duration;

use common::fetch::{ended, for_each_fetching, read, stage, wish};
use common::scripts::{A_WHILE, enter, path, settle};
use common::{for_each_version, join};
use moq_session::testing::{self, Peer, Script, memory_pair};
use moq_session::{BroadcastProducer, Budget, Config, GroupEnd, HopId, OriginProducer, Track};
use moq_wire::code::stream::{CANCELLED, EVICTED, INTERNAL, NO_CAPACITY, NOT_FOUND, UNROUTABLE};
use moq_wire::{BiStream, Fetch};

async fn fetch(peer: &mut Peer, wish: &Fetch) -> Script {
    peer.request(BiStream::Fetch, wish).await
}

// spec: Section 3.6, "a bare run of frames in the format of section 3.8, with no header at all, ended by FIN"
#[test]
fn a_held_group_is_served_whole() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(0)).await;
        assert_eq!(stream.expect_frame().await, (100, "f0".into()));
        assert_eq!(stream.expect_frame().await, (150, "f1".into()));
        stream.expect_fin().await;
        settle().await;
        assert_eq!(live.session.outstanding().fetches, 0);
    });
}

// spec: Section 3.6, "the response stays open and grows until the group finishes"
#[test]
fn a_growing_group_is_served_as_it_grows() {
    for_each_fetching(|version| async move {
        let (mut live, mut growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(1)).await;
        assert_eq!(stream.expect_frame().await, (200, "g0".into()));
        stream.expect_silence(Duration::from_secs(30)).await;
        assert_eq!(live.session.outstanding().fetches, 1);
        growing.append_at(190, "g1").unwrap();
        assert_eq!(stream.expect_frame().await, (190, "g1".into()));
        growing.finish();
        stream.expect_fin().await;
    });
}

// spec: Section 3.6, "The first frame's timestamp is absolute even if it is not the group's first frame"
// spec: Section 5.2, "past the end of a finished group: empty group stream, empty FETCH response"
#[test]
fn frames_are_served_by_number() {
    for_each_fetching(|version| async move {
        let (mut live, mut growing) = stage(version).await;
        if !version.features().frame_bounds {
            return;
        }
        let range = |group, frame_start, frame_last| Fetch {
            frame_start,
            frame_last,
            ..wish(group)
        };
        let mut second = fetch(&mut live.peer, &range(0, 1, None)).await;
        assert_eq!(second.expect_frame().await, (150, "f1".into()));
        second.expect_fin().await;
        let mut first = fetch(&mut live.peer, &range(0, 0, Some(0))).await;
        assert_eq!(first.expect_frame().await, (100, "f0".into()));
        first.expect_fin().await;
        let mut beyond = fetch(&mut live.peer, &range(0, 2, None)).await;
        beyond.expect_fin().await;
        let mut bounded = fetch(&mut live.peer, &range(1, 1, Some(2))).await;
        bounded.expect_silence(A_WHILE).await;
        for frame in ["g1", "g2", "g3"] {
            growing.append_at(300, frame).unwrap();
        }
        assert_eq!(bounded.expect_frame().await, (300, "g1".into()));
        assert_eq!(bounded.expect_frame().await, (300, "g2".into()));
        bounded.expect_fin().await;
    });
}

// spec: Section 6.5, "inverted frame range"
#[test]
fn an_inverted_range_is_reset() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        if version.features().frame_bounds {
            let inverted = Fetch {
                frame_start: 1,
                frame_last: Some(0),
                ..wish(0)
            };
            let mut stream = fetch(&mut live.peer, &inverted).await;
            stream.expect_reset(CANCELLED).await;
            live.peer.expect_alive().await;
        }
    });
}

// spec: Section 6.5, "FETCH of a missing group or track"
#[test]
fn what_is_not_there_is_refused() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        let mut group = fetch(&mut live.peer, &wish(9)).await;
        group.expect_reset(NOT_FOUND).await;
        let other = Fetch {
            track: "other".to_owned(),
            ..wish(0)
        };
        fetch(&mut live.peer, &other)
            .await
            .expect_reset(NOT_FOUND)
            .await;
        let hall = Fetch {
            broadcast: path("hall"),
            ..wish(0)
        };
        fetch(&mut live.peer, &hall)
            .await
            .expect_reset(UNROUTABLE)
            .await;
    });
}

// spec: Section 6.5, "FETCH that cannot be completed"
#[test]
fn a_group_that_is_given_up_is_reset() {
    for_each_fetching(|version| async move {
        let (mut live, growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(1)).await;
        stream.expect_frame().await;
        growing.abort(moq_session::Abort::Application(7));
        stream.expect_reset(64 + 7).await;
    });
}

// spec: Section 3.6, "0x35 evicted while sending"
#[test]
fn a_group_that_is_evicted_is_reset() {
    for_each_fetching(|version| async move {
        let origin = OriginProducer::new();
        let broadcast = BroadcastProducer::with_budget(Budget::new(300_000));
        let track = broadcast.create(Track::new("data")).unwrap();
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
        let (mut peer, _session) = enter(version, &origin).await;
        let mut group = track.append().unwrap();
        for _ in 0..2 {
            group.append_at(0, vec![0; 100_000]).unwrap();
        }
        // More than a stream takes unread.
        let mut stream = fetch(&mut peer, &wish(0)).await;
        settle().await;
        let mut next = track.append().unwrap();
        next.append_at(0, vec![0; 200_000]).unwrap();
        stream.expect_reset(EVICTED).await;
    });
}

// spec: Section 6.2, "FIN together with TRACK or FETCH"
#[test]
fn a_request_that_is_ended_is_answered() {
    for_each_fetching(|version| async move {
        let (mut live, growing) = stage(version).await;
        for group in [0, 1] {
            let mut stream = fetch(&mut live.peer, &wish(group)).await;
            stream.finish();
            stream.expect_frame().await;
            if group == 0 {
                stream.expect_frame().await;
                stream.expect_fin().await;
            } else {
                stream.expect_silence(A_WHILE).await;
            }
        }
        drop(growing);
    });
}

// spec: Section 6.2, "RESET of the request half"
#[test]
fn a_request_that_is_taken_back_is_reset() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(1)).await;
        stream.expect_frame().await;
        stream.reset(CANCELLED);
        stream.expect_reset(CANCELLED).await;
        settle().await;
        assert_eq!(live.session.outstanding().fetches, 0);
    });
}

#[test]
fn a_stop_is_noticed_though_the_group_is_idle() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(1)).await;
        stream.expect_frame().await;
        stream.stop(INTERNAL);
        settle().await;
        assert_eq!(live.session.outstanding().fetches, 0);
    });
}

// spec: Section 3.6, "Extra bytes after the request are ignored once the answer is complete"
// spec: Section 6.5, "requester resets its half after a complete answer"
#[test]
fn what_follows_the_request_is_ignored() {
    for_each_fetching(|version| async move {
        let (mut live, _growing) = stage(version).await;
        let mut stream = fetch(&mut live.peer, &wish(0)).await;
        stream.send_bytes([9]).await;
        stream.expect_frame().await;
        stream.expect_frame().await;
        stream.expect_fin().await;
        stream.reset(CANCELLED);
        live.peer.expect_alive().await;
    });
}

#[test]
fn a_peer_may_fetch_256_groups_at_a_time() {
    for_each_fetching(|version| async move {
        let (live, _growing) = stage(version).await;
        let (client, server) = memory_pair(version);
        server.allow_bi(300);
        let mut peer = Peer::new(client, version);
        let setup = moq_wire::Setup::default();
        let accept = testing::accept(server, &live.origin);
        let (_session, ()) = tokio::join!(accept, peer.setup(&setup));
        let mut streams = Vec::new();
        for _ in 0..256 {
            let mut stream = fetch(&mut peer, &wish(1)).await;
            stream.expect_frame().await;
            streams.push(stream);
        }
        let mut refused = fetch(&mut peer, &wish(1)).await;
        refused.expect_reset(NO_CAPACITY).await;
        drop(streams.pop());
        settle().await;
        let mut stream = fetch(&mut peer, &wish(1)).await;
        stream.expect_frame().await;
    });
}

// spec: Section 6.2, "not authorised"
#[test]
fn what_the_peer_may_not_read_is_not_there() {
    for_each_fetching(|version| async move {
        let (live, _growing) = stage(version).await;
        let nothing = moq_session::Grant::new(moq_session::BroadcastPath::root());
        let (mut peer, _session) =
            common::scripts::enter_with(version, &live.origin, nothing).await;
        let mut stream = fetch(&mut peer, &wish(0)).await;
        stream.expect_reset(UNROUTABLE).await;
    });
}

// spec: Section 6.6, "Counting on FETCH below 05, Goaway below 04, or Probe below 03"
#[test]
fn a_relay_fetches_from_its_publisher_what_it_does_not_hold() {
    for_each_version(|version| async move {
        let origin = OriginProducer::with(HopId(1), Budget::default());
        let publisher = join(version, Config::default(), &origin).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let _publication = publisher.0.publish("room", broadcast.consume()).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut old = track.append().unwrap();
        old.append_at(5, "a").unwrap();
        old.append_at(7, "b").unwrap();
        old.finish();

        let viewer = join(version, Config::default(), &origin).await;
        let wish = moq_session::Fetch::new(0);
        let fetched = viewer.0.fetch("room", "data", wish).await;
        if !version.features().fetch {
            assert!(matches!(
                fetched,
                Err(moq_session::FetchError::NotInVersion(_))
            ));
            return;
        }
        let whole = ended(&["a", "b"], GroupEnd::Finished);
        assert_eq!(read(&mut fetched.unwrap()).await, whole);
        let part = wish.with_first_frame(1).with_end_frame(2);
        let mut part = viewer.0.fetch("room", "data", part).await.unwrap();
        assert_eq!(read(&mut part).await, ended(&["b"], GroupEnd::Finished));
        let missing = moq_session::Fetch::new(4);
        let mut missing = viewer.0.fetch("room", "data", missing).await.unwrap();
        let none = GroupEnd::Aborted(moq_session::Abort::NotFound);
        assert_eq!(read(&mut missing).await, ended(&[], none));
    });
}
