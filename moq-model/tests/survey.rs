//! What was there in the beginning, page by page, where a session is silent.

use moq_model::session::{RequestSource, SessionId, Source, SplitHorizon};
use moq_model::{
    Announced, AnnouncedEvent, BroadcastPath, HopId, OriginProducer, Publication, Route,
};

fn path(text: &str) -> BroadcastPath {
    text.parse().expect("a path")
}

fn remote(hop: u64) -> Route {
    Route {
        hops: vec![HopId(hop)],
        warm_cost: 1,
        cold_cost: 1,
    }
}

/// An origin with `cam` of two sessions, the better one the first, and `only` of the first alone.
fn origin() -> (OriginProducer, [SessionId; 2], Vec<Publication>) {
    let origin = OriginProducer::new();
    let sessions = [SessionId::unique(), SessionId::unique()];
    let announce = |name: &str, route: Route, session: SessionId| {
        let (source, _) = RequestSource::new(origin.budget().feeder());
        origin.announce(&path(name), route, Source::Requests(source), Some(session))
    };
    let far = Route {
        warm_cost: 2,
        cold_cost: 2,
        ..remote(2)
    };
    let publications = vec![
        announce("cam", remote(1), sessions[0]),
        announce("only", remote(1), sessions[0]),
        announce("cam", far, sessions[1]),
    ];
    (origin, sessions, publications)
}

fn follow(origin: &OriginProducer, prefix: &str) -> Announced {
    let peer = SplitHorizon {
        session: None,
        hop: HopId(9),
    };
    origin.consume().announced_for(&path(prefix), peer)
}

/// The first page, of which everything is promised.
fn survey(announced: &mut Announced) -> Vec<(String, u64)> {
    let page = announced.survey().expect("a page");
    announced.promise(&vec![true; page.len()]);
    let line = |(path, route): (BroadcastPath, Route)| (path.to_string(), route.warm_cost);
    page.into_iter().map(line).collect()
}

fn start(name: &str, cost: u64) -> Option<(String, u64)> {
    Some((name.to_owned(), cost))
}

fn next_start(announced: &mut Announced) -> Option<(String, u64)> {
    match announced.try_next()? {
        AnnouncedEvent::Start(path, route) => Some((path.to_string(), route.warm_cost)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_silent_session_is_the_last_resort_of_a_survey_or_none() {
    let (origin, [first, _], _publications) = origin();
    let routes = origin.routes(first);
    assert!(routes.give_way());
    let mut lenient = follow(&origin, "");
    let all = [start("cam", 2), start("only", Route::MAX_COST)];
    assert_eq!(
        survey(&mut lenient)
            .into_iter()
            .map(Some)
            .collect::<Vec<_>>(),
        all
    );
    assert_eq!([next_start(&mut lenient), next_start(&mut lenient)], all);
    assert_eq!(lenient.try_next(), None);

    let mut strict = follow(&origin, "").without_silent();
    assert_eq!(survey(&mut strict).into_iter().next(), start("cam", 2));
    assert_eq!(next_start(&mut strict), start("cam", 2));
    assert_eq!(strict.try_next(), None);
    routes.come_back();
    let news = [strict.try_next(), strict.try_next(), strict.try_next()];
    let [
        Some(AnnouncedEvent::Update(..)),
        Some(AnnouncedEvent::Start(only, _)),
        None,
    ] = &news
    else {
        panic!("{news:?}");
    };
    assert_eq!(*only, path("only"));
}

#[test]
fn what_was_promised_is_told_though_its_session_falls_silent() {
    let (origin, [first, _], _publications) = origin();
    let mut strict = follow(&origin, "only").without_silent();
    assert_eq!(survey(&mut strict).into_iter().next(), start("only", 1));
    assert!(origin.routes(first).give_way());
    assert_eq!(next_start(&mut strict), start("only", Route::MAX_COST));
    assert_eq!(strict.try_next(), Some(AnnouncedEvent::End(path("only"))));
    assert_eq!(strict.try_next(), None);
}

#[test]
fn a_covering_route_of_a_silent_session_is_none_where_there_is_no_last_resort() {
    let (origin, [first, _], _publications) = origin();
    assert!(origin.routes(first).give_way());
    let mut lenient = follow(&origin, "only/b");
    let Some(AnnouncedEvent::Start(_, route)) = lenient.next_covering() else {
        panic!("a start");
    };
    assert_eq!(route.warm_cost, Route::MAX_COST);
    let mut strict = follow(&origin, "only/b").without_silent();
    assert_eq!(strict.next_covering(), None);
}
