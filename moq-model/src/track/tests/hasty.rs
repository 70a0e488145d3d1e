//! Readers whose own max age is less than the track's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_group_that_stalls_is_left_once_it_is_too_old_for_its_reader() {
    let (producer, consumer) = track(Track::new("t").with_max_age(600 * SECOND));
    let mut hasty = consumer.subscribe(oldest().with_max_age(SECOND)).ordered();
    let mut patient = consumer.subscribe(oldest()).ordered();
    let mut stalled = producer.append().unwrap();
    stalled.append_at(0, "x").unwrap();
    for reader in [&mut hasty, &mut patient] {
        let read = now(reader.next()).unwrap();
        assert!(matches!(read, Some(TrackRead::Frame { group: 0, .. })));
    }

    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(wakes.clone());
    let mut next = Box::pin(hasty.next());
    let polled = next.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    group(&producer, &[100]);
    group(&producer, &[1_099]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0, "not too old yet");
    group(&producer, &[1_100]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    let skipped = now(next).unwrap();
    let expected = TrackRead::Skipped {
        groups: 0..1,
        cause: Abort::Expired,
    };
    assert_eq!(skipped, Some(expected));
    let read = now(hasty.next()).unwrap();
    assert!(matches!(read, Some(TrackRead::Frame { group: 1, .. })));
    assert!(
        is_pending(patient.next()),
        "the track keeps it for ten minutes"
    );
}

#[test]
fn frames_that_are_there_are_read_whatever_their_age() {
    let (producer, consumer) = track(Track::new("t").with_max_age(600 * SECOND));
    let mut reader = consumer.subscribe(oldest().with_max_age(SECOND)).ordered();
    let mut old = producer.append().unwrap();
    old.append_at(0, "x").unwrap();
    assert!(now(reader.next()).unwrap().is_some());
    old.append_at(1, "y").unwrap();
    group(&producer, &[100]);
    group(&producer, &[5_000]);
    let read = now(reader.next()).unwrap();
    assert!(matches!(
        read,
        Some(TrackRead::Frame {
            group: 0,
            index: 1,
            ..
        })
    ));
}
