//! What a publisher may make this end hold: one less, as much, one more, and a hundred times as much.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::announce::Teller;
use common::limits::{around, enter, reached};
use common::scripts::{A_WHILE, Fed, accept_track, header, settle};
use common::{for_each_version, for_each_with};
use moq_session::testing::Peer;
use moq_session::{
    Config, GroupEnd, Limit, Limits, OriginProducer, Rate, Start, Subscription, Version,
};
use moq_wire::code::stream::{GROUP_TOO_LARGE, NO_CAPACITY};
use moq_wire::{
    AnnounceEvent, BiStream, Datagram, Encode, FrameEncoder, GroupSequence, HopId, SubscribeId,
};

/// As `fed`, where this end takes so much.
async fn fed(version: Version, limits: Limits) -> Fed {
    let config = Config::default().with_limits(limits);
    let (session, mut peer) = Peer::server_of(version, config).await;
    let track = session.track("room", "data").unwrap();
    let reader = track.subscribe(Subscription::default().with_start(Start::OLDEST));
    let (id, control) = accept_track(&mut peer).await;
    Fed {
        session,
        peer,
        reader,
        id,
        control,
    }
}

/// The header of a frame of so many bytes.
fn frame_header(version: Version, len: usize) -> BytesMut {
    let mut buf = BytesMut::new();
    let mut encoder = FrameEncoder::new(version);
    encoder.header(0, len, &mut buf).unwrap();
    buf
}

#[test]
fn frames_on_their_way_are_bounded_together() {
    for_each_version(|version| async move {
        for (bytes, is_over) in around(100) {
            let mut limits = Limits::default();
            limits.buffered = 100;
            // What is too much for this end is no violation.
            limits.strikes = Rate::new(0, Duration::from_secs(10));
            let mut fed = fed(version, limits).await;
            let mut streams = Vec::new();
            // Two frames that want more than is allowed, of which not too much comes.
            for (sequence, part) in [(0, 60), (1, bytes - 60)] {
                let mut stream = fed.peer.group(&header(fed.id, sequence)).await;
                stream.send_bytes(frame_header(version, 100_000)).await;
                settle().await;
                stream.send_bytes(vec![7; part as usize]).await;
                settle().await;
                streams.push(stream);
            }
            if is_over {
                streams.pop().unwrap().expect_stop(NO_CAPACITY).await;
            }
            reached(&fed.session, Limit::Buffered, u64::from(is_over));
            // What one has let go of another may hold.
            drop(streams);
            settle().await;
            let mut stream = fed.peer.group(&header(fed.id, 2)).await;
            stream.send_bytes(frame_header(version, 100)).await;
            settle().await;
            stream.send_bytes([7; 99]).await;
            settle().await;
            stream.send_bytes([7]).await;
            stream.finish();
            settle().await;
            reached(&fed.session, Limit::Buffered, u64::from(is_over));
        }
    });
}

#[test]
fn so_many_groups_are_taken_in_at_one_time() {
    for_each_version(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.uni_streams = 3;
            let mut fed = fed(version, limits).await;
            settle().await;
            let mut streams = Vec::new();
            // There is credit for hardly more, as long as those before are open.
            let count = count.min(100);
            for sequence in 0..count {
                let mut stream = fed.peer.group(&header(fed.id, sequence)).await;
                stream.send_bytes(frame_header(version, 0)).await;
                settle().await;
                streams.push(stream);
            }
            for _ in 0..count.min(3) {
                fed.group().await;
            }
            let more = tokio::time::timeout(A_WHILE, fed.group()).await;
            assert!(more.is_err(), "there is no place for a fourth");
            reached(&fed.session, Limit::UniStreams, u64::from(is_over));
            if is_over {
                streams.remove(0).finish();
                assert_eq!(fed.group().await.sequence(), 3);
            }
        }
    });
}

