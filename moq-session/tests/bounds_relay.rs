//! What a relay passes on from everybody, and what a client makes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::Teller;
use common::for_each_version;
use common::heard::own;
use common::limits::around;
use common::scripts::{asked, settle, subscribe};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastPath, Config, Established, Grant, Limit, Limits, OriginProducer,
    Session, Version,
};
use moq_wire::code::stream::{CANCELLED, NO_CAPACITY, UNROUTABLE};
use moq_wire::{AnnounceEvent, BiStream, Setup};
use tokio::time::Instant;

/// A session that was dialled, or accepted as a relay, and its peer.
async fn with_relay(
    version: Version,
    origin: &OriginProducer,
    limits: Option<Limits>,
    is_dialled: bool,
) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    client.allow_bi(2_000);
    server.allow_bi(2_000);
    let mut config = Config::default()
        .with_versions([version])
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    config.limits = limits;
    let setup = Setup::default();
    if is_dialled {
        let mut peer = Peer::new(server, version);
        let (session, ()) = tokio::join!(Session::connect_with(client, config), peer.setup(&setup));
        return (peer, session.unwrap());
    }
    let mut peer = Peer::new(client, version);
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(server), config),
        peer.setup(&setup)
    );
    let grant = Grant::everything(BroadcastPath::root()).for_relay();
    (peer, request.unwrap().accept(grant).await.unwrap())
}

/// The paths that are known, sorted, and whether they are said to be all.
async fn known(origin: &OriginProducer) -> (Vec<String>, bool) {
    let mut announced = origin.consume().announced(&BroadcastPath::root());
    let mut paths = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_millis(1), announced.next());
        match next.await {
            Ok(AnnouncedEvent::Start(path, _)) => paths.push(path.as_str().to_owned()),
            Ok(AnnouncedEvent::Live) => return (paths, true),
            Ok(other) => panic!("{other:?}"),
            Err(_) => return (paths, false),
        }
    }
}

#[test]
fn announcements_of_a_relay_that_have_no_room_are_left_out() {
    for_each_version(|version| async move {
        for is_dialled in [true, false] {
            for (count, is_over) in around(3) {
                let mut limits = Limits::relay();
                limits.announces = 3;
                let origin = OriginProducer::new();
                let (mut peer, session) =
                    with_relay(version, &origin, Some(limits), is_dialled).await;
                let stream = peer.expect_bi(BiStream::Announce).await;
                let mut teller = Teller::new(stream, 9, count).await;
                for n in 0..count {
                    teller.tell(&own(version, &format!("{n:03}"))).await;
                }
                settle().await;
                let all: Vec<_> = (0..count.min(3)).map(|n| format!("{n:03}")).collect();
                // That some are left out is known at once, and that they are all where that is told.
                let features = version.features();
                let is_live = is_over || features.announce_ok || features.announce_init;
                assert_eq!(known(&origin).await, (all, is_live));
                assert_eq!(session.reached(Limit::Announces) > 0, is_over);
                peer.expect_alive().await;
                // What is known goes, and makes room for what comes then.
                let suffix = common::scripts::path("001");
                teller.tell(&AnnounceEvent::End { suffix }).await;
                teller.tell(&own(version, "late")).await;
                settle().await;
                assert!(known(&origin).await.0.contains(&"late".to_owned()));
                assert!(!known(&origin).await.0.contains(&"001".to_owned()));
                if is_over {
                    // Of what was left out, nothing is known, so nothing is wrong with its end.
                    let suffix = common::scripts::path(&format!("{:03}", count - 1));
                    teller.tell(&AnnounceEvent::End { suffix }).await;
                }
                settle().await;
                assert!(session.is_open());
            }
        }
    });
}

#[test]
fn a_relay_may_announce_what_many_clients_make() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, session) = with_relay(version, &origin, None, true).await;
        let stream = peer.expect_bi(BiStream::Announce).await;
        let mut teller = Teller::new(stream, 9, 5_000).await;
        for n in 0..5_000 {
            teller.tell(&own(version, &format!("room/{n}"))).await;
        }
        settle().await;
        let is_live = version.features().announce_ok || version.features().announce_init;
        let (paths, is_known_to_be_all) = known(&origin).await;
        assert_eq!((paths.len(), is_known_to_be_all), (5_000, is_live));
        peer.expect_alive().await;
        assert_eq!(session.reached(Limit::Announces), 0);
    });
}

