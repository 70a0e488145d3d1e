//! Announcing, following and finding.

use std::task::{Context, Poll, Waker};

use super::{
    Announced, AnnouncedEvent, HopId, OriginProducer, Route, SessionId, Source, SplitHorizon,
};
use crate::session::RequestSource;
use crate::{BroadcastPath, BroadcastProducer, Budget, RouteError};

fn path(text: &str) -> BroadcastPath {
    text.parse().unwrap()
}

fn next(announced: &mut Announced) -> Option<AnnouncedEvent> {
    match announced.poll_next(&Context::from_waker(Waker::noop())) {
        Poll::Ready(event) => Some(event),
        Poll::Pending => None,
    }
}

fn route(hops: &[u64], cost: u64) -> Route {
    Route {
        hops: hops.iter().map(|&hop| HopId(hop)).collect(),
        warm_cost: cost,
        cold_cost: cost,
    }
}

fn remote() -> Source {
    Source::Requests(RequestSource::new(Budget::default().feeder()).0)
}

#[test]
fn what_is_there_comes_first_then_the_changes() {
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let alice = origin.publish(&path("room/alice"), broadcast.consume());
    let _other = origin.publish(&path("roommate"), broadcast.consume());
    let mut announced = origin.consume().announced(&path("room"));
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(path("room/alice"), Route::local()))
    );
    assert_eq!(next(&mut announced), Some(AnnouncedEvent::Live));
    assert_eq!(next(&mut announced), None);
    let bob = origin.publish(&path("room/bob"), broadcast.consume());
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(path("room/bob"), Route::local()))
    );
    drop((alice, bob));
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::End(path("room/alice")))
    );
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::End(path("room/bob")))
    );
    assert_eq!(next(&mut announced), None);
}

#[test]
fn a_source_that_is_not_done_keeps_the_set_incomplete() {
    let origin = OriginProducer::new();
    let sync = origin.sync();
    let mut announced = origin.consume().announced(&path(""));
    assert_eq!(next(&mut announced), None);
    drop(sync);
    assert_eq!(next(&mut announced), Some(AnnouncedEvent::Live));
}

#[test]
fn a_route_above_the_prefix_covers_it() {
    let origin = OriginProducer::new();
    let _route = origin.announce(&path("svc"), route(&[1], 0), remote(), None);
    let mut announced = origin.consume().announced(&path("svc/x"));
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(path("svc"), route(&[1], 0)))
    );
    assert!(origin.consume().broadcast(&path("svc/x/y")).is_ok());
    assert_eq!(
        origin.consume().broadcast(&path("other")).unwrap_err(),
        RouteError::Unroutable
    );
}

#[test]
fn a_broadcast_covers_nothing_beneath_it() {
    let origin = OriginProducer::new();
    let _publication = origin.publish(&path("cam"), BroadcastProducer::new().consume());
    assert!(origin.consume().broadcast(&path("cam")).is_ok());
    assert_eq!(
        origin.consume().broadcast(&path("cam/x")).unwrap_err(),
        RouteError::Unroutable
    );
}

#[test]
fn better_routes_come_first() {
    // Each is better than the next one.
    let ranked = [
        route(&[], 0),
        route(&[1], 0),
        route(&[1, 2], 0),
        route(&[1], 5),
        Route {
            cold_cost: 9,
            ..route(&[1], 5)
        },
        route(&[0, 1], 0),
        route(&[0], 1),
    ];
    for (better, worse) in ranked.iter().zip(&ranked[1..]) {
        assert!(better.compare(worse).is_lt(), "{better:?} before {worse:?}");
        assert!(worse.compare(better).is_gt(), "{worse:?} after {better:?}");
    }
}

#[test]
fn a_restarted_publisher_beats_what_is_left_of_it() {
    let origin = OriginProducer::new();
    let mut announced = origin.consume().announced(&path(""));
    let old = origin.announce(
        &path("cam"),
        route(&[1], 1),
        remote(),
        Some(SessionId::unique()),
    );
    assert!(matches!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(..))
    ));
    let _new = origin.announce(
        &path("cam"),
        route(&[2], 1),
        remote(),
        Some(SessionId::unique()),
    );
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Update(path("cam"), route(&[2], 1)))
    );
    assert_eq!(next(&mut announced), Some(AnnouncedEvent::Live));
    drop(old);
    assert_eq!(
        next(&mut announced),
        None,
        "losing a worse route changes nothing"
    );
}

