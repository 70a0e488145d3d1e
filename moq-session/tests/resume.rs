//! Readers that go on across sessions and publishers.

mod common;

use common::keeping::{Fault, config, dialer};
use common::resuming::{SECOND, expect, next, room, stage};
use common::{for_each_version, for_each_with};
use moq_session::{
    Abort, BroadcastProducer, Loss, OriginProducer, Reconnect, ResumeError, ResumeEvent,
    ResumingReader, Track, TrackFinder,
};
use moq_wire::code::session::INTERNAL;
use tokio::time::timeout;

#[test]
fn reading_goes_on_within_a_group_after_a_lost_session() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        stage.group(0, &["a", "b"]);
        let mut growing = stage.track.append().unwrap();
        growing.append_at(10, "a").unwrap();
        let mut reader = stage.reader();
        // The oldest group is out of reach where a draft can't ask for it.
        while next(&mut reader).await != "1a" {}
        assert_eq!(reader.position(), Some((1, 1)));
        stage.session.close(INTERNAL, "");
        growing.append_at(10, "b").unwrap();
        growing.finish();
        let (_, _served) = tokio::join!(
            async {
                expect(&mut reader, &["lost the session", "resumed 1.1", "1b"]).await;
                stage.track.finish();
                expect(&mut reader, &["end", "end"]).await;
            },
            stage.door.accept(&stage.relay),
        );
    });
}

#[test]
fn what_is_gone_by_then_is_told_as_skipped() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        stage.group(0, &["a"]);
        let mut reader = stage.reader();
        expect(&mut reader, &["first", "0a"]).await;
        stage.session.close(INTERNAL, "");
        for group in 1..4 {
            stage.group(group * 60_000, &["x"]);
        }
        let (_, _served) = tokio::join!(
            async {
                expect(&mut reader, &["lost the session"]).await;
                let resumed = next(&mut reader).await;
                assert!(
                    ["resumed 0.1", "resumed 1.0"].contains(&&*resumed),
                    "{resumed}"
                );
                let first = u64::from(resumed == "resumed 1.0");
                // The last but one is not old, for those who can ask for it.
                let has_newest = !version.features().subscribe_range;
                let next_up = if has_newest { 3 } else { 2 };
                let skipped = format!("skipped {first}..{next_up} Missing");
                expect(&mut reader, &[&skipped]).await;
                assert_eq!(reader.position(), Some((next_up, 0)));
                expect(&mut reader, &[&format!("{next_up}x")]).await;
            },
            stage.door.accept(&stage.relay),
        );
    });
}

#[test]
fn another_publisher_is_read_anew() {
    for_each_with(
        |features| features.hops.has_ids(),
        |version| async move {
            let mut stage = stage(version).await;
            stage.group(0, &["a"]);
            let mut reader = stage.reader();
            expect(&mut reader, &["first", "0a"]).await;
            stage.session.close(INTERNAL, "");
            // Another relay, whose own broadcast it is.
            let other = OriginProducer::new();
            let (_broadcast, track, _publication) = room(&other, Track::new("data"));
            let mut group = track.append().unwrap();
            group.append_at(0, "b").unwrap();
            group.finish();
            track.finish();
            let (_, _served) = tokio::join!(
                expect(&mut reader, &["lost the session", "anew", "0b", "end"]),
                stage.door.accept(&other),
            );
        },
    );
}

#[test]
fn a_broadcast_that_vanishes_is_a_named_end() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        stage.group(0, &["a"]);
        let mut reader = stage.reader();
        expect(&mut reader, &["first", "0a"]).await;
        stage.publication = None;
        stage.track.abort(Abort::Cancelled);
        let error = reader.next().await.unwrap_err();
        assert!(matches!(error, ResumeError::Vanished(_)), "{error}");
        assert!(stage.session.is_open());
    });
}

#[test]
fn a_reader_that_stays_has_the_broadcast_when_it_is_back() {
    for_each_version(|version| async move {
        let mut stage = stage(version).await;
        stage.group(0, &["a"]);
        let mut reader = stage.reader().with_stay(true);
        expect(&mut reader, &["first", "0a"]).await;
        stage.publication = None;
        stage.track.abort(Abort::Cancelled);
        expect(&mut reader, &["lost the broadcast", "waiting"]).await;
        drop(stage.broadcast);
        let (_broadcast, track, _publication) = room(&stage.relay, Track::new("data"));
        let mut group = track.append().unwrap();
        group.append_at(0, "b").unwrap();
        group.finish();
        track.finish();
        let begins = next(&mut reader).await;
        assert!(
            begins == "anew" || begins.starts_with("resumed"),
            "{begins}"
        );
    });
}

#[test]
fn what_is_not_there_is_told_once_and_waited_for() {
    for_each_version(|version| async move {
        let stage = stage(version).await;
        let mut reader = stage.reconnect.subscribe("hall", "data").unwrap();
        expect(&mut reader, &["waiting"]).await;
        assert!(timeout(20 * SECOND, reader.next()).await.is_err());
        let hall = BroadcastProducer::new();
        let track = hall.create(Track::new("data")).unwrap();
        let path = "hall".parse().unwrap();
        let _publication = stage.relay.publish(&path, hall.consume());
        expect(&mut reader, &["first"]).await;
        track.finish();
        expect(&mut reader, &["end"]).await;
    });
}

