//! The routing table beside a slow one, under random operations.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::Budget;
use crate::path::BroadcastPath;
use crate::platform::random;
use crate::session::RequestSource;

const RUNS: u64 = 40;
const STEPS: usize = 400;
const MAX_ROUTES: usize = 12;
const MAX_WATCHERS: usize = 5;
/// The last two are siblings.
const SESSIONS: u64 = 4;

/// A route as the slow table has it.
struct Plain {
    path: BroadcastPath,
    route: Route,
    session: Option<SessionId>,
    is_silent: bool,
    /// Changes when the session drains, falls silent or speaks again.
    revision: u64,
    publication: Publication,
}

impl Plain {
    /// The smaller the better: sessions that are not silent, identified chains, then the costs, then
    /// the fewest hops, then the newest.
    fn rank(&self) -> (bool, bool, (u64, u64), usize, Reverse<u64>) {
        let route = &self.route;
        let is_anonymous = route.hops.contains(&HopId::ANONYMOUS);
        let (costs, hops) = ((route.warm_cost, route.cold_cost), route.hops.len());
        let age = Reverse(self.publication.id);
        (self.is_silent, is_anonymous, costs, hops, age)
    }

    /// The route as followers are told of it.
    fn told(&self) -> Route {
        let mut route = self.route.clone();
        if self.is_silent {
            (route.warm_cost, route.cold_cost) = (Route::MAX_COST, Route::MAX_COST);
        }
        route
    }

    /// Whether another one at the same path leads to another publisher, and is not silent.
    fn is_contested(&self, others: &[Self]) -> bool {
        let mut others = others.iter().filter(|other| other.path == self.path);
        others.any(|other| !other.is_silent && other.route.hops.first() != self.route.hops.first())
    }

    /// Whether the peer is offered it: not what it told itself, and not what leads through it.
    fn is_for(&self, peer: &SplitHorizon) -> bool {
        let is_own = self.session.is_some() && self.session == peer.session;
        let siblings = [3, 4].map(|number| Some(session(number)));
        let is_known = siblings.contains(&self.session) && siblings.contains(&peer.session);
        let is_through = peer.hop != HopId::ANONYMOUS && self.route.hops.contains(&peer.hop);
        !is_own && !is_known && !is_through
    }
}

/// Somebody who follows announcements, and what it was told.
struct Follower {
    prefix: BroadcastPath,
    peer: SplitHorizon,
    /// It hears nothing of silent sessions.
    is_strict: bool,
    announced: Announced,
    told: BTreeMap<BroadcastPath, u64>,
}

/// The table, and beside it the same as a list without order or index.
struct Pair {
    origin: OriginProducer,
    plain: Vec<Plain>,
    followers: Vec<Follower>,
    /// What sessions see of themselves.
    routes: Vec<SessionRoutes>,
    revisions: u64,
    paths: Vec<BroadcastPath>,
}

fn below(limit: u64) -> u64 {
    random::number() % limit
}

fn any<T: Clone>(choices: &[T]) -> T {
    choices[below(choices.len() as u64) as usize].clone()
}

fn session(number: u64) -> SessionId {
    let id = SessionId::numbered(number);
    if number < 3 { id } else { id.with_sibling() }
}

fn any_session() -> Option<SessionId> {
    any(&[None, Some(1), Some(2), Some(3), Some(SESSIONS)]).map(session)
}

fn peer() -> SplitHorizon {
    SplitHorizon {
        session: any_session(),
        hop: HopId(below(4)),
    }
}

impl Pair {
    fn new() -> Self {
        let paths = ["", "a", "a/b", "a/b/c", "a/bc", "b", "ab"];
        let origin = OriginProducer::new();
        let routes = (1..=SESSIONS).map(|number| origin.routes(session(number)));
        Self {
            routes: routes.collect(),
            origin,
            plain: Vec::new(),
            followers: Vec::new(),
            revisions: 0,
            paths: paths.map(|path| path.parse().unwrap()).into(),
        }
    }

    fn step(&mut self) {
        match below(13) {
            0..=4 if self.plain.len() < MAX_ROUTES => self.announce(),
            5..=7 if !self.plain.is_empty() => {
                let at = below(self.plain.len() as u64) as usize;
                self.plain.remove(at);
            }
            8 => self.drain(),
            12 => self.fall_silent(),
            9 if self.followers.len() < MAX_WATCHERS => self.follow(),
            10 if !self.followers.is_empty() => {
                let at = below(self.followers.len() as u64) as usize;
                self.followers.remove(at);
            }
            // Not always: what happens between two looks is told as one change.
            _ => self.look(),
        }
    }

    fn announce(&mut self) {
        let hops = (0..below(4)).map(|_| HopId(below(4))).collect();
        let route = Route {
            hops,
            warm_cost: below(3),
            cold_cost: below(3),
        };
        let session = any_session();
        let path = any(&self.paths);
        let (source, _) = RequestSource::new(Budget::default().feeder());
        let source = Source::Requests(source);
        let publication = self.origin.announce(&path, route.clone(), source, session);
        self.revisions += 1;
        let plain = Plain {
            path,
            route,
            session,
            is_silent: false,
            revision: self.revisions,
            publication,
        };
        self.plain.push(plain);
    }

