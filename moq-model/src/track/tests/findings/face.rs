//! M12 and M13: what the public face lets callers tell apart.

use super::*;
use crate::{Fetch, TrackEnded};

#[test]
fn another_priority_does_not_move_where_a_reader_is() {
    let (producer, consumer) = track(Track::new("t"));
    let wanted = Subscription::default();
    let mut reader = consumer.subscribe(wanted);
    for n in 0..3 {
        group(&producer, &[n]);
    }
    reader.update(wanted.with_priority(9));
    assert_eq!(taken(&mut reader), [2, 1, 0], "it began before the first");
    assert_eq!(reader.subscription().priority, 9);
}

#[test]
fn a_wait_for_demand_tells_met_from_ended() {
    let (producer, consumer) = track(Track::new("t"));
    let mut demand = producer.demand();
    let reader = consumer.subscribe(oldest());
    let met = now(demand.wait_for(|demand| demand.is_some())).unwrap();
    assert_eq!(met.map(|demand| demand.start), Some(Start::OLDEST));
    producer.finish();
    let met = now(demand.wait_for(|demand| demand.is_some()));
    assert!(met.is_ok(), "an end does not take the demand away");
    drop(reader);
    let ended = now(demand.wait_for(|demand| demand.is_some()));
    assert_eq!(ended.unwrap_err(), TrackEnded);
}

#[test]
fn whoever_writes_a_group_learns_that_it_takes_no_more() {
    let (producer, _consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut old = producer.append().unwrap();
    old.append_at(0, "x").unwrap();
    assert!(is_pending(old.closed()));
    group(&producer, &[10]);
    group(&producer, &[10_000]);
    now(old.closed());
}

#[test]
fn a_fetch_that_cannot_be_served_says_what_is_missing() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[0]);
    let error = now(consumer.fetch(Fetch::new(7))).unwrap_err();
    assert_eq!(error, ReadError::NoGroup(7));
    assert!(error.to_string().contains("group 7"), "{error}");

    let (_feed, consumer, _queue) = fed_by(Budget::new(10).feeder(), "t");
    let error = now(consumer.fetch(Fetch::new(7))).unwrap_err();
    assert_eq!(error, ReadError::NoRoom(7));
    assert!(error.to_string().contains("no room"), "{error}");
}

#[test]
fn what_is_left_out_has_a_cause_of_the_model() {
    let causes = [
        (Abort::Missing, "it never came"),
        (Abort::Evicted, "it was dropped for memory"),
        (Abort::TooFarBehind, "its readers fell too far behind"),
        (Abort::SessionClosed, "the session that carried it ended"),
    ];
    for (cause, text) in causes {
        assert_eq!(cause.to_string(), text);
    }
}
