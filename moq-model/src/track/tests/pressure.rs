//! Input that waits for readers, and readers that do not keep up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;
use crate::OrderedReader;
use crate::platform::clock;

/// Appends groups of 1 MiB until the producer would have to wait; says how many.
fn fill(producer: &TrackProducer) -> u64 {
    for n in 0..64 {
        if is_pending(producer.ready()) {
            return n;
        }
        let mut group = producer.append().unwrap();
        group.append_at(0, vec![0; 1 << 20]).unwrap();
        group.finish();
    }
    64
}

#[tokio::test(start_paused = true)]
async fn input_waits_only_while_even_the_fastest_reader_is_far_behind() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    assert_eq!(fill(&producer), 64, "without readers nobody waits");

    let mut fast = consumer.subscribe(Subscription::default());
    let _stalled = consumer.subscribe(oldest());
    assert!(now(fast.next_group()).unwrap().is_some());
    let filled = fill(&producer);
    assert!((15..=17).contains(&filled), "{filled}");

    let mut ready = waiting(producer.clone());
    assert!(!ready.poll());
    while let Some(group) = next_now(&mut fast) {
        drop(group);
    }
    assert!(ready.poll(), "the fastest reader has caught up");
}

#[tokio::test(start_paused = true)]
async fn without_history_what_all_readers_have_done_with_goes() {
    let budget = Budget::without_history(64 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast.create(Track::new("t")).unwrap();
    let consumer = producer.consume();
    let mut fast = consumer.subscribe(oldest());
    let mut slow = consumer.subscribe(oldest());
    for _ in 0..4 {
        let mut group = producer.append().unwrap();
        group.append_at(0, vec![0; 1 << 20]).unwrap();
        group.finish();
    }
    let held = || budget.used() >> 20;
    while next_now(&mut fast).is_some() {}
    assert_eq!(held(), 4, "the other has read nothing");
    for _ in 1..4 {
        next_now(&mut slow).unwrap();
    }
    let oldest = next_now(&mut slow).unwrap();
    assert_eq!(held(), 4, "it has begun with the newest, and reads on");
    drop(oldest);
    assert_eq!(held(), 1, "the newest is kept");
    let mut late = consumer.subscribe(Subscription::default());
    assert_eq!(next_now(&mut late).unwrap().sequence(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pause_without_progress_ends_by_skipping() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut stalled = consumer.subscribe(oldest());
    let mut group = producer.append().unwrap();
    group.append_at(0, "first").unwrap();
    group.finish();
    fill(&producer);
    let before = clock::now();
    producer.ready().await;
    assert_eq!(before.elapsed(), 2 * SECOND);
    assert!(
        !is_pending(producer.ready()),
        "and not again for each frame"
    );
    let lost = losses(&mut stalled);
    assert!(matches!(&lost[..], [(groups, Abort::TooFarBehind)] if groups.start == 0));
}

/// A wait for readiness that is polled by hand.
struct Waiting(std::pin::Pin<Box<dyn Future<Output = ()>>>);

impl Waiting {
    fn poll(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.0.as_mut().poll(&mut cx).is_ready()
    }
}

fn waiting(producer: TrackProducer) -> Waiting {
    Waiting(Box::pin(async move { producer.ready().await }))
}

#[tokio::test(start_paused = true)]
async fn progress_counts_for_every_input_that_waits() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).ordered();
    for _ in 0..20 {
        let mut group = producer.append().unwrap();
        group.append_at(0, vec![0; 1 << 20]).unwrap();
        group.finish();
    }
    let (mut lower, mut higher) = (producer.ready_for(17), producer.ready_for(19));
    let mut cx = Context::from_waker(Waker::noop());
    let mut poll = |ready: &mut crate::Ready| std::pin::pin!(ready).poll(&mut cx).is_ready();
    assert!(!poll(&mut lower) && !poll(&mut higher));
    for _ in 0..3 {
        assert!(now(reader.next()).unwrap().is_some());
    }
    assert!(poll(&mut lower) && !poll(&mut higher));
    drop(lower);

    for _ in 0..2 {
        tokio::time::advance(SECOND * 3 / 2).await;
        let next = now(reader.next()).unwrap();
        assert!(matches!(next, Some(TrackRead::Frame { .. })), "{next:?}");
        poll(&mut higher);
    }
}

#[test]
fn a_reader_that_takes_nothing_is_told_of_its_losses_at_once() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut reader = consumer.subscribe(oldest());
    for n in 0..5_000 {
        group(&producer, &[n * 1_000]);
    }
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 4_999);
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 4_998);
    assert_eq!(losses(&mut reader), [(0..4_998, Abort::Expired)]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_small_groups_are_far_behind_too() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let _stalled = consumer.subscribe(oldest());
    let mut written = 0;
    while !is_pending(producer.ready()) {
        group(&producer, &[written]);
        written += 1;
    }
    assert!((1_024..1_030).contains(&written), "{written}");
    producer.ready().await;
    assert!(
        !is_pending(producer.ready()),
        "skipping makes room for more than one"
    );
}