#[test]
fn a_relay_may_subscribe_for_many_clients() {
    for_each_version(|version| async move {
        for is_dialled in [true, false] {
            let origin = OriginProducer::new();
            let broadcast = moq_session::BroadcastProducer::new();
            let _track = broadcast.create(moq_session::Track::new("data")).unwrap();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            let (mut peer, session) = with_relay(version, &origin, None, is_dialled).await;
            let mut streams = Vec::new();
            for id in 0..1_030 {
                let wish = subscribe(version, id, "room", "data");
                streams.push(peer.request(BiStream::Subscribe, &wish).await);
            }
            settle().await;
            assert_eq!(session.outstanding().subscriptions, 1_030);
            assert_eq!(session.reached(Limit::Subscriptions), 0);
        }
    });
}

#[test]
fn one_peer_that_drips_does_not_keep_the_set_open() {
    for_each_version(|version| async move {
        let features = version.features();
        if !features.announce_ok {
            return;
        }
        let origin = OriginProducer::new();
        let (_session, mut peer) = asked(version, &origin).await;
        let stream = peer.expect_bi(BiStream::Announce).await;
        let mut teller = Teller::new(stream, 9, 1_000).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let begin = Instant::now();
        let mut n = 0;
        loop {
            teller.tell(&own(version, &format!("room/{n}"))).await;
            n += 1;
            let next = tokio::time::timeout(Duration::from_secs(5), async {
                while announced.next().await != AnnouncedEvent::Live {}
            });
            if next.await.is_ok() {
                break;
            }
        }
        assert!(
            begin.elapsed() <= Duration::from_secs(31),
            "{:?}",
            begin.elapsed()
        );
    });
}

#[test]
fn a_peer_that_answers_is_asked_again_soon_however_often_that_is() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (_session, mut peer) = asked(version, &origin).await;
        for n in 0..10 {
            let begin = Instant::now();
            let stream = peer.expect_bi(BiStream::Announce).await;
            assert!(
                begin.elapsed() <= Duration::from_millis(600),
                "{n}: {:?}",
                begin.elapsed()
            );
            let mut teller = Teller::new(stream, 9, 0).await;
            teller.tell(&own(version, "room")).await;
            settle().await;
            teller.stream.reset(CANCELLED);
            settle().await;
        }
    });
}

#[test]
fn so_many_requests_for_estimates_are_answered() {
    common::for_each_with(
        |features| features.probe.exists(),
        |version| async move {
            for count in [3, 4, 5, 400] {
                let (client, server) = memory_pair(version);
                server.measure(Some(1_000_000), Some(Duration::from_millis(20)));
                let mut peer = Peer::new(client, version);
                let origin = OriginProducer::new();
                let setup = Setup::default();
                let accept = moq_session::testing::accept(server.clone(), &origin);
                let (session, ()) = tokio::join!(accept, peer.setup(&setup));
                let session = session.unwrap();
                let mut answered = Vec::new();
                for _ in 0..count {
                    let mut stream = peer.open_bi(BiStream::Probe).await;
                    match answered.len() {
                        4 => stream.expect_reset(NO_CAPACITY).await,
                        _ => {
                            let _: moq_wire::Probe = stream.expect().await;
                            answered.push(stream);
                        }
                    }
                }
                let refused = u64::try_from(count).unwrap().saturating_sub(4);
                assert_eq!(session.reached(Limit::Probes), refused);
                server.measure(Some(3_000_000), Some(Duration::from_millis(20)));
                for stream in &mut answered {
                    let report: moq_wire::Probe = stream.expect().await;
                    assert_eq!(report.bitrate, Some(3_000_000));
                }
                if let Some(mut stream) = answered.pop() {
                    stream.finish();
                    stream.expect_drained().await;
                    let mut stream = peer.open_bi(BiStream::Probe).await;
                    let _: moq_wire::Probe = stream.expect().await;
                }
            }
        },
    );
}

#[test]
fn more_subscriptions_than_a_client_may_have_are_refused_with_a_code() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let mut limits = Limits::default();
        limits.subscriptions = 3;
        let (mut peer, session) = common::limits::enter(version, &origin, limits).await;
        for id in 0..300 {
            let wish = subscribe(version, id, "nowhere", "data");
            let mut stream = peer.request(BiStream::Subscribe, &wish).await;
            stream.expect_reset(UNROUTABLE).await;
        }
        assert_eq!(
            session.reached(Limit::Subscriptions),
            0,
            "none of them lasts"
        );
    });
}
