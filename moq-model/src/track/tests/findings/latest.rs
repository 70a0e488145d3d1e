//! M6 and M9: what is left out for a newer group, and who is cut off because of it.

use super::*;

#[test]
fn a_group_that_was_read_to_its_end_is_not_left_out() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).latest();
    group(&producer, &[0]);
    for n in 1..10 {
        assert_eq!(group_of(now(reader.next()).unwrap()), n - 1);
        // Before the reader has asked for the end of the one before.
        group(&producer, &[n]);
    }
    assert_eq!(group_of(now(reader.next()).unwrap()), 9);
    assert!(is_pending(reader.next()));
}

#[test]
fn only_what_was_not_read_of_the_current_group_is_left_out() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).latest();
    group(&producer, &[0, 1]);
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    group(&producer, &[2]);
    assert_eq!(now(reader.next()).unwrap(), skipped(0..1, Abort::Expired));
    assert_eq!(group_of(now(reader.next()).unwrap()), 1);
}

#[test]
fn the_frames_of_a_latest_group_are_read_before_its_abort() {
    for is_track in [false, true] {
        let (producer, consumer) = track(Track::new("t"));
        let mut reader = consumer.subscribe(oldest()).latest();
        let mut current = producer.append().unwrap();
        for timestamp in 0..3 {
            current.append_at(timestamp, "x").unwrap();
        }
        assert_eq!(group_of(now(reader.next()).unwrap()), 0);
        if is_track {
            producer.clone().abort(Abort::Other(3));
        }
        current.abort(Abort::Other(3));
        for index in 1..3 {
            let read = now(reader.next()).unwrap();
            assert!(matches!(read, Some(TrackRead::Frame { index: i, .. }) if i == index));
        }
        let told = skipped(0..1, Abort::Other(3));
        assert_eq!(now(reader.next()).unwrap(), told, "its end is missing");
    }
}

#[test]
fn a_latest_group_that_is_evicted_is_told_once() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(5_000));
    let producer = broadcast.create(Track::new("t")).unwrap();
    let other = broadcast.create(Track::new("other")).unwrap();
    let mut reader = producer.consume().subscribe(oldest()).latest();
    let mut current = producer.append().unwrap();
    current.append_at(0, zeros(3_000)).unwrap();
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    let mut greedy = other.append().unwrap();
    greedy.append_at(0, zeros(4_000)).unwrap();
    assert_eq!(now(reader.next()).unwrap(), skipped(0..1, Abort::Evicted));
    assert!(is_pending(reader.next()));
}

#[test]
fn a_stuck_reader_is_cut_off_while_the_newest_group_grows() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut hasty = consumer.subscribe(oldest().with_max_age(SECOND));
    let mut patient = consumer.subscribe(oldest());
    group(&producer, &[0]);
    let mut stuck = next_now(&mut hasty).unwrap();
    let mut going = next_now(&mut patient).unwrap();
    let mut newest = producer.append().unwrap();
    newest.append_at(10, "x").unwrap();
    let cx = Context::from_waker(Waker::noop());
    newest.append_at(1_009, "x").unwrap();
    assert!(
        stuck.poll_cut(&cx).is_pending(),
        "999 ms after its successor"
    );
    newest.append_at(1_010, "x").unwrap();
    let expired = GroupEnd::Aborted(Abort::Expired);
    assert_eq!(stuck.poll_cut(&cx), Poll::Ready(expired));
    assert!(matches!(now(going.next()), GroupRead::Frame(_)));
}

#[test]
fn a_group_is_too_old_for_the_track_while_the_newest_one_grows() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut reader = consumer.subscribe(oldest());
    group(&producer, &[0]);
    let mut newest = producer.append().unwrap();
    newest.append_at(10, "x").unwrap();
    newest.append_at(5_000, "x").unwrap();
    assert_eq!(taken(&mut reader), [1]);
    let mut late = consumer.subscribe(oldest());
    assert_eq!(taken(&mut late), [1]);
}
