//! Sessions with limits of their own.

use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    BroadcastPath, Config, Established, Grant, Limit, Limits, OriginProducer, Session, Version,
};
use moq_wire::Setup;

/// Numbers around a limit, and whether they are more than it.
pub fn around(limit: u64) -> [(u64, bool); 3] {
    [(limit - 1, false), (limit, false), (limit + 1, true)]
}

/// A relay on `origin` that takes so much of its clients, and a peer in a client's place.
pub async fn enter(version: Version, origin: &OriginProducer, limits: Limits) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
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
