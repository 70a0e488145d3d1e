//! What is charged, who gives way, and when it is given back.

use super::*;

/// A track of a budget that a peer feeds, with what it takes to ask again.
fn fed(budget: &Budget) -> (crate::session::RequestQueue, TrackFeed, TrackConsumer) {
    let (source, mut queue) = RequestSource::new(budget.feeder());
    let consumer = source
        .broadcast(&"room".parse().unwrap())
        .track("t")
        .unwrap();
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for")
    };
    (queue, request.track, consumer)
}

#[tokio::test(start_paused = true)]
async fn a_track_that_ended_unused_is_let_go_of_while_it_can_be_fed() {
    let budget = Budget::new(10_000);
    let (_queue, feed, _consumer) = fed(&budget);
    feed.accept(Track::new("t").with_max_age(SECOND).info);
    let _begun = feed.create(0).unwrap();
    tokio::time::advance(SECOND).await;
    assert!(feed.end_unused());
    assert!(budget.used() > 0);
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_max_age_that_comes_after_the_end_counts() {
    let budget = Budget::new(10_000);
    let (_queue, feed, _consumer) = fed(&budget);
    let _begun = feed.create(0).unwrap();
    tokio::time::advance(SECOND).await;
    assert!(feed.end_unused());
    feed.accept(Track::new("t").with_max_age(9 * SECOND).info);
    tokio::time::advance(8 * SECOND).await;
    assert!(budget.used() > 0);
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(budget.used(), 0);
}

#[test]
fn the_newest_group_of_a_modest_feeder_does_not_pay_for_a_large_frame() {
    let budget = Budget::new(10_000);
    let [modest, greedy] = [(); 2].map(|()| {
        let broadcast = BroadcastProducer::with_budget(budget.clone());
        let track = broadcast.create(Track::new("t")).unwrap();
        (broadcast, track)
    });
    fill(&modest.1, 0, 1_000);
    let held = budget.used();
    let mut group = greedy.1.append().unwrap();
    let refused = group.append_at(0, vec![0; 9_500]);
    assert_eq!(refused, Err(WriteError::Dropped));
    assert_eq!(budget.used(), held);
    assert_eq!(budget.newest_dropped(), 1, "the one that was written");
}

#[test]
fn nobody_gives_way_for_what_is_refused_anyway() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let create = |name| broadcast.create(Track::new(name)).unwrap();
    let (held, ended, live) = (create("held"), create("ended"), create("live"));
    ended.clone().finish();
    let mut gone = live.append().unwrap();
    assert!(gone.append_at(0, vec![0; 20_000]).is_err());
    fill(&held, 0, 4_000);
    let overhead = usize::try_from(budget.used()).unwrap() - 4_000;
    fill(&held, 0, 6_000 - 2 * overhead - 10);
    let used = budget.used();
    assert_eq!(used, budget.limit() - 10, "no room for a group");
    assert_eq!(gone.append_at(0, vec![0; 2_000]), Err(WriteError::Dropped));
    assert_eq!(ended.append().unwrap_err(), WriteError::Closed);
    assert_eq!(held.create(0).unwrap_err(), WriteError::Duplicate);
    assert_eq!(budget.used(), used);
}

#[test]
fn what_arrived_of_a_frame_that_is_too_large_is_given_back() {
    let budget = Budget::default();
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    let mut group = track.append().unwrap();
    group.arrive(100).unwrap();
    let refused = group.append_at(0, vec![0; 33 << 20]);
    assert_eq!(refused, Err(WriteError::GroupTooLarge));
    group.append_at(0, "x").unwrap();
    drop((group, track, broadcast));
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_reader_leads_to_a_track_that_can_be_asked_for_again() {
    let (mut queue, feed, consumer) = fed(&Budget::default());
    let reader = consumer.subscribe(oldest());
    let again = reader.track();
    drop(reader);
    assert!(feed.end_unused());
    let _reader = again.subscribe(oldest());
    assert!(matches!(now(queue.next()), Request::Track(_)));
}
