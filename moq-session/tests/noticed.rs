//! What a publisher can wait for before it counts on being heard.

mod common;

use std::time::Duration;

use common::announce::listen;
use common::for_each_version;
use common::scripts::{A_WHILE, enter, kinds, path, settle, subscribe, track};
use common::told::{keep, publish};
use moq_session::{BroadcastPath, OriginProducer, Unnoticed};
use moq_wire::{BiStream, Fetch, GroupSequence};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(3);

#[test]
fn a_peer_is_told_once_it_asks_for_what_covers_the_path() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let mut early = publish(&origin, "room/early");
        let began = Instant::now();
        let untold = Err(Unnoticed::Unannounced(LIMIT));
        assert_eq!(early.told(LIMIT).await, untold);
        assert_eq!(began.elapsed(), LIMIT);

        let (mut peer, _session) = enter(version, &origin).await;
        let _elsewhere = listen(&mut peer, "hall").await;
        let hall: BroadcastPath = "hall".parse().unwrap();
        let asked = vec![hall.clone()];
        let elsewhere = Err(Unnoticed::Elsewhere { asked });
        assert_eq!(early.told(LIMIT).await, elsewhere);

        // Both what is there when the peer asks and what comes later.
        let (told, mut room) = tokio::join!(early.told(LIMIT), listen(&mut peer, "room"));
        assert_eq!(told, Ok(()));
        room.event().await;
        let mut late = publish(&origin, "room/late");
        assert_eq!(late.told(LIMIT).await, Ok(()));
        room.event().await;
        let mut hidden = publish(&origin, "room/.hidden");
        let asked = vec![hall, "room".parse().unwrap()];
        let hides = Err(Unnoticed::Hidden { asked });
        assert_eq!(hidden.told(LIMIT).await, hides);
        room.expect_silence(A_WHILE).await;
    });
}

#[test]
fn what_was_told_of_one_publication_is_not_taken_for_the_next() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let mut first = publish(&origin, "room");
        let (mut peer, session) = enter(version, &origin).await;
        let listener = listen(&mut peer, "").await;
        assert_eq!(first.told(LIMIT).await, Ok(()));
        drop((listener, peer, session, first));
        settle().await;
        let mut second = publish(&origin, "room");
        assert_eq!(second.told(LIMIT).await, Err(Unnoticed::Unannounced(LIMIT)));
    });
}

#[test]
fn a_publication_that_takes_the_place_of_another_is_told_too() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let _listener = listen(&mut peer, "").await;
        let mut first = publish(&origin, "room");
        assert_eq!(first.told(LIMIT).await, Ok(()));
        let mut second = publish(&origin, "room");
        assert_eq!(second.told(LIMIT).await, Ok(()));
    });
}

#[test]
fn every_kind_of_request_shows_that_the_broadcast_is_reached() {
    for_each_version(|version| async move {
        let asks = [BiStream::Track, BiStream::Subscribe, BiStream::Fetch];
        for kind in kinds(version).filter(|kind| asks.contains(kind)) {
            let origin = OriginProducer::new();
            let (_broadcast, mut room) = keep(&origin, "room");
            let (_other, mut hall) = keep(&origin, "hall");
            let (mut peer, _session) = enter(version, &origin).await;
            let unrequested = Err(Unnoticed::Unrequested(LIMIT));
            assert_eq!(room.requested(LIMIT).await, unrequested);
            let _stream = match kind {
                BiStream::Track => peer.request(kind, &track("room", "data")).await,
                BiStream::Fetch => peer.request(kind, &fetch()).await,
                _ => {
                    peer.request(kind, &subscribe(version, 0, "room", "data"))
                        .await
                }
            };
            assert_eq!(room.requested(LIMIT).await, Ok(()), "{kind:?}");
            assert_eq!(hall.requested(LIMIT).await, unrequested);
        }
    });
}

fn fetch() -> Fetch {
    Fetch {
        broadcast: path("room"),
        track: "data".into(),
        priority: 0,
        group: GroupSequence(0),
        frame_start: 0,
        frame_last: None,
    }
}
