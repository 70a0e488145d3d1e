//! What readers are told of groups that are gone, and when.

use super::*;
use crate::platform::clock;

/// Feeds a finished group without frames.
fn empty(feed: &TrackFeed, sequence: u64) {
    feed.create(sequence).unwrap().finish();
}

#[test]
fn the_position_is_clear_before_the_first_read() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[0]);
    let reader = consumer.subscribe(oldest()).ordered();
    assert_eq!(reader.position(), Some((0, 0)));
}

#[test]
fn a_group_that_has_begun_is_not_lost_whatever_was_said() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let mut reader = consumer.subscribe(oldest());
    empty(&feed, 0);
    let begun = feed.create(1).unwrap();
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 0);
    feed.drop_groups(1..3, Abort::NotFound);
    assert_eq!(losses(&mut reader), [(2..3, Abort::NotFound)]);
    begun.finish();
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 1);
}

#[test]
fn a_group_that_has_begun_is_skipped_once_whatever_was_said() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let _begun = feed.create(0).unwrap();
    empty(&feed, 1);
    let mut reader = consumer
        .subscribe(oldest().with_patience(Duration::ZERO))
        .ordered();
    feed.drop_groups(0..1, Abort::Cancelled);
    let skipped = TrackRead::Skipped {
        groups: 0..1,
        cause: Abort::Missing,
    };
    assert_eq!(now(reader.next()), Ok(Some(skipped)));
    assert!(is_pending(reader.next()));
    assert_eq!(reader.position(), Some((2, 0)));
}

#[test]
fn reading_begins_with_a_group_that_has_begun_whatever_was_said() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let _begun = feed.create(1).unwrap();
    feed.drop_groups(0..3, Abort::NotFound);
    empty(&feed, 3);
    assert_eq!(consumer.subscribe(oldest()).first(), Some(1));
}

#[test]
fn what_is_lost_up_to_no_end_is_told_up_to_a_group_that_comes() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let mut reader = consumer.subscribe(oldest());
    empty(&feed, 0);
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 0);
    feed.drop_groups(1..u64::MAX, Abort::NotFound);
    assert_eq!(losses(&mut reader), []);
    let begun = feed.create(4).unwrap();
    assert_eq!(losses(&mut reader), []);
    begun.finish();
    assert_eq!(losses(&mut reader), [(1..4, Abort::NotFound)]);
}

#[test]
fn a_raised_end_tells_losses_that_were_left_out() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest().with_end(3));
    group(&producer, &[0]);
    producer.create(5).unwrap().abort(Abort::Cancelled);
    assert_eq!(losses(&mut reader), []);
    reader.update(oldest());
    assert_eq!(losses(&mut reader), [(5..6, Abort::Cancelled)]);
}

#[test]
fn groups_that_never_began_expire_with_those_above_them() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let mut reader = consumer.subscribe(oldest());
    feed.drop_groups(8..9, Abort::NotFound);
    for (sequence, time) in [(3, 0), (4, 1), (5, 10_000)] {
        let mut group = feed.create(sequence).unwrap();
        group.append_at(time, "x").unwrap();
    }
    let expected = [(0..4, Abort::Expired), (8..9, Abort::NotFound)];
    assert_eq!(losses(&mut reader), expected);
}

#[test]
fn a_group_that_is_gone_for_all_is_not_cut_for_one() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest().with_max_age(SECOND));
    producer.append().unwrap().finish();
    let mut empty = next_now(&mut reader).unwrap();
    let mut newest = producer.append().unwrap();
    newest.append_at(5_000, "x").unwrap();
    newest.append_at(12_000, "x").unwrap();
    assert_eq!(now(empty.next()), GroupRead::End(GroupEnd::Finished));
}

