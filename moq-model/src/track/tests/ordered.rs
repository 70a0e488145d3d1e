//! Reading in sequence.

use super::*;
use crate::platform::clock;

#[tokio::test(start_paused = true)]
async fn ordered_reading_waits_for_a_gap_and_then_says_what_is_missing() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer
        .subscribe(oldest().with_patience(3 * SECOND))
        .ordered();
    for sequence in [2, 0] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
        group.finish();
    }
    let frame = |read| matches!(read, Some(TrackRead::Frame { .. }));
    assert!(frame(reader.next().await.unwrap()));
    let before = clock::now();
    let skipped = TrackRead::Skipped {
        groups: 1..2,
        cause: Abort::Missing,
    };
    assert_eq!(reader.next().await.unwrap(), Some(skipped));
    assert_eq!(before.elapsed(), 3 * SECOND);
    assert!(frame(reader.next().await.unwrap()));
    producer.finish();
    assert_eq!(reader.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn waits_for_gaps_do_not_add_up() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let wanted = oldest().with_patience(3 * SECOND);
    let mut reader = consumer.subscribe(wanted).ordered();
    for sequence in [0, 2, 4, 6] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
        group.finish();
    }
    let before = clock::now();
    for _ in 0..7 {
        assert!(reader.next().await.unwrap().is_some());
    }
    assert_eq!(before.elapsed(), 3 * SECOND);
}

#[test]
fn a_track_does_not_end_without_a_word_of_its_last_groups() {
    let (producer, consumer) = fed_track();
    let mut reader = consumer.subscribe(oldest()).ordered();
    producer.set_start(0);
    let mut first = producer.create(0).unwrap();
    first.append_at(0, "x").unwrap();
    first.finish();
    producer.create(1).unwrap().abort(Abort::Other(3));
    producer.drop_groups(2..4, Abort::Expired);
    producer.finish();
    assert!(now(reader.next()).unwrap().is_some());
    for (groups, cause) in [(1..2, Abort::Other(3)), (2..4, Abort::Expired)] {
        let skipped = TrackRead::Skipped { groups, cause };
        assert_eq!(now(reader.next()).unwrap(), Some(skipped));
    }
    assert_eq!(now(reader.next()).unwrap(), None);
}

#[test]
fn ordered_reading_does_not_wait_for_what_is_known_to_be_lost() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    producer.drop_groups(0..4, Abort::Expired);
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut group = producer.create(4).unwrap();
    group.append_at(0, "x").unwrap();
    let Some(TrackRead::Frame { group, .. }) = now(reader.next()).unwrap() else {
        panic!()
    };
    assert_eq!(group, 4);
    assert_eq!(reader.position(), Some((4, 1)));
}

#[tokio::test(start_paused = true)]
async fn ordered_reading_tells_a_lost_group_from_a_lost_track() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut first = producer.append().unwrap();
    first.append_at(0, "x").unwrap();
    assert!(now(reader.next()).unwrap().is_some());
    first.abort(Abort::Other(3));
    assert!(is_pending(reader.next()), "the track may be about to end");
    let mut second = producer.append().unwrap();
    second.append_at(1, "y").unwrap();
    let (groups, cause) = (0..1, Abort::Other(3));
    let skipped = TrackRead::Skipped { groups, cause };
    assert_eq!(now(reader.next()).unwrap(), Some(skipped));
    assert!(now(reader.next()).unwrap().is_some());
    second.abort(Abort::Other(3));
    producer.abort(Abort::Other(3));
    assert_eq!(
        now(reader.next()).unwrap_err(),
        ReadError::Aborted(Abort::Other(3))
    );
    assert_eq!(reader.position(), Some((1, 1)), "it may go on elsewhere");
}

