//! Groups of one frame without a stream.

mod common;

use common::ends::{begun, heard_over, over};
use common::live::live;
use common::scripts::{A_WHILE, accept_track, enter, settle, subscribe};
use common::{for_each_version, for_each_with};
use moq_session::{OriginProducer, Version};
use moq_wire::{BiStream, Datagram, GroupSequence, SubscribeId, UniStream};

fn for_each_with_datagrams<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.datagrams, test);
}

fn datagram(id: u64, sequence: u64, timestamp: u64, payload: &'static str) -> Datagram {
    Datagram {
        subscribe_id: SubscribeId(id),
        sequence: GroupSequence(sequence),
        timestamp,
        payload: payload.into(),
    }
}

// spec: Section 3.9, "only if header plus payload fit the transport's current datagram size"
// spec: Section 3.9, "A datagram group produces no SUBSCRIBE_START, but END counts it"
#[test]
fn a_frame_that_fits_is_sent_once_and_counts() {
    for_each_with_datagrams(|version| async move {
        let mut live = live(version).await;
        let mut control = live.subscribe(&subscribe(version, 3, "room", "data")).await;
        settle().await;
        live.track.append_datagram(0, "first").unwrap();
        live.track.append_datagram(20, "").unwrap();
        // The header takes three bytes of the 1200 that the connection carries.
        live.track.append_datagram(21, vec![0; 1_198]).unwrap();
        live.track.append_datagram(22, vec![7; 1_197]).unwrap();
        live.track.append_datagram(23, vec![0; 70_000]).unwrap();
        let peer = &mut live.peer;
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push(peer.expect_datagram::<Datagram>().await);
        }
        // Groups that wait are taken newest first, and these waited together.
        got.sort_by_key(|datagram| datagram.sequence.0);
        assert_eq!(got[0], datagram(3, 0, 0, "first"));
        assert_eq!(got[1], datagram(3, 1, 20, ""));
        assert_eq!((got[2].sequence.0, got[2].payload.len()), (3, 1_197));
        control.expect_silence(A_WHILE).await;
        peer.expect_no_uni(UniStream::Group, A_WHILE).await;
        live.track.finish();
        assert_eq!(control.expect_response().await, heard_over(version, 5, 0));
        control.expect_fin().await;
    });
}

#[test]
fn streams_and_datagrams_share_a_track() {
    for_each_with_datagrams(|version| async move {
        let mut live = live(version).await;
        let mut control = live.subscribe(&subscribe(version, 3, "room", "data")).await;
        settle().await;
        live.group(1);
        live.expect_groups([0]).await;
        live.track.append_datagram(2, "a").unwrap();
        let got: Datagram = live.peer.expect_datagram().await;
        assert_eq!(got, datagram(3, 1, 2, "a"));
        live.group(3);
        live.expect_groups([2]).await;
        live.track.finish();
        assert_eq!(control.expect_response().await, begun(0));
        assert_eq!(control.expect_response().await, heard_over(version, 3, 2));
    });
}

// spec: Section 3.9, "there is no retransmission and no fallback to a stream"
#[test]
fn a_draft_without_datagrams_gets_none() {
    for_each_version(|version| async move {
        if version.features().datagrams {
            return;
        }
        let mut live = live(version).await;
        let _control = live.subscribe(&subscribe(version, 3, "room", "data")).await;
        live.track.append_datagram(0, "a").unwrap();
        live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
        live.group(1);
        live.expect_groups([1]).await;
    });
}

// spec: Section 3.9, "A group of exactly one frame may travel as one datagram instead of a stream"
#[test]
fn a_relay_passes_a_datagram_on_as_one() {
    for_each_with_datagrams(|version| async move {
        let origin = OriginProducer::new();
        let (mut publisher, _first) = enter(version, &origin).await;
        let (mut viewer, _second) = enter(version, &origin).await;
        let mut announce = publisher.expect_bi(BiStream::Announce).await;
        common::announce::tell(&mut announce, 1, &["room"]).await;
        settle().await;
        let wish = subscribe(version, 9, "room", "data");
        let mut control = viewer.request(BiStream::Subscribe, &wish).await;
        let (id, mut upstream) = accept_track(&mut publisher).await;
        publisher.send_datagram(&datagram(id, 4, 100, "a"));
        let got: Datagram = viewer.expect_datagram().await;
        assert_eq!(got, datagram(9, 4, 100, "a"));
        publisher.send_datagram(&datagram(id, 5, 110, "b"));
        publisher.send_datagram(&datagram(id, 5, 110, "again"));
        let got: Datagram = viewer.expect_datagram().await;
        assert_eq!(got, datagram(9, 5, 110, "b"));
        upstream.respond(&over(6)).await;
        upstream.finish();
        assert_eq!(control.expect_response().await, heard_over(version, 6, 0));
        control.expect_fin().await;
        viewer.expect_no_uni(UniStream::Group, A_WHILE).await;
    });
}
