//! Which broadcasts belong to the prefix that a peer names.

mod common;

use common::announce::{listen, listen_with};
use common::for_each_version;
use common::scripts::{A_WHILE, announce_request, enter, enter_with, settle};
use common::told::{own, publish};
use moq_session::{Grant, OriginProducer};
use moq_wire::AnnounceEvent;
use moq_wire::code::stream::CANCELLED;

// spec: Section 4.1, "Hidden names"
#[test]
fn hidden_names_are_told_to_those_who_name_them() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _names: Vec<_> = ["room/.stats/cpu", "room/.stats/.secret", "room/a"]
            .map(|name| publish(&origin, name))
            .into();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "room").await;
        assert_eq!(listener.event().await, own(&origin, version, "a"));
        listener.expect_silence(A_WHILE).await;

        let mut listener = listen(&mut peer, "room/.stats").await;
        assert_eq!(listener.event().await, own(&origin, version, "cpu"));
        listener.expect_silence(A_WHILE).await;

        let mut request = announce_request("room");
        request.include_hidden = true;
        let mut listener = listen_with(&mut peer, &request).await;
        if version.features().include_hidden {
            for name in [".stats/.secret", ".stats/cpu"] {
                assert_eq!(listener.event().await, own(&origin, version, name));
            }
        }
        assert_eq!(listener.event().await, own(&origin, version, "a"));
        listener.expect_silence(A_WHILE).await;
    });
}

// spec: Section 4.1, "Prefixes match whole segments"
// spec: Section 3.3, "An empty suffix means the prefix itself"
#[test]
fn prefixes_match_whole_segments() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let names = ["room", "room/a", "roommate"];
        let _names: Vec<_> = names.map(|name| publish(&origin, name)).into();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "room").await;
        assert_eq!(listener.event().await, own(&origin, version, ""));
        assert_eq!(listener.event().await, own(&origin, version, "a"));
        listener.expect_silence(A_WHILE).await;
        let mut listener = listen(&mut peer, "ro").await;
        listener.expect_silence(A_WHILE).await;
    });
}

// spec: Section 3.3, "It is also what a route above the prefix looks like"
#[test]
fn what_covers_a_prefix_is_told_as_the_empty_suffix() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let _room = publish(&origin, "room");
        let (mut peer, _session) = enter(version, &origin).await;
        let mut listener = listen(&mut peer, "room/alice").await;
        assert_eq!(listener.event().await, own(&origin, version, ""));
        // The longest of them is told; for the peer it is another route of the same suffix.
        let below = publish(&origin, "room/alice");
        settle().await;
        drop(below);
        if version.features().announce_ok {
            for _ in 0..2 {
                let event = listener.event().await;
                assert!(matches!(event, AnnounceEvent::Update { .. }), "{event:?}");
            }
        }
        listener.expect_silence(A_WHILE).await;
    });
}

// spec: Section 3.3, "an unauthorised or meaningless prefix yields an empty set and an open stream"
#[test]
fn a_prefix_too_deep_for_its_root_is_no_reason_to_reset() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let grant = Grant::everything("a/b".parse().unwrap());
        let (mut peer, _session) = enter_with(version, &origin, grant).await;
        let deep = vec!["s"; 31].join("/");
        let mut listener = listen(&mut peer, &deep).await;
        listener.expect_silence(A_WHILE).await;
        listener.stream.finish();
        listener.stream.expect_reset(CANCELLED).await;
    });
}
