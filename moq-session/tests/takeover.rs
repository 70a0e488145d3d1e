//! A publisher that falls silent while another one has the same path.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::ends::{begun, finished, over, rest};
use common::fetch::for_each_fetching;
use common::for_each_version;
use common::heard::own;
use common::scripts::{accept_track, send_group, settle};
use common::silent::{PATIENCE, SECOND, Stage, frame, lost, path};
use moq_session::testing::{self, Peer, memory_pair};
use moq_session::{
    Abort, AnnouncedEvent, BroadcastPath, Fetch, GroupConsumer, GroupEnd, GroupRead, Subscription,
};
use moq_wire::{BiStream, Setup};
use tokio::time::{Instant, sleep, timeout};

#[test]
fn readers_of_a_silent_publisher_find_the_one_that_stands_by() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        let open = first.begin(0, "half");
        assert_eq!(frame(&mut reader).await, "half");
        stage.told();

        first.connection.set_silent(true);
        let began = Instant::now();
        lost(&mut reader, PATIENCE).await;
        assert!(began.elapsed() >= SECOND, "{:?}", began.elapsed());
        sleep(Duration::from_millis(10)).await;
        let told = stage.told();
        assert!(told.iter().any(|event| path(event) == "room"), "{told:?}");
        drop(open);

        let mut reader = stage.reader("room").await;
        second.group(0, "second");
        assert_eq!(frame(&mut reader).await, "second");

        first.connection.set_silent(false);
        sleep(Duration::from_millis(500)).await;
        let told = stage.told();
        assert!(told.iter().any(|event| path(event) == "room"), "{told:?}");
        second.group(0, "second");
        assert_eq!(
            frame(&mut reader).await,
            "second",
            "who reads it already stays"
        );
        drop(reader);
        sleep(10 * SECOND).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "again");
        assert_eq!(frame(&mut reader).await, "again");
    });
}

#[test]
fn a_publisher_that_starts_after_the_other_fell_silent_takes_over() {
    for_each_version(|version| async move {
        let stage = Stage::new(version).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        first.connection.set_silent(true);
        let waited = timeout(8 * SECOND, reader.next_group()).await;
        assert!(waited.is_err(), "without an alternative nothing ends");
        let second = stage.publisher(&["room"]).await;
        lost(&mut reader, PATIENCE).await;
        let mut reader = stage.reader("room").await;
        second.group(0, "second");
        assert_eq!(frame(&mut reader).await, "second");
    });
}

