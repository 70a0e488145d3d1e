//! M5: how long reading in sequence waits for a group that may still come.

use super::*;
use crate::platform::clock;

/// A track of a peer with a gap at group 1, and a reader that is at the gap.
async fn with_gap(wanted: Subscription) -> (TrackFeed, crate::OrderedReader) {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(wanted).ordered();
    feed(&producer, 0);
    feed(&producer, 2);
    assert_eq!(group_of(reader.next().await.unwrap()), 0);
    (producer, reader)
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_waited_for_as_long_as_the_max_age_of_the_track_by_default() {
    for wanted in [
        Subscription::default().with_start(Start::Floor(0)),
        oldest().with_max_age(SECOND),
        oldest().with_max_age(60 * SECOND),
    ] {
        let (_producer, mut reader) = with_gap(wanted).await;
        let before = clock::now();
        let read = reader.next().await.unwrap();
        assert_eq!(read, skipped(1..2, Abort::Missing));
        assert_eq!(before.elapsed(), 5 * SECOND, "{wanted:?}");
        assert_eq!(group_of(reader.next().await.unwrap()), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_patience_of_a_reader_is_not_its_max_age() {
    for patience in [Duration::ZERO, SECOND, 40 * SECOND] {
        let wanted = oldest().with_max_age(2 * SECOND).with_patience(patience);
        let (_producer, mut reader) = with_gap(wanted).await;
        let before = clock::now();
        let read = reader.next().await.unwrap();
        assert_eq!(read, skipped(1..2, Abort::Missing));
        assert_eq!(before.elapsed(), patience);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_at_once_when_its_cause_is_known() {
    let causes = [Abort::Expired, Abort::Evicted, Abort::Other(3)];
    for cause in causes {
        let (producer, mut reader) = with_gap(oldest().with_patience(60 * SECOND)).await;
        let before = clock::now();
        let (read, ()) = tokio::join!(reader.next(), async {
            producer.drop_groups(1..2, cause);
        });
        assert_eq!(read.unwrap(), skipped(1..2, cause));
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_group_ends_the_wait() {
    let (producer, mut reader) = with_gap(oldest()).await;
    let (read, ()) = tokio::join!(reader.next(), async { feed(&producer, 1) });
    assert_eq!(group_of(read.unwrap()), 1);
    assert_eq!(group_of(reader.next().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_a_gap_expires_with_a_word() {
    let (producer, mut reader) = with_gap(oldest().with_patience(Duration::MAX)).await;
    let mut far = producer.create(9).unwrap();
    far.append_at(1_000, "x").unwrap();
    let mut farther = producer.create(10).unwrap();
    farther.append_at(20_000, "x").unwrap();
    let read = reader.next().await.unwrap();
    assert_eq!(read, skipped(1..3, Abort::Expired));
    assert!(is_pending(reader.next()), "groups 3 to 8 may still come");
    producer.drop_groups(3..9, Abort::Evicted);
    let read = reader.next().await.unwrap();
    assert_eq!(read, skipped(3..9, Abort::Evicted));
    assert_eq!(group_of(reader.next().await.unwrap()), 9);
}

#[tokio::test(start_paused = true)]
async fn a_gap_before_the_first_group_is_waited_for_as_long() {
    let (producer, consumer) = fed_track();
    producer.set_start(0);
    let mut reader = consumer.subscribe(oldest()).ordered();
    feed(&producer, 3);
    let before = clock::now();
    let read = reader.next().await.unwrap();
    assert_eq!(read, skipped(0..3, Abort::Missing));
    assert_eq!(before.elapsed(), 5 * SECOND);
    assert_eq!(group_of(reader.next().await.unwrap()), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_group_holds_reading_up_no_longer_than_the_track_keeps_it() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest()).ordered();
    let mut stalled = producer.append().unwrap();
    stalled.append_at(0, "x").unwrap();
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    let mut newest = producer.append().unwrap();
    newest.append_at(10, "x").unwrap();
    assert!(is_pending(reader.next()));
    newest.append_at(5_010, "x").unwrap();
    assert_eq!(now(reader.next()).unwrap(), skipped(0..1, Abort::Expired));
    assert_eq!(group_of(now(reader.next()).unwrap()), 1);
}