    /// A session falls silent, or speaks again.
    fn fall_silent(&mut self) {
        let (number, is_silent) = (below(SESSIONS), below(2) == 0);
        let routes = &self.routes[number as usize];
        if !is_silent {
            routes.come_back();
        } else if !routes.give_way() {
            return;
        }
        let session = session(1 + number);
        self.revisions += 1;
        for plain in &mut self.plain {
            if plain.session == Some(session) && plain.is_silent != is_silent {
                plain.is_silent = is_silent;
                plain.revision = self.revisions;
            }
        }
    }

    fn drain(&mut self) {
        let session = session(1 + below(SESSIONS));
        self.origin.drain(session);
        self.revisions += 1;
        for plain in &mut self.plain {
            if plain.session == Some(session) {
                plain.route.warm_cost = Route::MAX_COST;
                plain.route.cold_cost = Route::MAX_COST;
                plain.revision = self.revisions;
            }
        }
    }

    fn follow(&mut self) {
        let (prefix, peer) = (any(&self.paths), peer());
        let is_strict = below(2) == 0;
        let mut announced = self.origin.consume().announced_for(&prefix, peer);
        if is_strict {
            announced = announced.without_silent();
        }
        self.followers.push(Follower {
            prefix,
            peer,
            is_strict,
            announced,
            told: BTreeMap::new(),
        });
    }

    fn best(&self, path: &BroadcastPath, peer: &SplitHorizon) -> Option<&Plain> {
        let routes = self.plain.iter().filter(|plain| plain.path == *path);
        routes
            .filter(|plain| plain.is_for(peer))
            .min_by_key(|plain| plain.rank())
    }

    /// Every follower is told exactly what is different for it since it looked last.
    fn look(&mut self) {
        let mut followers = std::mem::take(&mut self.followers);
        for follower in &mut followers {
            let mut told = BTreeMap::new();
            let mut expected = Vec::new();
            for path in &self.paths {
                if !path.has_prefix(&follower.prefix) && !follower.prefix.has_prefix(path) {
                    continue;
                }
                let best = self.best(path, &follower.peer);
                let best = best.filter(|best| !best.is_silent || !follower.is_strict);
                let path = path.clone();
                let before = follower.told.get(&path);
                expected.extend(match (best, before) {
                    (Some(best), None) => Some(AnnouncedEvent::Start(path.clone(), best.told())),
                    (Some(best), Some(revision)) if best.revision != *revision => {
                        Some(AnnouncedEvent::Update(path.clone(), best.told()))
                    }
                    (None, Some(_)) => Some(AnnouncedEvent::End(path.clone())),
                    _ => None,
                });
                told.extend(best.map(|best| (path, best.revision)));
            }
            let mut events = changes(&mut follower.announced);
            for list in [&mut events, &mut expected] {
                list.sort_by_key(|event| format!("{event:?}"));
            }
            assert_eq!(events, expected, "{} {:?}", follower.prefix, follower.peer);
            follower.told = told;
        }
        self.followers = followers;
    }

    /// Whoever asks for a path is led to the best route at the longest prefix that has one for it.
    fn check_ways(&self) {
        let peer = peer();
        for path in &self.paths {
            let prefixes = self.paths.iter().filter(|prefix| path.has_prefix(prefix));
            let expected = prefixes
                .filter_map(|prefix| self.best(prefix, &peer))
                .max_by_key(|plain| plain.path.as_str().len())
                .map(|plain| (plain.path.clone(), plain.publication.id));
            assert_eq!(
                self.origin.resolve(path, &peer),
                expected,
                "{path} {peer:?}"
            );
        }
        for session in (1..=SESSIONS).map(session) {
            let of_session = self
                .plain
                .iter()
                .filter(|plain| plain.session == Some(session));
            assert_eq!(self.origin.routes_of(session), of_session.count());
        }
        for (number, routes) in (1..=SESSIONS).zip(&self.routes) {
            let mut own = self.plain.iter();
            let is_contested = own.any(|plain| {
                plain.session == Some(session(number)) && plain.is_contested(&self.plain)
            });
            assert_eq!(routes.is_contested(), is_contested, "session {number}");
        }
    }
}

fn changes(announced: &mut Announced) -> Vec<AnnouncedEvent> {
    let cx = Context::from_waker(Waker::noop());
    let mut events = Vec::new();
    while let Poll::Ready(event) = announced.poll_next(&cx) {
        events.push(event);
    }
    events.retain(|event| *event != AnnouncedEvent::Live);
    events
}

#[test]
fn random_operations_agree_with_a_plain_list() {
    for seed in 0..RUNS {
        random::seed(seed);
        let mut pair = Pair::new();
        for _ in 0..STEPS {
            pair.step();
            pair.check_ways();
        }
        pair.look();
        let Pair {
            origin,
            plain,
            followers,
            routes,
            ..
        } = pair;
        drop((plain, followers, routes));
        assert!(origin.is_empty(), "seed {seed}");
    }
}
