//! M1: a group without a frame is a group like any other.

use super::*;
use crate::Fetch;

#[test]
fn empty_groups_count_against_the_budget_and_are_evicted() {
    let budget = Budget::new(1 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast.create(Track::new("t")).unwrap();
    group(&producer, &[0]);
    for _ in 0..100_000 {
        group(&producer, &[]);
        assert!(budget.used() <= budget.limit());
    }
    assert!(budget.used() > budget.limit() / 2, "{}", budget.used());
    let mut reader = producer.consume().subscribe(oldest());
    let held = taken(&mut reader);
    assert_eq!(held[0], 100_000, "the newest");
    assert!(held.len() < 10_000, "{}", held.len());
    assert!(!held.contains(&0), "the oldest went first");
}

#[test]
fn empty_groups_take_the_time_of_the_next_one() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[0]);
    group(&producer, &[]);
    group(&producer, &[10_000]);
    let mut reader = consumer.subscribe(oldest().with_max_age(Duration::ZERO));
    assert_eq!(taken(&mut reader), [2]);
    let mut patient = consumer.subscribe(oldest());
    assert_eq!(taken(&mut patient), [2, 1, 0], "group 1 began at 10 s");
}

#[test]
fn an_empty_group_does_not_stop_the_expiry_of_older_ones() {
    let (producer, consumer) = track(Track::new("t"));
    let mut before = consumer.subscribe(oldest());
    for timestamps in [&[0][..], &[], &[100], &[10_000], &[20_000]] {
        group(&producer, timestamps);
    }
    assert_eq!(taken(&mut before), [4, 3]);
    let mut late = consumer.subscribe(oldest());
    assert_eq!(taken(&mut late), [4, 3], "the others are gone");
}

#[tokio::test(start_paused = true)]
async fn empty_groups_without_any_time_age_by_arrival() {
    let budget = Budget::new(64 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast
        .create(Track::new("t").with_max_age(5 * SECOND))
        .unwrap();
    for _ in 0..100 {
        group(&producer, &[]);
        tokio::time::advance(SECOND).await;
    }
    let mut reader = producer.consume().subscribe(oldest());
    let mut hasty = producer
        .consume()
        .subscribe(oldest().with_max_age(2 * SECOND));
    assert_eq!(taken(&mut reader), [99, 98, 97, 96, 95, 94]);
    assert_eq!(taken(&mut hasty), [99, 98, 97]);
}

#[test]
fn empty_groups_are_too_old_for_a_reader_with_a_shorter_age() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut hasty = consumer.subscribe(oldest().with_max_age(SECOND));
    for timestamps in [&[0][..], &[], &[10_000], &[11_500]] {
        group(&producer, timestamps);
    }
    let mut groups = Vec::new();
    let mut lost = Vec::new();
    while let Some(next) = next(&mut hasty) {
        match next {
            NextGroup::Group(group) => groups.push(group.sequence()),
            NextGroup::Lost { groups, cause } => lost.push((groups, cause)),
        }
    }
    assert_eq!(groups, [3, 2]);
    let expired = |groups| (groups, Abort::Expired);
    assert_eq!(lost, [expired(1..2), expired(0..1)]);
}

#[tokio::test(start_paused = true)]
async fn empty_groups_feel_the_pressure_of_a_slow_reader() {
    let (producer, consumer) = track(Track::new("t"));
    let _stalled = consumer.subscribe(oldest());
    let mut written = 0;
    while !is_pending(producer.ready()) {
        group(&producer, &[]);
        written += 1;
        assert!(written < 2_000);
    }
    assert!((1_024..1_030).contains(&written), "{written}");
}

#[test]
fn an_empty_group_can_be_fetched() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[]);
    let mut fetched = now(consumer.fetch(Fetch::new(0))).unwrap();
    let end = GroupRead::End(GroupEnd::Finished);
    assert_eq!(now(fetched.next()), end);
}

#[test]
fn an_empty_group_is_the_latest_one_when_it_is_finished() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).latest();
    group(&producer, &[0]);
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    group(&producer, &[]);
    assert!(is_pending(reader.next()), "it has nothing to read");
    group(&producer, &[1]);
    assert_eq!(group_of(now(reader.next()).unwrap()), 2, "nothing was lost");
    let begun = producer.append().unwrap();
    assert!(is_pending(reader.next()), "a group that may be given up");
    begun.finish();
    producer.finish();
    assert_eq!(now(reader.next()).unwrap(), None);
}

#[test]
fn reading_in_sequence_passes_over_empty_groups_without_a_word() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).ordered();
    for timestamps in [&[0][..], &[], &[], &[3]] {
        group(&producer, timestamps);
    }
    producer.finish();
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    assert_eq!(group_of(now(reader.next()).unwrap()), 3);
    assert_eq!(now(reader.next()).unwrap(), None);
}

#[test]
fn groups_that_have_only_begun_count_and_are_evicted_too() {
    let budget = Budget::new(100_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast.create(Track::new("t")).unwrap();
    let mut begun = Vec::new();
    for _ in 0..5_000 {
        begun.push(producer.append().unwrap());
        assert!(budget.used() <= budget.limit());
    }
    let dropped = begun[0].append_at(0, "x").unwrap_err();
    assert_eq!(dropped, WriteError::Dropped);
    assert!(begun[4_999].append_at(0, "x").is_ok());
    drop(begun);
    let used = budget.used();
    assert!(used < 1_000, "{used}: only the one with a frame is left");
}
