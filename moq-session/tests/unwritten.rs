//! What has no form on the wire fails the request that needs it, with a typed error, and nothing else.

mod common;

use common::ends::rest;
use common::fetch::{for_each_fetching, read};
use common::live::{floor, live};
use common::scripts::{A_WHILE, answer_track, enter};
use common::{for_each_version, for_each_with};
use moq_session::testing::Peer;
use moq_session::{
    Abort, Budget, Fetch, GroupEnd, HopId, OriginProducer, ReadError, SessionError, Subscription,
};
use moq_wire::code::stream::CANCELLED;
use moq_wire::{DecodeError, EncodeError, UniStream, limits, varint};

#[test]
fn a_track_whose_name_no_message_holds_is_not_there() {
    for_each_version(|version| async move {
        let (session, _peer) = Peer::server(version).await;
        let name = "x".repeat(limits::MAX_MESSAGE);
        let track = session.track("room", &name).unwrap();
        let mut reader = track.subscribe(Subscription::default()).ordered();
        let expected = Some(ReadError::Aborted(Abort::NotFound));
        assert_eq!(rest(&mut reader).await, (Vec::new(), expected));
        assert!(session.is_open());
    });
}

#[test]
fn a_group_without_a_number_on_the_wire_is_not_there() {
    for_each_fetching(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let wish = Fetch::new(varint::MAX + 1);
        let fetched = session.fetch("room", "data", wish);
        let (group, ()) = tokio::join!(fetched, answer_track(&mut peer));
        let expected = (Vec::new(), GroupEnd::Aborted(Abort::NotFound));
        assert_eq!(read(&mut group.unwrap()).await, expected);
        assert!(session.is_open());
    });
}

#[test]
fn a_group_without_a_number_on_the_wire_is_not_delivered_as_another() {
    for_each_with(
        |features| features.start_end,
        |version| async move {
            let mut live = live(version).await;
            let mut stream = live.subscribe(&floor(0)).await;
            let mut group = live.track.create(varint::MAX + 1).unwrap();
            group.append_at(0, "x").unwrap();
            group.finish();
            // Delivery would have to begin with it.
            stream.expect_reset(CANCELLED).await;
            live.peer.expect_no_uni(UniStream::Group, A_WHILE).await;
            assert!(live.session.is_open());
        },
    );
}

#[test]
fn an_end_that_cannot_say_its_name_ends_the_session_where_it_has_to() {
    for_each_with(
        |features| features.setup_stream,
        |version| async move {
            let hop = HopId(varint::MAX + 1);
            let origin = OriginProducer::with(hop, Budget::new(1 << 20));
            let (_peer, session) = enter(version, &origin).await;
            let error = session.closed().await;
            let expected = EncodeError::Refused(DecodeError::VarInt);
            assert!(
                matches!(&error, SessionError::Encode(reason) if *reason == expected),
                "{error}"
            );
        },
    );
}
