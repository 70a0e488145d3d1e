//! Groups, readers, expiry and pressure of one track.

mod fetch;
mod latest;
mod ordered;
mod pressure;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::{
    Abort, BroadcastProducer, Budget, GroupEnd, GroupRead, OrderedRead, ReadError, Start,
    Subscription, Track, TrackConsumer, TrackProducer, TrackReader, WriteError,
};

const SECOND: Duration = Duration::from_secs(1);

fn track(track: Track) -> (TrackProducer, TrackConsumer) {
    let producer = BroadcastProducer::new().create(track).unwrap();
    let consumer = producer.consume();
    (producer, consumer)
}

/// Writes the next group with one frame at each of `timestamps`.
fn group(track: &TrackProducer, timestamps: &[u64]) {
    let mut group = track.append().unwrap();
    for &timestamp in timestamps {
        group.append_at(timestamp, "x").unwrap();
    }
    group.finish();
}

fn oldest() -> Subscription {
    Subscription::default().from(Start::OLDEST)
}

/// Waits for nothing: what is not there now is a failure.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it would wait"),
    }
}

fn is_pending<F: Future>(future: F) -> bool {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    future.as_mut().poll(&mut cx).is_pending()
}

fn next_now(reader: &mut TrackReader) -> Option<crate::GroupConsumer> {
    let cx = Context::from_waker(Waker::noop());
    match reader.poll_next_group(&cx) {
        Poll::Ready(group) => group.unwrap(),
        Poll::Pending => None,
    }
}

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
    let mut reader = consumer.subscribe(Subscription::default().from(Start::Floor(3)));
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
    reader.update(Subscription::default().from(Start::Floor(1)));
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 1);
    assert!(is_pending(reader.next_group()));
    reader.update(Subscription::default().from(Start::Floor(3)));
    reader.update(Subscription::default().from(Start::Floor(1)));
    assert!(is_pending(reader.next_group()));
}

#[test]
fn a_raised_end_offers_what_was_left_out() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest().until(2));
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

#[test]
fn a_group_is_expired_when_its_successor_began_the_age_ago() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    group(&producer, &[0]);
    group(&producer, &[100]);
    group(&producer, &[1_099]);
    // Group 0 reached until 100, which was 999 ms ago: still wanted.
    let mut reader = consumer.subscribe(oldest());
    let begun: Vec<_> = (0..3)
        .map(|_| now(reader.next_group()).unwrap().unwrap().sequence())
        .collect();
    assert_eq!(begun, [2, 1, 0]);
    let mut newest = producer.append().unwrap();
    newest.append_at(1_100, "x").unwrap();
    let mut late = consumer.subscribe(oldest());
    let begun: Vec<_> = (0..3)
        .map(|_| now(late.next_group()).unwrap().unwrap().sequence())
        .collect();
    assert_eq!(begun, [3, 2, 1], "group 0 is 1 000 ms too old by now");
}

#[test]
fn expiry_is_a_value_for_the_reader() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut reader = consumer.subscribe(oldest());
    group(&producer, &[0, 10]);
    let mut old = now(reader.next_group()).unwrap().unwrap();
    assert!(matches!(now(old.next()), GroupRead::Frame(_)));
    group(&producer, &[20]);
    group(&producer, &[5_000]);
    assert_eq!(now(old.next()), GroupRead::End(GroupEnd::Expired));
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
}