#[tokio::test(start_paused = true)]
async fn ordered_reading_stops_where_the_session_took_the_track_down() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut first = producer.append().unwrap();
    first.append_at(0, "x").unwrap();
    assert!(now(reader.next()).unwrap().is_some());
    group(&producer, &[1]);
    first.abort(Abort::SessionClosed);
    assert!(is_pending(reader.next()), "the track is about to end");
    producer.abort(Abort::SessionClosed);
    assert_eq!(
        now(reader.next()).unwrap_err(),
        ReadError::Aborted(Abort::SessionClosed)
    );
    assert_eq!(reader.position(), Some((0, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_another_session_lost_is_told_if_the_track_goes_on() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).ordered();
    producer.append().unwrap().abort(Abort::SessionClosed);
    group(&producer, &[1]);
    let before = clock::now();
    let (groups, cause) = (0..1, Abort::SessionClosed);
    let skipped = TrackRead::Skipped { groups, cause };
    assert_eq!(reader.next().await.unwrap(), Some(skipped));
    assert_eq!(before.elapsed(), 5 * SECOND, "the track's max age");
    let read = reader.next().await.unwrap();
    assert!(matches!(read, Some(TrackRead::Frame { group: 1, .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_fills_a_gap_wakes_whoever_waits_for_it() {
    const GROUPS: u64 = 20_000;
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer
        .subscribe(oldest().with_patience(60 * SECOND))
        .ordered();
    let (read, mut wait_until_read) = tokio::sync::watch::channel(0);
    let reading = tokio::spawn(async move {
        for expected in 0..GROUPS {
            let Some(TrackRead::Frame { group, .. }) = reader.next().await.unwrap() else {
                panic!("nothing is missing")
            };
            assert_eq!(group, expected);
            read.send_replace(expected + 1);
        }
    });
    for sequence in (0..GROUPS).step_by(2) {
        for sequence in [sequence + 1, sequence] {
            let mut group = producer.create(sequence).unwrap();
            group.append_at(sequence, "x").unwrap();
            group.finish();
        }
        let caught_up = wait_until_read.wait_for(|next| *next > sequence + 1);
        let in_time = clock::timeout(5 * SECOND, caught_up).await;
        assert!(matches!(in_time, Ok(Ok(_))), "stuck at group {sequence}");
    }
    reading.await.unwrap();
}

#[test]
fn what_a_peer_sends_of_the_newest_comes_in_any_order() {
    let (producer, consumer) = fed_track();
    let mut newest = consumer.subscribe(Subscription::default()).ordered();
    for sequence in [4, 2, 3] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
        group.finish();
    }
    assert!(is_pending(newest.next()), "where it begins is not known");
    producer.set_start(2);
    for expected in 2..5 {
        let read = now(newest.next()).unwrap();
        assert!(matches!(read, Some(TrackRead::Frame { group, .. }) if group == expected));
    }
}

#[test]
fn the_newest_is_not_what_somebody_else_wants_of_old() {
    let (producer, consumer) = fed_track();
    let mut newest = consumer.subscribe(Subscription::default());
    let _oldest = consumer.subscribe(oldest());
    producer.set_start(2);
    for sequence in [4, 2, 3] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
    }
    let group = now(newest.next_group()).unwrap();
    assert_eq!(group.map(|group| group.sequence()), Some(4));
    assert!(is_pending(newest.next_group()));
}

#[test]
fn what_is_skipped_before_the_newest_group_is_not_waited_for() {
    let (producer, consumer) = fed_track();
    let mut newest = consumer.subscribe(Subscription::default()).ordered();
    producer.set_start(2);
    let mut group = producer.create(3).unwrap();
    group.append_at(0, "x").unwrap();
    let read = now(newest.next()).unwrap();
    assert!(matches!(read, Some(TrackRead::Frame { group: 3, .. })));
}

#[test]
fn a_reader_is_told_once_of_what_is_lost_to_it() {
    let (producer, consumer) = fed_track();
    let mut reader = consumer.subscribe(oldest());
    producer.set_start(1);
    producer.drop_groups(0..3, Abort::Expired);
    assert_eq!(losses(&mut reader), [], "it has not begun");
    group_at(&producer, 4);
    assert_eq!(losses(&mut reader), [], "it begins at the third");
    producer.drop_groups(2..7, Abort::Evicted);
    producer.drop_groups(9..u64::MAX, Abort::Expired);
    let lost = [(3..4, Abort::Evicted), (5..7, Abort::Evicted)];
    assert_eq!(losses(&mut reader), lost);
    assert_eq!(losses(&mut reader), []);
}

fn group_at(producer: &TrackFeed, sequence: u64) {
    let mut group = producer.create(sequence).unwrap();
    group.append_at(sequence, "x").unwrap();
}