#[test]
fn a_stream_that_has_said_its_type_does_not_wait_for_those_that_have_not() {
    for_each_version(|version| async move {
        let mut limits = Limits::default();
        limits.headerless = 1;
        let mut fed = fed(version, limits).await;
        settle().await;
        let mut kind = BytesMut::new();
        moq_wire::varint::put(300, &mut kind, version).unwrap();
        let mut silent = fed.peer.open_raw_uni().await;
        silent.send_bytes(kind.split_to(1)).await;
        settle().await;
        let mut stream = fed.peer.group(&header(fed.id, 0)).await;
        stream.finish();
        assert_eq!(fed.group().await.sequence(), 0);
        reached(&fed.session, Limit::Headerless, 0);
    });
}

#[test]
fn a_group_has_so_many_frames() {
    for_each_version(|version| async move {
        for (count, is_over) in around(8_192) {
            let mut fed = fed(version, Limits::default()).await;
            let mut stream = fed.peer.group(&header(fed.id, 0)).await;
            let mut frames = BytesMut::new();
            let mut encoder = FrameEncoder::new(version);
            for _ in 0..count {
                encoder.header(0, 0, &mut frames).unwrap();
            }
            let is_taken = stream.try_send_bytes(frames).await.is_ok();
            assert!(is_taken || is_over);
            if is_over {
                stream.expect_stop(GROUP_TOO_LARGE).await;
            } else {
                stream.finish();
            }
            let (_, frames, end) = fed.read().await;
            assert_eq!(frames.len() as u64, count.min(8_192));
            assert_eq!(end == GroupEnd::Finished, !is_over, "{end:?}");
            reached(&fed.session, Limit::Group, u64::from(is_over));
        }
    });
}

#[test]
fn a_datagram_is_bounded_either_way() {
    for_each_with(
        |features| features.datagrams,
        |version| async move {
            for (len, is_over) in around(16) {
                let mut limits = Limits::default();
                limits.datagram = 16;
                let mut fed = fed(version, limits).await;
                let mut datagram = Datagram {
                    subscribe_id: SubscribeId(fed.id),
                    sequence: GroupSequence(0),
                    timestamp: 0,
                    payload: Bytes::new(),
                };
                let mut whole = BytesMut::new();
                datagram.encode(&mut whole, version).unwrap();
                datagram.payload = vec![b'x'; len as usize - whole.len()].into();
                fed.peer.send_datagram(&datagram);
                datagram.sequence = GroupSequence(1);
                datagram.payload = Bytes::from_static(b"next");
                fed.peer.send_datagram(&datagram);
                settle().await;
                reached(&fed.session, Limit::Datagram, u64::from(is_over));
                let first = fed.group().await.sequence();
                let second = if is_over {
                    first
                } else {
                    fed.group().await.sequence()
                };
                assert_eq!(
                    (first.max(second), first.min(second)),
                    (1, u64::from(is_over))
                );
                assert!(fed.session.is_open());
            }
        },
    );
}

#[test]
fn a_route_has_so_many_hops() {
    for_each_with(
        |features| features.hops.has_ids(),
        |version| async move {
            for (count, is_over) in around(32) {
                let origin = OriginProducer::new();
                let (mut peer, session) = enter(version, &origin, Limits::default()).await;
                let stream = peer.expect_bi(BiStream::Announce).await;
                let mut teller = Teller::new(stream, 99, 0).await;
                if is_over {
                    let chain: Vec<_> = (1..=count).collect();
                    let message = common::heard::raw_start(version, "a", &chain);
                    teller.stream.send_bytes(message).await;
                    peer.expect_close(moq_wire::code::session::PROTOCOL_VIOLATION)
                        .await;
                } else {
                    let route = moq_wire::Route {
                        hops: (1..=count).map(HopId).collect(),
                        ..moq_wire::Route::default()
                    };
                    let suffix = common::scripts::path("a");
                    teller.tell(&AnnounceEvent::Start { suffix, route }).await;
                    peer.expect_alive().await;
                }
                reached(&session, Limit::Hops, u64::from(is_over));
            }
        },
    );
}
