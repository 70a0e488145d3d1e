//! M2 and M3: what a reader learns when a track ends, with its groups there or not.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_finish_ends_the_wait_for_a_gap() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(Subscription::default()).ordered();
    feed(&producer, 0);
    feed(&producer, 2);
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    assert!(is_pending(reader.next()), "group 1 may come");
    producer.finish();
    assert_eq!(now(reader.next()).unwrap(), skipped(1..2, Abort::Missing));
    assert_eq!(group_of(now(reader.next()).unwrap()), 2);
    assert_eq!(now(reader.next()).unwrap(), None);
}

#[test]
fn an_abort_ends_the_wait_for_a_gap() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(Subscription::default()).ordered();
    feed(&producer, 0);
    feed(&producer, 2);
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    producer.abort(Abort::Other(7));
    let error = now(reader.next()).unwrap_err();
    assert_eq!(error, ReadError::Aborted(Abort::Other(7)));
    assert_eq!(reader.position(), Some((1, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_end_wakes_a_reader_that_waits_for_a_gap() {
    for is_finished in [true, false] {
        let (producer, consumer) = fed_track();
        producer.set_start(0);
        let wanted = oldest().with_patience(Duration::MAX);
        let mut reader = consumer.subscribe(wanted).ordered();
        feed(&producer, 0);
        feed(&producer, 2);
        assert_eq!(group_of(reader.next().await.unwrap()), 0);
        let (next, ()) = tokio::join!(reader.next(), async {
            if is_finished {
                producer.finish();
            } else {
                producer.abort(Abort::Cancelled);
            }
        });
        let missing = skipped(1..2, Abort::Missing);
        let aborted = ReadError::Aborted(Abort::Cancelled);
        assert_eq!(
            next,
            if is_finished {
                Ok(missing)
            } else {
                Err(aborted)
            }
        );
    }
}

#[test]
fn the_groups_between_the_last_and_a_told_end_are_missing() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut newest = consumer.subscribe(oldest());
    feed(&producer, 0);
    producer.set_end(4);
    producer.drop_groups(2..3, Abort::Expired);
    producer.finish();
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    let lost = [
        (1..2, Abort::Missing),
        (2..3, Abort::Expired),
        (3..4, Abort::Missing),
    ];
    for (groups, cause) in lost.clone() {
        assert_eq!(now(reader.next()).unwrap(), skipped(groups, cause));
    }
    assert_eq!(now(reader.next()).unwrap(), None);
    assert_eq!(newest.end(), 4);
    assert_eq!(next_now(&mut newest).unwrap().sequence(), 0);
    for (groups, cause) in lost {
        let Some(NextGroup::Lost {
            groups: g,
            cause: c,
        }) = now(newest.next()).unwrap()
        else {
            panic!("{groups:?} are lost")
        };
        assert_eq!((g, c), (groups, cause));
    }
    assert!(now(newest.next()).unwrap().is_none());
}

#[test]
fn a_reader_with_an_end_does_not_wait_for_the_track() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(oldest().with_end(2)).ordered();
    feed(&producer, 3);
    producer.drop_groups(0..5, Abort::Evicted);
    assert!(is_pending(reader.next()), "it has begun with nothing");
    producer.finish();
    assert_eq!(now(reader.next()).unwrap(), skipped(0..2, Abort::Evicted));
    assert_eq!(now(reader.next()).unwrap(), None);
}

/// A track whose session dies: group 5 has begun without a frame, 6 is whole.
fn dying() -> (TrackFeed, TrackConsumer, crate::GroupProducer) {
    let (producer, consumer) = fed_track();
    producer.set_start(5);
    let begun = producer.create(5).unwrap();
    (producer, consumer, begun)
}

#[test]
fn a_group_that_goes_down_with_its_session_is_not_lost_newest_first() {
    let (producer, consumer, begun) = dying();
    let mut reader = consumer.subscribe(oldest());
    feed(&producer, 6);
    begun.abort(Abort::SessionClosed);
    assert_eq!(next_now(&mut reader).unwrap().sequence(), 6);
    assert_eq!(losses(&mut reader), [], "it may come of another session");
    producer.abort(Abort::SessionClosed);
    let error = now(reader.next()).unwrap_err();
    assert_eq!(error, ReadError::Aborted(Abort::SessionClosed));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_goes_down_with_its_session_is_not_skipped_in_sequence() {
    let (producer, consumer, begun) = dying();
    let mut reader = consumer.subscribe(oldest()).ordered();
    feed(&producer, 6);
    begun.abort(Abort::SessionClosed);
    assert!(is_pending(reader.next()));
    producer.abort(Abort::SessionClosed);
    let error = now(reader.next()).unwrap_err();
    assert_eq!(error, ReadError::Aborted(Abort::SessionClosed));
    assert!(matches!(reader.position(), None | Some((5, 0))));
}

#[test]
fn a_group_that_goes_down_after_its_track_is_not_skipped() {
    let (producer, consumer, begun) = dying();
    let mut newest = consumer.subscribe(oldest());
    let mut ordered = consumer.subscribe(oldest()).ordered();
    feed(&producer, 6);
    producer.abort(Abort::SessionClosed);
    drop(begun);
    assert_eq!(next_now(&mut newest).unwrap().sequence(), 6);
    let lost = ReadError::Aborted(Abort::SessionClosed);
    assert_eq!(now(newest.next()).unwrap_err(), lost);
    assert_eq!(now(ordered.next()).unwrap_err(), lost);
}

#[test]
fn a_group_that_went_down_with_its_session_is_told_if_the_track_finishes() {
    let (producer, consumer, begun) = dying();
    let mut newest = consumer.subscribe(oldest());
    feed(&producer, 6);
    begun.abort(Abort::SessionClosed);
    producer.finish();
    assert_eq!(next_now(&mut newest).unwrap().sequence(), 6);
    let Some(NextGroup::Lost { groups, cause }) = now(newest.next()).unwrap() else {
        panic!("group 5 is lost")
    };
    assert_eq!((groups, cause), (5..6, Abort::SessionClosed));
    assert!(now(newest.next()).unwrap().is_none());
}
