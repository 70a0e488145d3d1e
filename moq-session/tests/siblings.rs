//! Origins of one relay that are joined to each other.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{for_each_with, join};
use moq_session::testing::memory_pair;
use moq_session::{
    Announced, AnnouncedEvent, BroadcastPath, BroadcastProducer, Budget, Config, Established,
    Grant, HopId, Limits, OriginProducer, Publication, Session, Start, Subscription, Track,
    TrackProducer, Version,
};
use tokio::task::yield_now;

/// The relay's id.
const HOP: HopId = HopId(7);
/// Turns that everybody gets until nothing is on its way any more.
const TURNS: usize = 200;

/// How long a request is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Three origins, each joined to each.
struct Mesh {
    version: Version,
    origins: [OriginProducer; 3],
    /// From the first to the second, to the third, and from the second to the third; both ends each.
    links: Vec<[Session; 2]>,
}

/// Somebody who publishes `room`.
struct Publisher {
    session: Session,
    track: TrackProducer,
    publication: Publication,
    _relay: Session,
    _broadcast: BroadcastProducer,
}

impl Mesh {
    async fn new(version: Version) -> Self {
        let origins = [(); 3].map(|()| OriginProducer::with(HOP, Budget::default()));
        let mut links = Vec::new();
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            links.push(link(version, &origins[one], &origins[other]).await);
        }
        Self {
            version,
            origins,
            links,
        }
    }

    async fn publisher(&self, at: usize) -> Publisher {
        let (session, relay) = join(self.version, Config::default(), &self.origins[at]).await;
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data")).unwrap();
        let publication = session.publish("room", broadcast.consume()).unwrap();
        Publisher {
            session,
            track,
            publication,
            _relay: relay,
            _broadcast: broadcast,
        }
    }

    fn follow(&self, at: usize) -> Announced {
        self.origins[at].consume().announced(&BroadcastPath::root())
    }
}

fn group(track: &TrackProducer) {
    let mut group = track.append().unwrap();
    group.append("frame").unwrap();
    group.finish();
}

fn room() -> BroadcastPath {
    "room".parse().unwrap()
}

async fn link(version: Version, one: &OriginProducer, other: &OriginProducer) -> [Session; 2] {
    let (client, server) = memory_pair(version);
    let accept = async {
        let incoming = Established::new(server);
        let request = Session::accept(incoming, sibling(version, other, one)).await;
        let grant = Grant::everything(BroadcastPath::root());
        request.unwrap().accept(grant).await
    };
    let connect = Session::connect_with(client, sibling(version, one, other));
    let (client, server) = tokio::join!(connect, accept);
    [client.unwrap(), server.unwrap()]
}

fn sibling(version: Version, origin: &OriginProducer, there: &OriginProducer) -> Config {
    Config::default()
        .with_versions([version])
        .with_publish(origin.clone())
        .with_subscribe(origin.clone())
        .with_limits(Limits::trusted())
        .with_sibling(there.consume())
}

/// What is told next, leaving out that all of the beginning was.
async fn told(announced: &mut Announced) -> AnnouncedEvent {
    loop {
        match announced.next().await {
            AnnouncedEvent::Live => {}
            event => return event,
        }
    }
}

/// Lets everybody go on until nothing is on its way; tells what has been told by then.
async fn rest(announced: &mut Announced) -> Vec<AnnouncedEvent> {
    let mut events = Vec::new();
    for _ in 0..TURNS {
        yield_now().await;
        events.extend(announced.try_next());
    }
    events
}

/// The drafts that siblings may speak.
fn for_each_link<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.typed_announce, test);
}

#[test]
fn siblings_hand_a_route_on_once_and_as_it_is() {
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut followers = [0, 1, 2].map(|at| mesh.follow(at));
        let publisher = mesh.publisher(0).await;
        let mut routes = Vec::new();
        for follower in &mut followers {
            let AnnouncedEvent::Start(_, route) = told(follower).await else {
                panic!("no start")
            };
            routes.push(route);
            assert_eq!(rest(follower).await, []);
        }
        assert_eq!(routes[0], routes[1], "another hop or price");
        assert_eq!(routes[0], routes[2]);
        assert!(!routes[0].hops.contains(&HOP), "the last hop is this one");

        drop(publisher);
        for follower in &mut followers {
            assert!(matches!(told(follower).await, AnnouncedEvent::End(_)));
            assert_eq!(rest(follower).await, []);
        }
    });
}

