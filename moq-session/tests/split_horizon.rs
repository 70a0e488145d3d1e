//! Origins that differ: what is learned in one, and served from another.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::scripts::start;
use common::{for_each_version, for_each_with, join, speaking};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    Announced, AnnouncedEvent, BroadcastPath, BroadcastProducer, Config, Established, Grant, HopId,
    OriginProducer, Session, Version,
};
use moq_wire::BiStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(2);

/// A viewer of an origin that its session only serves from.
async fn viewer(version: Version, origin: &OriginProducer) -> (Session, Session) {
    let (client, server) = memory_pair(version);
    let config = speaking(version).with_publish(origin.clone());
    let accept = async {
        let request = Session::accept(Established::new(server), config).await;
        let grant = Grant::everything(BroadcastPath::root());
        request.unwrap().accept(grant).await.unwrap()
    };
    let (client, server) = tokio::join!(Session::connect_with(client, speaking(version)), accept);
    (client.unwrap(), server)
}

/// The path of the first broadcast that is announced.
async fn first(announced: &mut Announced) -> String {
    loop {
        match timeout(LIMIT, announced.next()).await.expect("an event") {
            AnnouncedEvent::Live => {}
            AnnouncedEvent::Start(path, _) => return path.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }
}

/// A broadcast whose track `data` has one group.
fn room() -> BroadcastProducer {
    common::finished(&[&["hello"]])
}

#[test]
fn a_relay_that_only_reads_serves_what_it_reads() {
    for_each_version(|version| async move {
        let upstream = OriginProducer::new();
        let broadcast = room();
        let _room = upstream.publish(&"room".parse().unwrap(), broadcast.consume());
        // Each session is the first one of its origins.
        let origin = OriginProducer::new();
        let config = Config::default().with_subscribe(origin.clone());
        let _reading = join(version, config, &upstream).await;
        for _ in 0..3 {
            let (client, _server) = viewer(version, &origin).await;
            let mut announced = client.announced("").unwrap();
            assert_eq!(first(&mut announced).await, "room");
            let track = client.track("room", "data").unwrap();
            assert_eq!(common::read_all(&track).await, [["hello"]]);
        }
    });
}

#[test]
fn two_origins_do_not_take_one_peer_for_another() {
    for_each_version(|version| async move {
        let (taken, served) = (OriginProducer::new(), OriginProducer::new());
        let config = Config::default()
            .with_publish(served.clone())
            .with_subscribe(taken.clone());
        let peer = OriginProducer::new();
        let _joined = join(version, config, &peer).await;
        // Another session tells the origin that is served to the peer.
        let other = OriginProducer::new();
        let _ours = other.publish(&"ours".parse().unwrap(), room().consume());
        let reading = Config::default().with_subscribe(served.clone());
        let _reading = join(version, reading, &other).await;
        let mut announced = peer.consume().announced(&BroadcastPath::root());
        assert_eq!(first(&mut announced).await, "ours");
    });
}

// spec: Loop detection, "a receiver that finds its own id in a chain drops that route"
#[test]
fn an_origin_recognises_itself_where_it_is_only_read_into() {
    for_each_with(
        |features| features.hops.has_ids(),
        |version| async move {
            let origin = OriginProducer::with(HopId(7), moq_session::Budget::default());
            let config = Config::default().with_subscribe(origin.clone());
            let (_session, mut peer) = Peer::server_of(version, config).await;
            let stream = peer.expect_bi(BiStream::Announce).await;
            let mut teller = Teller::new(stream, 77, 0).await;
            teller.tell(&start("circle", &[5, 7])).await;
            teller.tell(&start("line", &[5, 6])).await;
            let mut announced = origin.consume().announced(&BroadcastPath::root());
            assert_eq!(first(&mut announced).await, "line");
        },
    );
}
