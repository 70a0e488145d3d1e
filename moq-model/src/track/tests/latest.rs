//! The newest group, and nothing that was before it.

use super::*;

fn frame(group: u64, index: usize, read: Option<TrackRead>) -> String {
    match read {
        Some(TrackRead::Frame {
            group: g,
            index: i,
            frame,
        }) if (g, i) == (group, index) => String::from_utf8(frame.payload.to_vec()).unwrap(),
        other => panic!("frame {index} of group {group} was expected, not {other:?}"),
    }
}

fn skipped(groups: std::ops::Range<u64>) -> Option<TrackRead> {
    let cause = Abort::Expired;
    Some(TrackRead::Skipped { groups, cause })
}

#[test]
fn a_newer_group_ends_the_reading_of_the_one_before() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).latest();
    assert!(is_pending(reader.next()));
    let mut first = producer.append().unwrap();
    first.append_at(0, "a").unwrap();
    first.append_at(1, "b").unwrap();
    assert_eq!(frame(0, 0, now(reader.next()).unwrap()), "a");

    let mut second = producer.append().unwrap();
    second.append_at(2, "c").unwrap();
    assert_eq!(now(reader.next()).unwrap(), skipped(0..1), "b is left out");
    assert_eq!(frame(1, 0, now(reader.next()).unwrap()), "c");
    assert!(is_pending(reader.next()));
    second.append_at(3, "d").unwrap();
    assert_eq!(frame(1, 1, now(reader.next()).unwrap()), "d");
}

#[test]
fn what_was_missed_meanwhile_is_reported_and_does_not_come_later() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).latest();
    group(&producer, &[0]);
    assert!(matches!(
        now(reader.next()).unwrap(),
        Some(TrackRead::Frame { group: 0, .. })
    ));
    assert!(is_pending(reader.next()));
    for sequence in [4, 2, 5] {
        let mut group = producer.create(sequence).unwrap();
        group.append_at(sequence, "x").unwrap();
        group.finish();
    }
    assert_eq!(now(reader.next()).unwrap(), skipped(1..5));
    assert_eq!(frame(5, 0, now(reader.next()).unwrap()), "x");
    let mut late = producer.create(3).unwrap();
    late.append_at(3, "late").unwrap();
    late.finish();
    assert!(is_pending(reader.next()), "older than what was read");
}

#[test]
fn the_last_group_is_read_to_its_end() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).latest();
    let mut last = producer.append().unwrap();
    last.append_at(0, "a").unwrap();
    producer.finish();
    assert_eq!(frame(0, 0, now(reader.next()).unwrap()), "a");
    last.append_at(1, "b").unwrap();
    last.finish();
    assert_eq!(frame(0, 1, now(reader.next()).unwrap()), "b");
    assert_eq!(now(reader.next()).unwrap(), None);
}

#[test]
fn a_group_that_was_given_up_is_told_with_its_end() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut reader = consumer.subscribe(oldest()).latest();
    let mut given_up = producer.append().unwrap();
    given_up.append_at(0, "a").unwrap();
    assert_eq!(frame(0, 0, now(reader.next()).unwrap()), "a");
    given_up.abort(Abort::Cancelled);
    let (groups, cause) = (0..1, Abort::Cancelled);
    let told = TrackRead::Skipped { groups, cause };
    assert_eq!(now(reader.next()).unwrap(), Some(told));
    drop(producer);
    assert!(now(reader.next()).is_err(), "the track had no finish");
}