#[test]
fn no_peer_is_offered_a_route_through_itself() {
    let origin = OriginProducer::new();
    let [own, other] = [(); 2].map(|()| SessionId::unique());
    let _a = origin.announce(&path("cam"), route(&[7, 8], 0), remote(), Some(own));
    let consumer = origin.consume();
    for (peer, is_offered) in [
        (
            SplitHorizon {
                session: Some(own),
                hop: HopId(9),
            },
            false,
        ),
        (
            SplitHorizon {
                session: Some(other),
                hop: HopId(8),
            },
            false,
        ),
        (
            SplitHorizon {
                session: Some(other),
                hop: HopId(9),
            },
            true,
        ),
        (
            SplitHorizon {
                session: Some(other),
                hop: HopId::ANONYMOUS,
            },
            true,
        ),
    ] {
        assert_eq!(
            consumer.broadcast_for(&path("cam"), &peer).is_ok(),
            is_offered,
            "{peer:?}"
        );
        let mut announced = consumer.announced_for(&path(""), peer);
        let event = next(&mut announced);
        assert_eq!(
            matches!(event, Some(AnnouncedEvent::Start(..))),
            is_offered,
            "{peer:?}"
        );
    }
}

#[test]
fn what_one_sibling_told_is_not_told_to_another() {
    let origin = OriginProducer::new();
    let [one, other] = [(); 2].map(|()| SessionId::unique().with_sibling());
    let viewer = SessionId::unique();
    let _publication = origin.announce(&path("cam"), route(&[7], 0), remote(), Some(one));
    for (session, is_offered) in [(one, false), (other, false), (viewer, true)] {
        let peer = SplitHorizon {
            session: Some(session),
            hop: HopId::ANONYMOUS,
        };
        let found = origin.consume().broadcast_for(&path("cam"), &peer);
        assert_eq!(found.is_ok(), is_offered, "{peer:?}");
        let event = next(&mut origin.consume().announced_for(&path(""), peer));
        let is_start = matches!(event, Some(AnnouncedEvent::Start(..)));
        assert_eq!(is_start, is_offered, "{peer:?}");
    }
}

#[test]
fn the_longest_prefix_decides() {
    let origin = OriginProducer::new();
    let (short, mut short_requests) = RequestSource::new(Budget::default().feeder());
    let (long, mut long_requests) = RequestSource::new(Budget::default().feeder());
    let _short = origin.announce(&path("a"), route(&[1], 0), Source::Requests(short), None);
    let _long = origin.announce(
        &path("a/b"),
        route(&[1, 2, 3], 9),
        Source::Requests(long),
        None,
    );
    let _track = origin
        .consume()
        .broadcast(&path("a/b/c"))
        .unwrap()
        .track("t")
        .unwrap();
    let cx = Context::from_waker(Waker::noop());
    assert!(short_requests.poll_next(&cx).is_pending());
    let Poll::Ready(crate::session::Request::Track(request)) = long_requests.poll_next(&cx) else {
        panic!("not asked")
    };
    assert_eq!(
        (request.broadcast, request.track.name()),
        (path("a/b/c"), "t")
    );
}

#[test]
fn a_session_that_drains_is_the_last_resort() {
    let origin = OriginProducer::new();
    let (leaving, staying) = (SessionId::unique(), SessionId::unique());
    let mut announced = origin.consume().announced(&path(""));
    let _cheap = origin.announce(&path("a"), route(&[1], 1), remote(), Some(leaving));
    let _dear = origin.announce(&path("a"), route(&[2], 9), remote(), Some(staying));
    let _only = origin.announce(&path("b"), route(&[1], 1), remote(), Some(leaving));
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(path("a"), route(&[1], 1)))
    );
    assert!(matches!(
        next(&mut announced),
        Some(AnnouncedEvent::Start(..))
    ));
    assert_eq!(origin.routes_of(leaving), 2);
    origin.drain(leaving);
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Update(path("a"), route(&[2], 9)))
    );
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Update(
            path("b"),
            route(&[1], Route::MAX_COST)
        ))
    );
    assert_eq!(next(&mut announced), Some(AnnouncedEvent::Live));
    assert!(origin.consume().broadcast(&path("b")).is_ok());
}