#[tokio::test(start_paused = true)]
async fn inputs_are_woken_only_when_they_may_go_on() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut fast = consumer.subscribe(oldest()).ordered();
    let mut slow = consumer.subscribe(oldest()).ordered();
    for n in 0..1_300 {
        group(&producer, &[n]);
    }
    let sequences = [1_060, 1_100, 1_152, 1_153];
    let wakes: [Arc<Wakes>; 4] = std::array::from_fn(|_| Arc::default());
    let mut inputs = sequences.map(|sequence| producer.ready_for(sequence));
    let mut poll = |at: usize| {
        let waker = Waker::from(wakes[at].clone());
        let ready = std::pin::pin!(&mut inputs[at]);
        ready.poll(&mut Context::from_waker(&waker)).is_ready()
    };
    assert!((0..4).all(|at| !poll(at)));
    let woken = || wakes.each_ref().map(|wakes| wakes.take());

    // With the frame of a group the one before it is finished.
    let read = |reader: &mut OrderedReader, groups: u64| {
        for _ in 0..groups {
            now(reader.next()).unwrap();
        }
    };
    read(&mut slow, 64);
    assert_eq!(woken(), [0; 4], "63 groups of 1024 are little");
    read(&mut fast, 65);
    assert_eq!(woken(), [1, 0, 0, 0], "64 groups more may come, up to 1087");
    assert!(poll(0) && !poll(1));
    read(&mut slow, 64);
    assert_eq!(woken(), [0; 4], "the fast one was there before");
    read(&mut slow, 1);
    assert_eq!(woken(), [0, 1, 0, 0]);
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn input_goes_on_while_a_reader_in_order_lacks_what_is_before_it() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut lacking = producer.create(0).unwrap();
    lacking.append_at(0, "begun").unwrap();
    fill(&producer);
    let mut ready = waiting(producer.clone());
    assert!(!ready.poll(), "it could read");

    assert!(now(reader.next()).unwrap().is_some());
    assert!(!ready.poll(), "it has not asked for more");
    let mut lacks = Box::pin(reader.next());
    assert!(is_pending(&mut lacks));
    assert!(ready.poll(), "it waits for the rest of its group");
    assert_eq!(fill(&producer), 64, "however much comes before that");
    drop(lacks);
    assert!(!waiting(producer.clone()).poll(), "it does not wait now");

    lacking.append_at(1, "whole").unwrap();
    lacking.finish();
    assert!(now(reader.next()).unwrap().is_some());
    assert!(!waiting(producer).poll(), "it could read again");
}

#[tokio::test(start_paused = true)]
async fn groups_that_grow_draw_the_line_nearer() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let _reader = consumer.subscribe(oldest());
    group(&producer, &[0]);
    let mut open: Vec<_> = (1..=20).map(|n| producer.create(n).unwrap()).collect();
    for group in &mut open {
        group.append_at(0, vec![0; 1 << 20]).unwrap();
    }
    let mut last = waiting(producer.clone());
    assert!(!last.poll());
    let is_paused = |group: u64| is_pending(producer.ready_for(group));
    assert!(!is_paused(14) && is_paused(17));
    for group in &mut open[..8] {
        group.append_at(0, vec![0; 1 << 20]).unwrap();
    }
    assert!(!is_paused(7) && is_paused(9), "they hold 16 MiB by now");
}

/// The waits are those of a paused clock: a lift that is forgotten takes two seconds of it.
#[tokio::test(start_paused = true)]
async fn an_input_goes_on_once_its_hasty_reader_was_told_of_what_is_too_old() {
    let (feed, consumer) = fed_track();
    feed.set_start(0);
    let millisecond = Duration::from_millis(1);
    let mut reader = consumer.subscribe(oldest().with_max_age(millisecond));
    for sequence in 0..1_100 {
        let mut group = feed.create(sequence).unwrap();
        group.append_at(sequence * 2, "x").unwrap();
        group.finish();
    }
    let mut open = feed.create(1_100).unwrap();
    open.append_at(2_200, "x").unwrap();
    let before = clock::now();
    let input = feed.ready_for(1_100);
    let viewer = async {
        tokio::task::yield_now().await;
        let mut newest = next_now(&mut reader).unwrap();
        assert_eq!(newest.sequence(), 1_100);
        assert!(matches!(now(newest.next()), GroupRead::Frame(_)));
        assert_eq!(losses(&mut reader).len(), 1_099, "all but the last");
        newest
    };
    let (_, _newest) = tokio::join!(input, viewer);
    assert_eq!(clock::now(), before, "nothing was waited for");
    let mut other = consumer.subscribe(oldest());
    let held = std::iter::from_fn(|| next_now(&mut other)).count();
    assert_eq!(held, 1_101, "nothing was skipped");
}
