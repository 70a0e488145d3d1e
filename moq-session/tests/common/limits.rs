//! Sessions with limits of their own.

use std::time::Duration;

use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    BroadcastPath, BroadcastProducer, Config, Established, Grant, Limit, Limits, OriginProducer,
    Publication, Rate, Session, Track, TrackProducer, Version,
};
use moq_wire::Setup;
use tokio::time::Instant;

/// Numbers around a limit and a flood, and whether they are more than the limit.
pub fn around(limit: u64) -> [(u64, bool); 4] {
    [
        (limit - 1, false),
        (limit, false),
        (limit + 1, true),
        (100 * limit, true),
    ]
}

/// Once each time that this has passed, beyond a burst. A hundred times as many take half a minute.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// Three at once, and one more in each [`INTERVAL`].
pub fn three_at_once() -> Rate {
    Rate::new(3, INTERVAL)
}

/// How many of so many are more than three.
pub fn beyond_three(count: u64) -> u64 {
    count.saturating_sub(3)
}

/// Whether the next stream waits for an [`INTERVAL`] before it is accepted.
pub async fn is_late(peer: &mut Peer) -> bool {
    let begin = Instant::now();
    peer.expect_alive().await;
    begin.elapsed() >= INTERVAL
}

/// A relay on `origin` that takes so much of its clients, and a peer in a client's place.
pub async fn enter(version: Version, origin: &OriginProducer, limits: Limits) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    server.allow_bi(4_096);
    server.measure(Some(1_000_000), Some(Duration::from_millis(20)));
    let mut peer = Peer::new(client, version);
    let config = Config::default()
        .with_versions([version])
        .with_limits(limits)
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let setup = Setup::default();
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(server), config),
        peer.setup(&setup)
    );
    let grant = Grant::everything(BroadcastPath::root());
    (peer, request.unwrap().accept(grant).await.unwrap())
}

/// Checks that this limit was reached so often, and no other. A peer that answers nothing is waited for
/// in vain besides.
pub fn reached(session: &Session, limit: Limit, times: u64) {
    for &each in Limit::ALL {
        if each == Limit::AnswerTime {
            continue;
        }
        let expected = if each == limit { times } else { 0 };
        assert_eq!(session.reached(each), expected, "{each}");
    }
}

/// The default limits but for some.
pub fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

/// A session on a live track, and a peer that asked for it once it was there.
pub async fn live(version: Version, limits: Limits) -> (Peer, Session, Live) {
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data")).unwrap();
    let publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
    let (peer, session) = enter(version, &origin, limits).await;
    let live = Live {
        _broadcast: broadcast,
        track,
        _publication: publication,
    };
    (peer, session, live)
}

/// A track of a relay, for as long as this lives.
pub struct Live {
    _broadcast: BroadcastProducer,
    pub track: TrackProducer,
    _publication: Publication,
}
