//! A bug in the work of one session costs that session, and nobody else.

mod common;

use std::time::Duration;

use common::live::start_at;
use common::scripts::{settle, subscribe};
use common::trap::{Call, Trap, Trigger};
use common::{for_each_version, join};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    BroadcastProducer, Config, Established, Grant, GroupRead, OriginProducer, Session,
    SessionError, Start, Subscription, Track, Version,
};
use moq_wire::{BiStream, Setup, code};

/// A relay's session on a transport with a bug, and the peer behind that.
async fn trapped(version: Version, origin: &OriginProducer, trigger: &Trigger) -> (Peer, Session) {
    let (client, server) = memory_pair(version);
    let mut peer = Peer::new(client, version);
    let config = Config::default()
        .with_versions([version])
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let trap = Trap {
        inner: server,
        trigger: trigger.clone(),
    };
    let setup = Setup::default();
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(trap), config),
        peer.setup(&setup)
    );
    let grant = Grant::everything(moq_session::BroadcastPath::root());
    let request = request.expect("a request");
    let session = request.accept(grant).await.expect("a session");
    (peer, session)
}

#[test]
fn a_panic_closes_the_session_it_happened_in_and_no_other() {
    for_each_version(|version| async move {
        for call in [Call::OpenUni, Call::AcceptUni, Call::AcceptBi] {
            let (origin, trigger) = (OriginProducer::new(), Trigger::default());
            let publisher = join(version, Config::default(), &origin).await;
            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("data")).unwrap();
            let mut publication = publisher.0.publish("room", broadcast.consume()).unwrap();
            let viewer = join(version, Config::default(), &origin).await;
            let (mut peer, session) = trapped(version, &origin, &trigger).await;
            publication.told(Duration::from_secs(1)).await.unwrap();

            let wanted = Subscription::default().with_start(Start::OLDEST);
            let watched = viewer.0.track("room", "data").unwrap();
            let mut reader = watched.subscribe(wanted);
            let mut wish = subscribe(version, 0, "room", "data");
            wish.start = start_at(0);
            let _stream = peer.request(BiStream::Subscribe, &wish).await;
            track.used().await;
            settle().await;
            trigger.set(call);
            if call == Call::AcceptBi {
                let _further = peer.open_bi(BiStream::Subscribe).await;
            }
            if call == Call::AcceptUni {
                let _further = peer.open_raw_uni().await;
            }
            for n in 0..3 {
                let mut group = track.append().unwrap();
                group.append_at(n * 100, "x").unwrap();
                group.finish();
                let mut group = reader.next_group().await.unwrap().unwrap();
                assert_eq!(group.sequence(), n);
                assert!(matches!(group.next().await, GroupRead::Frame(_)));
            }

            let SessionError::Panicked(message) = session.closed().await else {
                panic!("another error");
            };
            assert!(message.contains("a planted bug"), "{message}");
            peer.expect_close(code::session::INTERNAL).await;
            assert!(viewer.1.is_open() && publisher.1.is_open());
        }
    });
}
