//! Which groups a reader gets, and how they end.

use super::*;

#[test]
fn groups_come_newest_first_and_once() {
    let (producer, consumer) = track(Track::new("t"));
    for n in 0..3 {
        group(&producer, &[n]);
    }
    let mut reader = consumer.subscribe(oldest());
    let mut sequences = Vec::new();
    for _ in 0..3 {
        sequences.push(now(reader.next_group()).unwrap().unwrap().sequence());
    }
    assert_eq!(sequences, [2, 1, 0]);
    assert!(is_pending(reader.next_group()));
    assert_eq!(reader.first(), Some(0));
}

#[test]
fn the_newest_group_is_where_a_reader_begins_by_default() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[0]);
    group(&producer, &[1]);
    let mut reader = consumer.subscribe(Subscription::default());
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 1);
    assert!(is_pending(reader.next_group()));
    group(&producer, &[2]);
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
}

#[test]
fn a_reader_does_not_begin_with_what_is_too_old_for_it() {
    let (producer, consumer) = track(Track::new("t"));
    for start in [0, 1_000, 2_000] {
        group(&producer, &[start, start + 10]);
    }
    for (age, first) in [(0, 2), (500, 1), (1_500, 0)] {
        let mut reader = consumer.subscribe(oldest().with_max_age(Duration::from_millis(age)));
        assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
        assert_eq!(reader.first(), Some(first), "{age} ms");
    }
}

#[test]
fn a_late_lower_group_is_delivered_above_the_floor_only() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(Subscription::default().with_start(Start::Floor(3)));
    for sequence in [5, 3, 2] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
    }
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 5);
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 3);
    assert!(is_pending(reader.next_group()));
}

#[test]
fn a_lowered_floor_offers_what_was_left_out_and_nothing_twice() {
    let (producer, consumer) = track(Track::new("t"));
    for n in 0..4 {
        group(&producer, &[n]);
    }
    let mut reader = consumer.subscribe(Subscription::default());
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 3);
    reader.update(Subscription::default().with_start(Start::Floor(1)));
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 1);
    assert!(is_pending(reader.next_group()));
    reader.update(Subscription::default().with_start(Start::Floor(3)));
    reader.update(Subscription::default().with_start(Start::Floor(1)));
    assert!(is_pending(reader.next_group()));
}

#[test]
fn a_raised_end_offers_what_was_left_out() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest().with_end(2));
    for n in 0..4 {
        group(&producer, &[n]);
    }
    let taken = |reader: &mut TrackReader| {
        let groups = std::iter::from_fn(|| next_now(reader));
        groups.map(|group| group.sequence()).collect::<Vec<_>>()
    };
    assert_eq!(taken(&mut reader), [1, 0]);
    reader.update(oldest());
    assert_eq!(taken(&mut reader), [3, 2]);
}

#[test]
fn a_sequence_is_used_once() {
    let (producer, _consumer) = track(Track::new("t"));
    let first = producer.create(7).unwrap();
    assert_eq!(producer.create(7).unwrap_err(), WriteError::Duplicate);
    drop(first);
    assert_eq!(producer.create(7).unwrap_err(), WriteError::Duplicate);
    assert_eq!(producer.append().unwrap().sequence(), 8);
}

#[tokio::test(start_paused = true)]
async fn frames_wake_a_reader_that_waits() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(Subscription::default());
    let mut group = producer.append().unwrap();
    group.append_at(1, "a").unwrap();
    let mut read = reader.next_group().await.unwrap().unwrap();
    assert!(matches!(read.next().await, GroupRead::Frame(frame) if frame.payload == "a"));
    let (next, ()) = tokio::join!(read.next(), async { group.append_at(2, "b").unwrap() });
    assert!(matches!(next, GroupRead::Frame(frame) if frame.payload == "b"));
    let (end, ()) = tokio::join!(read.next(), async { group.finish() });
    assert_eq!(end, GroupRead::End(GroupEnd::Finished));
}

#[test]
fn dropping_a_producer_is_never_a_success() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(Subscription::default());
    let mut writing = producer.append().unwrap();
    writing.append_at(0, "a").unwrap();
    drop(writing);
    let mut read = now(reader.next_group()).unwrap().unwrap();
    assert!(matches!(now(read.next()), GroupRead::Frame(_)));
    assert_eq!(
        now(read.next()),
        GroupRead::End(GroupEnd::Aborted(Abort::Internal))
    );
    drop(producer);
    assert_eq!(
        now(reader.next_group()).unwrap_err(),
        ReadError::Aborted(Abort::Internal)
    );
}

#[tokio::test(start_paused = true)]
async fn demand_is_what_all_readers_want_together() {
    let (producer, consumer) = track(Track::new("t"));
    let demand = producer.demand();
    assert_eq!(demand.current(), None);
    let modest = consumer.subscribe(
        Subscription::default()
            .with_priority(3)
            .with_max_age(SECOND),
    );
    let greedy = consumer.subscribe(oldest().with_priority(9).with_max_age(5 * SECOND));
    let wanted = demand.current().unwrap();
    assert_eq!(
        (wanted.priority, wanted.max_age, wanted.start),
        (9, 5 * SECOND, Start::OLDEST)
    );
    drop(greedy);
    assert_eq!(demand.current().unwrap().start, Start::Newest);
    let (_, ()) = tokio::join!(producer.unused(), async { drop(modest) });
}

#[test]
fn a_group_has_limits() {
    let (producer, _consumer) = track(Track::new("t"));
    let mut group = producer.append().unwrap();
    group.append_at(0, vec![0; 32 << 20]).unwrap();
    assert_eq!(
        group.append_at(0, "x").unwrap_err(),
        WriteError::GroupTooLarge
    );
    let mut group = producer.append().unwrap();
    for _ in 0..8_192 {
        group.append_at(0, "").unwrap();
    }
    assert_eq!(
        group.append_at(0, "").unwrap_err(),
        WriteError::GroupTooLarge
    );
}

#[test]
fn a_group_that_began_before_the_finish_is_delivered() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest());
    let (mut begun, given_up) = (producer.append().unwrap(), producer.append().unwrap());
    producer.finish();
    assert!(is_pending(reader.next_group()));
    begun.append_at(0, "x").unwrap();
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 0);
    assert!(is_pending(reader.next_group()), "one more has begun");
    drop(given_up);
    assert!(now(reader.next_group()).unwrap().is_none());
    assert_eq!(reader.end(), 2);
}