#[tokio::test(start_paused = true)]
async fn a_group_after_the_wanted_ones_ends_the_wait_for_them() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut reader = consumer.subscribe(oldest().with_end(2)).ordered();
    group(&producer, &[0]);
    assert!(matches!(
        now(reader.next()),
        Ok(Some(TrackRead::Frame { .. }))
    ));
    let come = async {
        let mut group = producer.create(5).unwrap();
        group.append_at(1, "x").unwrap();
    };
    let (read, ()) = tokio::join!(tokio::time::timeout(3 * SECOND, reader.next()), come);
    let skipped = TrackRead::Skipped {
        groups: 1..2,
        cause: Abort::Missing,
    };
    assert_eq!(read, Ok(Ok(Some(skipped))));
}

#[test]
fn nothing_is_skipped_that_was_not_wanted() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[0]);
    let wants = oldest().with_end(1).with_max_age(Duration::ZERO);
    let mut reader = consumer.subscribe(wants).ordered();
    group(&producer, &[10]);
    group(&producer, &[20]);
    let skipped = TrackRead::Skipped {
        groups: 0..1,
        cause: Abort::Expired,
    };
    assert_eq!(now(reader.next()), Ok(Some(skipped)));
}

#[tokio::test(start_paused = true)]
async fn a_reader_learns_that_the_last_group_of_a_finished_track_is_lost() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(1_000));
    let producer = broadcast.create(Track::new("t")).unwrap();
    let mut reader = producer.consume().subscribe(oldest());
    let mut last = producer.append().unwrap();
    producer.finish();
    let lose = async {
        let refused = last.append_at(0, vec![0; 2_000]);
        assert_eq!(refused, Err(WriteError::Dropped));
    };
    let begun = clock::now();
    let wait = tokio::time::timeout(SECOND, reader.next_group());
    let (next, ()) = tokio::join!(wait, lose);
    assert!(matches!(next, Ok(Ok(None))), "{next:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO, "it is woken");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_comes_after_it_was_given_up_wakes_who_waits_for_it() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let wants = oldest().with_patience(Duration::from_millis(100));
    let mut reader = consumer.subscribe(wants).ordered();
    feed.drop_groups(0..2, Abort::SessionClosed);
    let later = feed.create(3).unwrap();
    tokio::time::advance(SECOND).await;
    later.finish();
    let wait = tokio::time::timeout(Duration::from_millis(50), reader.next());
    let (read, _begun) = tokio::join!(wait, async { feed.create(0).unwrap() });
    let skipped = TrackRead::Skipped {
        groups: 0..1,
        cause: Abort::Missing,
    };
    assert_eq!(read, Ok(Ok(Some(skipped))));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_goes_once_nothing_older_is_in_the_way() {
    let budget = Budget::new(6_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let create = |name| {
        let track = Track::new(name).with_max_age(SECOND);
        broadcast.create(track).unwrap()
    };
    let producer = create("t");
    let mut reader = producer.consume().subscribe(oldest());
    let mut groups = [(); 3].map(|()| producer.append().unwrap());
    groups[0].append_at(0, vec![0; 2_000]).unwrap();
    groups[1].append_at(10, "x").unwrap();
    let [_first, mut second, third] = groups;
    third.finish();
    tokio::time::advance(2 * SECOND).await;
    producer.append().unwrap().finish();
    // Group 0 is kept by its successor's time, and group 1 is too old by arrival.
    fill(&create("other"), 0, 3_000);
    second.append_at(20, "y").unwrap();
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 3);
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 2);
    let expected = [(0..1, Abort::Evicted), (1..2, Abort::Expired)];
    assert_eq!(losses(&mut reader), expected);
}

#[test]
fn what_is_lost_behind_a_group_that_came_late_is_told() {
    let (feed, consumer) = fed_track();
    let mut reader = consumer.subscribe(oldest());
    let late = feed.create(0).unwrap();
    empty(&feed, 2);
    feed.drop_groups(0..2, Abort::NotFound);
    feed.set_start(2);
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 2);
    assert!(next(&mut reader).is_none(), "nothing is lost so far");
    late.finish();
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 0);
    assert_eq!(losses(&mut reader), [(1..2, Abort::NotFound)]);
}