#[test]
fn what_comes_and_goes_unseen_is_not_remembered() {
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let mut idle = origin.consume().announced(&path(""));
    let believed = origin.publish(&path("believed"), broadcast.consume());
    assert!(matches!(next(&mut idle), Some(AnnouncedEvent::Start(..))));
    drop(believed);
    for n in 0..10_000 {
        drop(origin.publish(&path(&format!("{n}")), broadcast.consume()));
        assert!(origin.changes() < 200);
    }
    assert!(!origin.is_empty(), "one is still believed to be there");
    assert_eq!(next(&mut idle), Some(AnnouncedEvent::End(path("believed"))));
    assert_eq!(next(&mut idle), Some(AnnouncedEvent::Live));
    assert_eq!(next(&mut idle), None);

    let again = origin.publish(&path("again"), broadcast.consume());
    assert!(matches!(next(&mut idle), Some(AnnouncedEvent::Start(..))));
    drop(again);
    drop(idle);
    assert!(origin.is_empty(), "nobody believes any more");
}

#[test]
fn a_silent_session_gives_way_to_another_publisher_until_it_speaks() {
    let origin = OriginProducer::new();
    let (first, second) = (SessionId::unique(), SessionId::unique());
    let (ours, theirs) = (origin.routes(first), origin.routes(second));
    let mut announced = origin.consume().announced(&path(""));
    let mut strict = origin.consume().announced(&path("")).without_silent();
    let _cam = origin.announce(&path("cam"), route(&[0, 1], 1), remote(), Some(second));
    let _better = origin.announce(&path("cam"), route(&[2], 1), remote(), Some(first));
    let _only = origin.announce(&path("only"), route(&[2], 1), remote(), Some(first));
    assert!(ours.is_contested() && theirs.is_contested());
    for events in [&mut announced, &mut strict] {
        for name in ["cam", "only"] {
            let start = AnnouncedEvent::Start(path(name), route(&[2], 1));
            assert_eq!(next(events), Some(start));
        }
        assert_eq!(next(events), Some(AnnouncedEvent::Live));
    }
    assert!(!ours.is_passed_over(&path("cam")));

    assert!(ours.give_way());
    assert!(!theirs.give_way());
    assert!(
        ours.is_contested() && !theirs.is_contested(),
        "nobody is left to take over"
    );
    assert!(ours.is_passed_over(&path("cam")) && !ours.is_passed_over(&path("only")));
    // Also to one that is not identified.
    let cam = AnnouncedEvent::Update(path("cam"), route(&[0, 1], 1));
    assert_eq!(
        [next(&mut announced), next(&mut strict)],
        [Some(cam.clone()), Some(cam)]
    );
    let only = AnnouncedEvent::Update(path("only"), route(&[2], Route::MAX_COST));
    assert_eq!(next(&mut announced), Some(only));
    assert_eq!(next(&mut strict), Some(AnnouncedEvent::End(path("only"))));

    ours.come_back();
    let [cam, only] = ["cam", "only"].map(|name| (path(name), route(&[2], 1)));
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Update(cam.0.clone(), cam.1.clone()))
    );
    assert_eq!(
        next(&mut announced),
        Some(AnnouncedEvent::Update(only.0.clone(), only.1.clone()))
    );
    assert_eq!(
        next(&mut strict),
        Some(AnnouncedEvent::Update(cam.0, cam.1))
    );
    assert_eq!(
        next(&mut strict),
        Some(AnnouncedEvent::Start(only.0, only.1))
    );
    ours.come_back();
    assert_eq!(next(&mut announced), None, "nothing has changed");
}

#[test]
fn a_second_way_to_the_same_publisher_is_no_alternative() {
    let origin = OriginProducer::new();
    let (first, second) = (SessionId::unique(), SessionId::unique());
    let routes = origin.routes(first);
    let _near = origin.announce(&path("cam"), route(&[1], 1), remote(), Some(first));
    let _far = origin.announce(&path("cam"), route(&[1, 2], 1), remote(), Some(second));
    assert!(!routes.is_contested());
    let other = origin.announce(&path("cam"), route(&[3], 1), remote(), Some(second));
    assert!(routes.is_contested());
    drop(other);
    assert!(!routes.is_contested());
}
