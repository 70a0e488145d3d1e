//! Groups that a reader leaves in the track until there is a place for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;
use crate::Backlog;

/// Counts how often a reader is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn aside(reader: &mut TrackReader, wakes: &Arc<Wakes>) -> Poll<Option<NextGroup>> {
    let waker = Waker::from(wakes.clone());
    let next = reader.poll_aside(&Context::from_waker(&waker));
    next.map(|next| next.unwrap())
}

fn sequence(next: Option<NextGroup>) -> Option<u64> {
    match next? {
        NextGroup::Group(group) => Some(group.sequence()),
        NextGroup::Lost { .. } => None,
    }
}

fn lost(next: Poll<Option<NextGroup>>) -> (std::ops::Range<u64>, Abort) {
    let Poll::Ready(Some(NextGroup::Lost { groups, cause })) = next else {
        panic!("{next:?} is no loss")
    };
    (groups, cause)
}

#[test]
fn groups_stay_in_the_track_until_they_are_taken_from_either_end() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::default());
    assert!(aside(&mut reader, &wakes).is_pending());
    assert_eq!(reader.backlog(), Backlog::Empty);
    for n in 0..4 {
        group(&producer, &[n]);
    }
    assert!(aside(&mut reader, &wakes).is_pending());
    assert_eq!(reader.backlog(), Backlog::Newest);
    assert_eq!(sequence(reader.take_oldest()), Some(0));
    assert_eq!(sequence(reader.take_newest()), Some(3));
    assert_eq!(reader.backlog(), Backlog::Older);
    assert_eq!(sequence(reader.take_newest()), Some(2));
    assert_eq!(sequence(reader.take_oldest()), Some(1));
    assert_eq!(reader.backlog(), Backlog::Empty);
    assert!(reader.take_newest().is_none());
}

#[test]
fn further_groups_do_not_wake_a_reader_that_has_no_place_for_the_newest() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    assert!(aside(&mut reader, &wakes).is_pending());
    group(&producer, &[0]);
    assert_eq!(wakes.take(), 1, "there is a backlog now");
    assert!(aside(&mut reader, &wakes).is_pending());
    for n in 1..100 {
        group(&producer, &[n]);
    }
    assert_eq!(wakes.take(), 0);
    assert_eq!(sequence(reader.take_newest()), Some(99));
    assert_eq!(wakes.take(), 0, "it knows what is left");
    group(&producer, &[100]);
    assert_eq!(wakes.take(), 1, "the newest is in the track again");
}

#[test]
fn datagrams_are_yielded_though_groups_before_and_after_are_left() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    group(&producer, &[0]);
    assert!(aside(&mut reader, &wakes).is_pending());
    producer.append_datagram(1, "x").unwrap();
    assert_eq!(wakes.take(), 1);
    group(&producer, &[2]);
    let Poll::Ready(Some(NextGroup::Group(datagram))) = aside(&mut reader, &wakes) else {
        panic!("the datagram waits for nothing")
    };
    assert!(datagram.is_datagram());
    assert_eq!(datagram.sequence(), 1);
    assert!(aside(&mut reader, &wakes).is_pending());
    assert_eq!(sequence(reader.take_newest()), Some(2));
    assert_eq!(sequence(reader.take_newest()), Some(0));
}

#[test]
fn a_finished_track_loses_nothing_that_was_left_in_it() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    for n in [0, 1, 3, 4] {
        let mut group = producer.create(n).unwrap();
        group.append_at(n, "x").unwrap();
        group.finish();
    }
    producer.finish();
    assert_eq!(lost(aside(&mut reader, &wakes)), (2..3, Abort::Missing));
    assert!(aside(&mut reader, &wakes).is_pending(), "four are left");
    for n in [4, 3, 1, 0] {
        wakes.take();
        assert_eq!(sequence(reader.take_newest()), Some(n));
        assert_eq!(wakes.take(), 1, "the end may be next");
        let end = aside(&mut reader, &wakes);
        assert_eq!(matches!(end, Poll::Ready(None)), n == 0, "after {n}");
    }
}

#[test]
fn an_abort_is_told_whatever_was_left_in_the_track() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    group(&producer, &[0]);
    assert!(aside(&mut reader, &wakes).is_pending());
    producer.abort(Abort::Cancelled);
    assert_eq!(wakes.take(), 1);
    let waker = Waker::from(wakes);
    let failed = reader.poll_aside(&Context::from_waker(&waker));
    assert!(matches!(
        failed,
        Poll::Ready(Err(ReadError::Aborted(Abort::Cancelled)))
    ));
}

#[test]
fn what_goes_while_it_is_left_is_lost_for_its_cause() {
    let info = Track::new("t").with_max_age(SECOND);
    let (producer, consumer) = track(info);
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    let mut hasty = consumer.subscribe(oldest().with_max_age(SECOND / 2));
    let hurries = Arc::<Wakes>::default();
    let mut reset = producer.append().unwrap();
    reset.append_at(0, "x").unwrap();
    group(&producer, &[10]);
    assert!(aside(&mut reader, &wakes).is_pending());
    assert!(aside(&mut hasty, &hurries).is_pending());
    group(&producer, &[700]);
    group(&producer, &[800]);
    assert_eq!(
        (wakes.take(), hurries.take()),
        (0, 1),
        "old for one of them"
    );
    assert_eq!(lost(aside(&mut hasty, &hurries)), (0..1, Abort::Expired));
    assert!(
        aside(&mut hasty, &hurries).is_pending(),
        "the next began at 700 ms"
    );
    group(&producer, &[1_100]);
    assert_eq!(wakes.take(), 1);
    assert_eq!(lost(aside(&mut reader, &wakes)), (0..1, Abort::Expired));
    assert_eq!(sequence(reader.take_oldest()), Some(1));
}

#[test]
fn a_late_lower_group_tells_of_losses_above_it() {
    let (feed, consumer) = fed_track();
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    let show = |sequence| {
        let mut group = feed.create(sequence).unwrap();
        group.append_at(0, "x").unwrap();
    };
    show(4);
    feed.set_start(4);
    feed.drop_groups(3..4, Abort::NotFound);
    assert!(aside(&mut reader, &wakes).is_pending());
    wakes.take();
    show(1);
    assert_eq!(wakes.take(), 1, "though the newest is left already");
    assert_eq!(lost(aside(&mut reader, &wakes)), (3..4, Abort::NotFound));
    assert_eq!(reader.first(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_group_left_holds_up_the_input_like_one_that_is_open() {
    let (producer, consumer) = track(Track::new("t"));
    let (mut reader, wakes) = (consumer.subscribe(oldest()), Arc::<Wakes>::default());
    for n in 0..1_100 {
        group(&producer, &[n]);
    }
    assert!(aside(&mut reader, &wakes).is_pending());
    assert!(is_pending(producer.ready()), "it is 1 024 groups ahead");
    for _ in 0..1_099 {
        assert!(reader.take_oldest().is_some());
    }
    assert!(!is_pending(producer.ready()));
}