#[test]
fn what_nobody_else_has_goes_on_with_the_silent_publisher() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let _second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room", "only"]).await;
        let (mut room, mut only) = (stage.reader("room").await, stage.reader("only").await);
        stage.told();
        first.connection.set_silent(true);
        lost(&mut room, PATIENCE).await;
        sleep(Duration::from_millis(10)).await;
        let told = stage.told();
        let change = told.iter().find(|event| path(event) == "only");
        let features = version.features();
        match change {
            Some(AnnouncedEvent::Update(_, route)) if features.typed_announce => {
                assert_eq!(route.warm_cost, moq_model::Route::MAX_COST);
            }
            Some(AnnouncedEvent::End(_)) if !features.typed_announce => {}
            other => panic!("{other:?}"),
        }
        first.connection.set_silent(false);
        first.group(1, "still");
        assert_eq!(frame(&mut only).await, "still");
        sleep(Duration::from_millis(300)).await;
        let told = stage.told();
        let change = told.iter().find(|event| path(event) == "only");
        match change {
            Some(AnnouncedEvent::Update(_, route)) if features.typed_announce => {
                assert!(route.warm_cost < moq_model::Route::MAX_COST);
            }
            Some(AnnouncedEvent::Start(..)) if !features.typed_announce => {}
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_quiet_publisher_that_answers_keeps_its_readers() {
    for_each_version(|version| async move {
        let mut stage = Stage::new(version).await;
        let second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room"]).await;
        let mut reader = stage.reader("room").await;
        sleep(SECOND).await;
        stage.told();
        for round in 0..20 {
            sleep(3 * SECOND).await;
            // A ping may come at any moment of a silence, which ends before its answer is due.
            first.connection.set_silent(true);
            sleep(Duration::from_millis(480 - 20 * round)).await;
            first.connection.set_silent(false);
        }
        assert_eq!(stage.told(), []);
        first.group(0, "first");
        assert_eq!(frame(&mut reader).await, "first");
        drop(second);
    });
}

#[test]
fn of_two_silent_publishers_one_stays() {
    for_each_version(|version| async move {
        let stage = Stage::new(version).await;
        let publishers = [
            stage.publisher(&["room"]).await,
            stage.publisher(&["room"]).await,
        ];
        for publisher in &publishers {
            publisher.connection.set_silent(true);
        }
        sleep(30 * SECOND).await;
        let room: BroadcastPath = "room".parse().unwrap();
        assert!(stage.relay.consume().broadcast(&room).is_ok());
        let mut announced = stage.relay.consume().announced(&BroadcastPath::root());
        let Some(AnnouncedEvent::Start(_, route)) = announced.try_next() else {
            panic!("a route is left");
        };
        assert!(route.warm_cost < moq_model::Route::MAX_COST);
    });
}

#[test]
fn what_gets_an_alternative_later_does_not_stay_with_the_silent_publisher() {
    for_each_version(|version| async move {
        let stage = Stage::new(version).await;
        let _second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room", "hall"]).await;
        let (mut room, mut hall) = (stage.reader("room").await, stage.reader("hall").await);
        first.group(1, "first");
        assert_eq!(frame(&mut hall).await, "first");
        first.connection.set_silent(true);
        lost(&mut room, PATIENCE).await;
        let waited = timeout(3 * SECOND, hall.next_group()).await;
        assert!(waited.is_err(), "nobody else has it");
        let third = stage.publisher(&["hall"]).await;
        lost(&mut hall, SECOND).await;
        let mut hall = stage.reader("hall").await;
        third.group(0, "third");
        assert_eq!(frame(&mut hall).await, "third");
    });
}

#[test]
fn a_fetch_from_a_silent_publisher_ends_when_others_take_over() {
    for_each_fetching(|version| async move {
        let stage = Stage::new(version).await;
        let second = stage.publisher(&["room"]).await;
        let first = stage.publisher(&["room", "only"]).await;
        second.group(0, "whole");
        let _room = first.begin(0, "half");
        let mut only = first.begin(1, "half");
        let fetch = async |path| {
            let group = stage.viewer.fetch(path, "data", Fetch::new(0)).await;
            group.unwrap()
        };
        let mut groups = [fetch("room").await, fetch("only").await];
        for group in &mut groups {
            assert_eq!(next(group).await, "half");
        }
        first.connection.set_silent(true);
        let [room, of_only] = &mut groups;
        let ended = timeout(PATIENCE, room.next()).await;
        let lost = GroupRead::End(GroupEnd::Aborted(Abort::SessionClosed));
        assert_eq!(ended.expect("the group ends in time"), lost);
        let waited = timeout(3 * SECOND, of_only.next()).await;
        assert!(waited.is_err(), "nobody else has it");
        assert_eq!(next(&mut fetch("room").await).await, "whole");
        first.connection.set_silent(false);
        only.append("more").unwrap();
        assert_eq!(next(of_only).await, "more");
    });
}

async fn next(group: &mut GroupConsumer) -> String {
    let next = timeout(SECOND, group.next()).await;
    match next.expect("a frame in time") {
        GroupRead::Frame(frame) => String::from_utf8(frame.payload.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fetch_that_a_silent_publisher_does_not_answer_ends_as_well() {
    for_each_fetching(|version| async move {
        let stage = Stage::new(version).await;
        let _second = stage.publisher(&["room"]).await;
        let (client, server) = memory_pair(version);
        let connection = client.clone();
        let mut peer = Peer::new(client, version);
        let setup = Setup::default();
        let accept = testing::accept(server, &stage.relay);
        let (_session, ()) = tokio::join!(accept, peer.setup(&setup));
        let mut teller = Teller::new(peer.expect_bi(BiStream::Announce).await, 9, 1).await;
        teller.tell(&own(version, "room")).await;
        settle().await;
        let room = stage.relay.consume().broadcast(&"room".parse().unwrap());
        let track = room.unwrap().track("data").unwrap();
        let reader = track.subscribe(Subscription::default());
        let (id, mut control) = accept_track(&mut peer).await;
        control.respond(&begun(1)).await;
        send_group(&mut peer, id, 1, &["a"]).await;
        control.respond(&over(2)).await;
        control.finish();
        assert_eq!(rest(&mut reader.ordered()).await, finished(&["1 a"]));
        // The track is over, and earlier groups of it can still be fetched.
        let mut group = track.fetch(Fetch::new(0)).await.unwrap();
        let (_, _unanswered) = peer
            .expect_request::<moq_wire::Fetch>(BiStream::Fetch)
            .await;
        connection.set_silent(true);
        let ended = timeout(PATIENCE, group.next()).await;
        let lost = GroupRead::End(GroupEnd::Aborted(Abort::SessionClosed));
        assert_eq!(ended.expect("the group ends in time"), lost);
    });
}
