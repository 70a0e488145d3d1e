//! M11: wakes that have to come, and work that need not be done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;
use crate::Fetch;

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_fetch_is_over_when_its_group_has_ended() {
    let (_producer, consumer, mut queue) = fed_by(Budget::new(100_000).feeder(), "t");
    let _group = now(consumer.fetch(Fetch::new(2))).unwrap();
    let Request::Fetch(request) = now(queue.next()) else {
        panic!("the group is asked for")
    };
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut cx = Context::from_waker(&waker);
    let mut unused = std::pin::pin!(request.unused());
    assert!(unused.as_mut().poll(&mut cx).is_pending());
    request.group.finish();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(unused.poll(&mut cx).is_ready());
}

#[tokio::test(start_paused = true)]
async fn frames_without_bytes_are_progress() {
    let (producer, consumer) = track(Track::new("t").with_max_age(600 * SECOND));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut first = producer.append().unwrap();
    for _ in 0..8 {
        first.append_at(0, "").unwrap();
    }
    first.finish();
    while !is_pending(producer.ready()) {
        group(&producer, &[0]);
    }
    let mut ready = std::pin::pin!(producer.ready());
    assert!(is_pending(&mut ready));
    for index in 0..8 {
        tokio::time::advance(SECOND * 3 / 2).await;
        let read = now(reader.next()).unwrap();
        assert!(matches!(read, Some(TrackRead::Frame { group: 0, index: i, .. }) if i == index));
        assert!(is_pending(&mut ready), "frame {index} was progress");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_was_given_up_does_not_hold_the_input_open() {
    let (producer, consumer) = track(Track::new("t").with_max_age(600 * SECOND));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut lacking = producer.append().unwrap();
    lacking.append_at(0, "x").unwrap();
    for _ in 0..1_100 {
        group(&producer, &[0]);
    }
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    let mut lacks = Box::pin(reader.next());
    assert!(is_pending(&mut lacks));
    assert!(!is_pending(producer.ready()), "the reader lacks bytes");
    drop(lacks);
    assert!(is_pending(producer.ready()), "it does not ask for them now");
}

#[test]
fn announced_groups_cost_a_reader_no_further_wake() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest());
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let cx = Context::from_waker(&waker);
    assert!(reader.poll_next(&cx).is_pending());
    let begun: Vec<_> = (0..1_000).map(|_| producer.append().unwrap()).collect();
    assert_eq!(
        wakes.0.load(Ordering::Relaxed),
        0,
        "there is nothing to read"
    );
    for mut group in begun {
        group.append_at(0, "x").unwrap();
        group.finish();
    }
    assert_eq!(
        wakes.0.load(Ordering::Relaxed),
        1,
        "it was not polled since"
    );
}