#[test]
fn a_shorter_age_of_one_reader_cuts_off_that_reader_only() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut patient = consumer.subscribe(oldest());
    let mut hasty = consumer.subscribe(oldest().with_max_age(Duration::ZERO));
    let mut begun = consumer.subscribe(oldest().with_max_age(Duration::ZERO));
    let mut first = producer.append().unwrap();
    first.append_at(0, "x").unwrap();
    let mut kept = now(patient.next_group()).unwrap().unwrap();
    let mut cut = now(hasty.next_group()).unwrap().unwrap();
    let mut going = now(begun.next_group()).unwrap().unwrap();
    assert!(matches!(now(going.next()), GroupRead::Frame(_)));
    group(&producer, &[1]);
    assert_eq!(now(cut.next()), GroupRead::End(GroupEnd::Expired));
    assert!(matches!(now(kept.next()), GroupRead::Frame(_)));

    // A reader that keeps up is not cut off in the middle, one that is held up is.
    first.append_at(0, "y").unwrap();
    assert!(matches!(now(going.next()), GroupRead::Frame(_)));
    let held_up = going.poll_cut(&Context::from_waker(Waker::noop()));
    assert_eq!(held_up, Poll::Ready(GroupEnd::Expired));
}

#[test]
fn the_budget_drops_the_oldest_groups_and_keeps_the_newest() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast
        .create(Track::new("t").with_max_age(60 * SECOND))
        .unwrap();
    let mut reader = producer.consume().subscribe(oldest());
    for n in 0..20 {
        let mut group = producer.append().unwrap();
        group.append_at(n, vec![0; 2_000]).unwrap();
        group.finish();
    }
    assert!(budget.used() <= budget.limit());
    let newest = now(reader.next_group()).unwrap().unwrap();
    assert_eq!(newest.sequence(), 19);
    let mut oldest = None;
    while !is_pending(std::future::poll_fn(|cx| {
        match reader.poll_next_group(cx) {
            Poll::Ready(group) => {
                oldest = group.unwrap();
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    })) {}
    let mut oldest = oldest.unwrap();
    assert_eq!(oldest.sequence(), 0);
    assert_eq!(now(oldest.next()), GroupRead::End(GroupEnd::Evicted));
    drop((reader, newest, oldest, producer, broadcast));
    assert_eq!(budget.used(), 0);
}

/// Appends a finished group of one frame.
fn fill(producer: &TrackProducer, timestamp: u64, bytes: usize) {
    let mut group = producer.append().unwrap();
    group.append_at(timestamp, vec![0; bytes]).unwrap();
    group.finish();
}

fn sequences(reader: &mut TrackReader) -> Vec<u64> {
    let mut sequences = Vec::new();
    while let Some(mut group) = next_now(reader) {
        if matches!(now(group.next()), GroupRead::Frame(_)) {
            sequences.push(group.sequence());
        }
    }
    sequences
}

#[test]
fn a_greedy_track_takes_nothing_from_modest_ones() {
    let budget = Budget::new(100_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let create = |name| {
        broadcast
            .create(Track::new(name).with_max_age(60 * SECOND))
            .unwrap()
    };
    let (modest, greedy) = (create("modest"), create("greedy"));
    for n in 0..10 {
        fill(&modest, n, 1_000);
    }
    for n in 0..100 {
        fill(&greedy, n, 10_000);
        assert!(budget.used() <= budget.limit());
    }
    // Whoever writes last is not the one who pays.
    fill(&modest, 10, 1_000);
    let mut readers = [&modest, &greedy].map(|track| track.consume().subscribe(oldest()));
    assert_eq!(
        sequences(&mut readers[0]).len(),
        11,
        "all of the modest one"
    );
    let kept = sequences(&mut readers[1]);
    assert_eq!(kept[0], 99, "the newest of the greedy one");
    assert!((6..9).contains(&kept.len()), "{kept:?}");
}

#[test]
fn the_newest_group_of_each_track_stays_whatever_the_budget_is() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let create = |name: &String| broadcast.create(Track::new(name.as_str())).unwrap();
    let tracks: Vec<TrackProducer> = names.iter().map(create).collect();
    for (n, track) in tracks.iter().enumerate() {
        fill(track, n as u64, 2_000);
    }
    for track in &tracks {
        let mut reader = track.consume().subscribe(oldest());
        assert_eq!(sequences(&mut reader), [0]);
    }
    drop((tracks, broadcast));
    assert_eq!(budget.used(), 0);
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