// spec: Section 4.2, "A request for a path covered by no route is refused with 0x36 at once"
#[test]
fn without_announcements_the_peer_is_asked_until_it_has_the_track() {
    for_each_version(|version| async move {
        let relay = OriginProducer::new();
        let (dialer, mut door) = dialer(version, &[]);
        let reconnect = Reconnect::new(dialer, config(version));
        let (_, served) = door.accept(&relay).await;
        let mut reader = reconnect.subscribe("room", "data").unwrap();
        expect(&mut reader, &["waiting"]).await;
        assert!(timeout(5 * SECOND, reader.next()).await.is_err());
        let (_broadcast, track, _publication) = room(&relay, Track::new("data"));
        let mut group = track.append().unwrap();
        group.append_at(0, "a").unwrap();
        expect(&mut reader, &["first", "0a"]).await;
        // It goes on without announcements, too.
        served.close(INTERNAL, "");
        group.append_at(0, "b").unwrap();
        group.finish();
        let (_, _served) = tokio::join!(
            expect(&mut reader, &["lost the session", "resumed 0.1", "0b"]),
            door.accept(&relay),
        );
    });
}

#[test]
fn what_an_origin_does_not_know_the_peer_is_asked_for_if_that_is_wanted() {
    for_each_version(|version| async move {
        let stage = stage(version).await;
        stage.group(0, &["a"]);
        // Nothing is ever announced there.
        let unrelated = OriginProducer::new();
        let finder = || {
            let path = "room".parse().unwrap();
            let finder = TrackFinder::new(unrelated.consume(), path, "data");
            finder.with_sessions(stage.reconnect.sessions())
        };
        let mut reader = ResumingReader::new(finder());
        expect(&mut reader, &["waiting"]).await;
        assert!(timeout(60 * SECOND, reader.next()).await.is_err());
        let mut reader = ResumingReader::new(finder().with_blind(true));
        expect(&mut reader, &["first", "0a"]).await;
    });
}

#[test]
fn a_reader_that_asks_a_session_that_goes_away_waits_for_the_next_one() {
    for_each_with(
        |features| features.goaway,
        |version| async move {
            for stays in [false, true] {
                let relay = OriginProducer::new();
                let (_broadcast, track, _publication) = room(&relay, Track::new("data"));
                let (dialer, mut door) = dialer(version, &[]);
                let faults = dialer.faults.clone();
                let config = config(version).with_subscribe(OriginProducer::new());
                let reconnect = Reconnect::new(dialer, config);
                let (_, first) = door.accept(&relay).await;
                reconnect.connected().await.unwrap();
                tokio::time::sleep(2 * SECOND).await;
                // The next dial that succeeds takes some seconds.
                faults.lock().unwrap().extend(vec![Fault::Unreachable; 6]);
                first.goaway("", 60 * SECOND).unwrap();
                tokio::time::sleep(SECOND / 10).await;
                let mut group = track.append().unwrap();
                group.append_at(0, "a").unwrap();
                group.finish();
                let reader = reconnect.subscribe("room", "data").unwrap();
                let mut reader = reader.with_stay(stays);
                let (_, _served) = tokio::join!(
                    expect(&mut reader, &["waiting", "first", "0a"]),
                    door.accept(&relay),
                );
                assert!(faults.lock().unwrap().is_empty());
            }
        },
    );
}

#[test]
fn a_track_that_its_broadcast_lacks_is_an_error() {
    for_each_version(|version| async move {
        let stage = stage(version).await;
        let mut reader = stage.reconnect.subscribe("room", "other").unwrap();
        assert_eq!(reader.next().await.unwrap_err(), ResumeError::NoTrack);
        // Whoever asks on is answered on, and not all the time.
        let again = timeout(SECOND / 2, reader.next()).await;
        assert!(!matches!(again, Ok(Err(_))), "{again:?}");
    });
}

#[test]
fn no_further_session_is_an_error() {
    for_each_version(|version| async move {
        let stage = stage(version).await;
        let mut reader = stage.reconnect.subscribe("hall", "data").unwrap();
        expect(&mut reader, &["waiting"]).await;
        drop(stage.reconnect);
        assert_eq!(reader.next().await.unwrap_err(), ResumeError::NoSession);
    });
}

#[test]
fn an_origin_alone_is_enough() {
    for_each_version(|version| async move {
        let stage = stage(version).await;
        stage.group(0, &["a"]);
        let finder = TrackFinder::new(stage.origin.consume(), "room".parse().unwrap(), "data");
        let mut reader = ResumingReader::new(finder).with_stay(true);
        expect(&mut reader, &["first", "0a"]).await;
        stage.session.close(INTERNAL, "");
        let lost = reader.next().await.unwrap();
        let is_lost = matches!(
            lost,
            Some(ResumeEvent::Lost {
                loss: Loss::Broadcast,
                ..
            })
        );
        assert!(is_lost, "nothing tells whose loss it is: {lost:?}");
    });
}
