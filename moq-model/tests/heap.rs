//! What the model takes from the heap, beside what it says that it takes.

#![allow(clippy::unwrap_used, reason = "tests")]

use allocation_counter::measure;
use moq_model::session::{RequestSource, SessionId, Source};
use moq_model::{
    AnnouncedEvent, BroadcastPath, BroadcastProducer, Budget, HopId, OriginProducer, Route, Track,
};

/// Fills a track that nobody reads; says what the heap has and what the budget says, in bytes.
fn fill(groups: u64, frames: usize, payload: usize) -> (f64, f64) {
    let budget = Budget::new(1 << 40);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("data")).unwrap();
    let write = |count: u64| {
        for n in 0..count {
            let mut group = track.append().unwrap();
            for _ in 0..frames {
                group.append_at(n, vec![7_u8; payload]).unwrap();
            }
            group.finish();
        }
    };
    write(16);
    let before = budget.used();
    let heap = measure(|| write(groups)).bytes_current;
    (heap as f64, (budget.used() - before) as f64)
}

#[test]
fn the_charge_is_within_a_tenth_of_the_heap() {
    for (frames, payload) in [(1, 1_000), (4, 64), (8, 500), (30, 4_000), (300, 1_200)] {
        let (heap, charged) = fill(256, frames, payload);
        let ratio = charged / heap;
        assert!(
            (0.9..=1.1).contains(&ratio),
            "{frames} frames of {payload} B: {heap} B held, {charged} charged"
        );
    }
}

/// What it takes until so many followers have seen that a worse route came and went.
fn losing(followers: usize) -> u64 {
    let origin = OriginProducer::new();
    let path: BroadcastPath = "room".parse().unwrap();
    let broadcast = BroadcastProducer::new();
    let _best = origin.publish(&path, broadcast.consume());
    let consumer = origin.consume();
    let mut followers: Vec<_> = (0..followers)
        .map(|_| consumer.announced(&BroadcastPath::root()))
        .collect();
    for follower in &mut followers {
        let event = follower.try_next();
        assert!(matches!(event, Some(AnnouncedEvent::Start(..))));
    }
    let session = SessionId::unique();
    let mut churn = || {
        let worse = Route {
            hops: vec![HopId(1), HopId(2)],
            warm_cost: 9,
            cold_cost: 9,
        };
        let source = Source::Broadcast(broadcast.consume());
        drop(origin.announce(&path, worse, source, Some(session)));
        for follower in &mut followers {
            assert!(follower.try_next().is_none());
        }
    };
    churn();
    measure(churn).count_total
}

#[test]
fn a_route_that_loses_costs_its_followers_no_allocation() {
    assert_eq!(losing(64), losing(1));
}

/// What 10 000 routes take from the heap with so many followers who were told of them, be it before
/// or after the routes were there, in bytes for each route.
fn routes(followers: usize, is_late: bool) -> i64 {
    const ROUTES: u64 = 10_000;
    let origin = OriginProducer::new();
    let (source, _requests) = RequestSource::new(Budget::default().feeder());
    let consumer = origin.consume();
    let follow = || consumer.announced(&BroadcastPath::root());
    let mut following: Vec<_> = (0..followers).map(|_| follow()).collect();
    let session = SessionId::unique();
    let mut held = Vec::with_capacity(ROUTES as usize);
    let taken = measure(|| {
        for n in 0..ROUTES {
            let path: BroadcastPath = format!("room/{n:09}").parse().unwrap();
            let route = Route {
                hops: vec![HopId(1), HopId(2)],
                warm_cost: 1,
                cold_cost: 1,
            };
            let source = Source::Requests(source.clone());
            held.push(origin.announce(&path, route, source, Some(session)));
        }
        if is_late {
            following
                .iter_mut()
                .for_each(|follower| *follower = follow());
        }
        for follower in &mut following {
            while follower.try_next().is_some() {}
        }
    });
    taken.bytes_current / ROUTES as i64
}

#[test]
fn an_announced_route_is_small_and_a_follower_of_it_smaller() {
    let alone = routes(0, false);
    assert!(alone <= 370, "{alone} B");
    for is_late in [false, true] {
        let follower = (routes(10, is_late) - alone) / 10;
        assert!(follower <= 40, "{follower} B, late: {is_late}");
    }
}

/// What the heap has more after tracks with unique names came and went, in bytes.
fn tracks_that_come_and_go(broadcast: &BroadcastProducer, names: std::ops::Range<u64>) -> i64 {
    let taken = measure(|| {
        for n in names.clone() {
            let track = Track::new(n.to_string()).with_max_age(std::time::Duration::ZERO);
            let track = broadcast.create(track).unwrap();
            let mut group = track.append().unwrap();
            group.append_at(0, vec![7_u8; 1_000]).unwrap();
            group.finish();
            track.finish();
        }
    });
    taken.bytes_current
}

#[test]
fn unique_names_of_ended_tracks_do_not_add_up() {
    let budget = Budget::new(1 << 30);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    tracks_that_come_and_go(&broadcast, 0..1_000);
    let grown = tracks_that_come_and_go(&broadcast, 1_000..11_000);
    assert!(grown < 100_000, "{grown} B");
    assert!(budget.used() < 10_000);
}

#[test]
fn empty_groups_take_no_more_from_the_heap_than_the_budget_has() {
    let budget = Budget::new(1 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    let taken = measure(|| {
        for _ in 0..100_000 {
            track.append().unwrap().finish();
        }
    });
    let (held, most) = (taken.bytes_current, taken.bytes_max);
    assert!(held <= 1_100_000, "{held} B");
    assert!(most <= 1_200_000, "{most} B");
}