#[test]
fn a_track_comes_to_a_sibling_once() {
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut announced = mesh.follow(1);
        let mut publisher = mesh.publisher(0).await;
        told(&mut announced).await;
        let mut viewers = Vec::new();
        for _ in 0..3 {
            let (viewer, relay) = join(version, Config::default(), &mesh.origins[1]).await;
            let track = viewer.track("room", "data").unwrap();
            let reader = track.subscribe(Subscription::default().with_start(Start::OLDEST));
            viewers.push((reader, viewer, relay));
        }
        publisher.publication.requested(PATIENCE).await.unwrap();
        group(&publisher.track);
        for (reader, ..) in &mut viewers {
            assert_eq!(reader.next_group().await.unwrap().unwrap().sequence(), 0);
        }
        assert_eq!(publisher.session.outstanding().subscriptions, 1);
        let served = |link: usize| mesh.links[link][0].outstanding().subscriptions;
        assert_eq!([served(0), served(1), served(2)], [1, 0, 0]);
    });
}

#[test]
fn what_is_left_of_a_publisher_gives_way_to_its_next_session_at_every_sibling() {
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut followers = [0, 1, 2].map(|at| mesh.follow(at));
        let _left = mesh.publisher(0).await;
        for follower in &mut followers {
            told(follower).await;
        }
        let next = mesh.publisher(1).await;
        group(&next.track);
        for (at, follower) in followers.iter_mut().enumerate() {
            assert!(matches!(told(follower).await, AnnouncedEvent::Update(..)));
            let (viewer, _relay) = join(version, Config::default(), &mesh.origins[at]).await;
            let track = viewer.track("room", "data").unwrap();
            let mut reader = track.subscribe(Subscription::default().with_start(Start::OLDEST));
            assert!(reader.next_group().await.unwrap().is_some(), "at {at}");
        }
    });
}

#[test]
fn the_newest_group_of_nothing_is_the_first_at_a_sibling() {
    const BURST: u64 = 50;
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut announced = mesh.follow(1);
        let broadcast = BroadcastProducer::new();
        let published = broadcast.create(Track::new("data")).unwrap();
        let mut publication = mesh.origins[0].publish(&room(), broadcast.consume());
        told(&mut announced).await;
        let broadcast = mesh.origins[1].consume().broadcast(&room());
        let track = broadcast.unwrap().track("data").unwrap();
        let newest = Subscription::default().with_start(Start::Newest);
        let mut reader = track.subscribe(newest.with_max_age(Duration::MAX));
        publication.requested(PATIENCE).await.unwrap();
        let _other = track.subscribe(newest.with_max_age(Duration::MAX).with_priority(200));
        // They are there before the sibling knows where it begins.
        for _ in 0..BURST {
            group(&published);
        }
        let mut sequences = Vec::new();
        for _ in 0..BURST {
            let group = reader.next_group().await.unwrap().unwrap();
            sequences.push(group.sequence());
        }
        sequences.sort_unstable();
        assert_eq!(sequences, (0..BURST).collect::<Vec<_>>());
    });
}

#[test]
fn a_hidden_broadcast_is_told_to_a_sibling() {
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut announced = mesh.follow(1);
        let (broadcast, path) = (BroadcastProducer::new(), "room/.stats".parse().unwrap());
        let _publication = mesh.origins[0].publish(&path, broadcast.consume());
        let AnnouncedEvent::Start(told, _) = told(&mut announced).await else {
            panic!("no start")
        };
        assert_eq!(told, path);
    });
}

#[test]
fn a_sibling_that_is_lost_takes_its_routes_along() {
    for_each_link(|version| async move {
        let mesh = Mesh::new(version).await;
        let mut follower = mesh.follow(1);
        let _publisher = mesh.publisher(0).await;
        told(&mut follower).await;
        mesh.links[0][0].close(0, "");
        assert!(matches!(told(&mut follower).await, AnnouncedEvent::End(_)));
        let anew = link(version, &mesh.origins[0], &mesh.origins[1]).await;
        assert!(matches!(
            told(&mut follower).await,
            AnnouncedEvent::Start(..)
        ));
        assert!(anew.iter().all(Session::is_open));
        assert_eq!(rest(&mut follower).await, []);
    });
}
