//! M7: what is left of a track that has ended.

use super::*;
use crate::{BroadcastConsumer, RouteError};

/// A broadcast with a track that has ended with one group; its max age is 5 s.
fn ended() -> (BroadcastProducer, BroadcastConsumer, Budget) {
    let budget = Budget::new(1 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    group(&track, &[0]);
    track.finish();
    let consumer = broadcast.consume();
    (broadcast, consumer, budget)
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_ended_track_is_let_go_of_after_its_max_age() {
    let (_broadcast, consumer, budget) = ended();
    pass(4).await;
    assert!(budget.used() > 0);
    pass(1).await;
    assert_eq!(consumer.track("t").unwrap_err(), RouteError::NotFound);
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_finished_before_anybody_came_is_there_until_then() {
    let (_broadcast, consumer, _budget) = ended();
    pass(4).await;
    let mut reader = consumer.track("t").unwrap().subscribe(oldest()).ordered();
    pass(10).await;
    assert!(consumer.track("t").is_ok(), "it is read");
    assert_eq!(group_of(reader.next().await.unwrap()), 0);
    assert_eq!(reader.next().await.unwrap(), None);
    drop(reader);
    assert_eq!(consumer.track("t").unwrap_err(), RouteError::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_in_time_changes_nothing() {
    let (_broadcast, consumer, budget) = ended();
    drop(consumer.track("t").unwrap().subscribe(oldest()));
    pass(4).await;
    assert!(consumer.track("t").is_ok());
    assert!(budget.used() > 0);
    pass(1).await;
    assert!(consumer.track("t").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_track_that_was_given_up_is_let_go_of_too() {
    let budget = Budget::new(1 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    group(&track, &[0]);
    drop(track);
    pass(5).await;
    assert!(broadcast.consume().track("t").is_err());
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_live_track_is_never_let_go_of() {
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("t")).unwrap();
    group(&track, &[0]);
    pass(1_000).await;
    let mut reader = broadcast.consume().track("t").unwrap().subscribe(oldest());
    assert_eq!(taken(&mut reader), [0]);
    assert_eq!(track.next_sequence(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_can_be_used_again_at_once() {
    let (broadcast, consumer, budget) = ended();
    let again = broadcast.create(Track::new("t")).unwrap();
    pass(60).await;
    let mut reader = consumer.track("t").unwrap().subscribe(oldest());
    group(&again, &[0]);
    assert_eq!(taken(&mut reader), [0]);
    drop((reader, again, broadcast, consumer));
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_track_of_a_peer_is_let_go_of_with_its_feed() {
    let budget = Budget::new(1 << 20);
    let (feed_of, consumer, _queue) = fed_by(budget.feeder(), "t");
    feed(&feed_of, 0);
    feed_of.finish();
    assert!(budget.used() > 0, "a handle is left");
    pass(5).await;
    assert_eq!(budget.used(), 0, "whatever handle is left");
    drop(consumer);
}

#[test]
fn the_last_reader_that_goes_and_one_that_comes_are_decided_at_once() {
    let (source, mut queue) = RequestSource::new(Budget::default().feeder());
    let broadcast = source.broadcast(&"room".parse().unwrap());
    let consumer = broadcast.track("t").unwrap();
    let mut asked = || match now(queue.next()) {
        Request::Track(request) => request.track,
        Request::Fetch(other) => panic!("{other:?}"),
    };
    let first = asked();
    first.accept(Track::new("t").info);
    let reader = consumer.subscribe(oldest());
    assert!(!first.end_unused(), "somebody reads");
    drop(reader);
    let reader = consumer.subscribe(oldest());
    assert!(!first.end_unused(), "somebody else reads");
    drop(reader);
    assert!(first.end_unused());

    let mut late = consumer.subscribe(oldest());
    let second = asked();
    second.accept(Track::new("t").info);
    second.set_start(0);
    feed(&second, 0);
    assert_eq!(taken(&mut late), [0], "it was asked for anew");
}
