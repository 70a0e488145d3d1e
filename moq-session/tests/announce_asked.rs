//! What a session asks a peer to announce, which is what the peer may publish.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::announce::{Teller, tell};
use common::scripts::{A_WHILE, enter_with, grant, hops, path, pattern, start};
use common::told::publish;
use common::{for_each_version, speaking};
use moq_session::testing::{Peer, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastPath, Config, Established, OriginProducer, Session, Unnoticed,
};
use moq_wire::{AnnounceRequest, BiStream};

const LIMIT: Duration = Duration::from_secs(2);

fn absolute(text: &str) -> BroadcastPath {
    text.parse().unwrap()
}

#[test]
fn a_peer_is_asked_below_what_it_may_publish() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let granted = ["anon/room/**", "anon/hall", "anon/room/a/**", "other/**"];
        let granted = grant("anon").publish(granted.map(pattern));
        let (mut peer, _session) = enter_with(version, &origin, granted).await;
        let mut asked = Vec::new();
        for _ in 0..2 {
            let stream = peer.expect_bi(BiStream::Announce).await;
            asked.push(stream);
        }
        peer.expect_no_bi(BiStream::Announce, A_WHILE).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        for (stream, name) in asked.iter_mut().zip(["", "b"]) {
            tell(stream, 9, &[name]).await;
        }
        let mut paths = Vec::new();
        while paths.len() < 2 {
            if let AnnouncedEvent::Start(path, _) = announced.next().await {
                paths.push(path);
            }
        }
        paths.sort();
        assert_eq!(paths, [absolute("anon/hall"), absolute("anon/room/b")]);
    });
}

#[test]
fn a_peer_that_may_publish_nothing_is_asked_for_nothing() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let granted = grant("").subscribe([pattern("**")]);
        let (mut peer, _session) = enter_with(version, &origin, granted).await;
        peer.expect_no_bi(BiStream::Announce, LIMIT).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        assert_eq!(announced.next().await, AnnouncedEvent::Live);
    });
}

#[test]
fn a_publisher_learns_that_the_relay_does_not_ask_for_its_path() {
    for_each_version(|version| async move {
        let (relay, origin) = (OriginProducer::new(), OriginProducer::new());
        let (client, server) = memory_pair(version);
        let config = speaking(version).with_publish(origin.clone());
        let accept = async {
            let config = speaking(version).with_subscribe(relay.clone());
            let request = Session::accept(Established::new(server), config).await;
            let granted = grant("").publish(["room/**", "hall/.x"].map(pattern));
            request.unwrap().accept(granted).await.unwrap()
        };
        let _sessions = tokio::join!(Session::connect_with(client, config), accept);
        let mut other = publish(&origin, "other");
        let asked = vec![absolute("hall/.x"), absolute("room")];
        let elsewhere = Err(Unnoticed::Elsewhere {
            asked: asked.clone(),
        });
        assert_eq!(other.told(LIMIT).await, elsewhere);
        let mut hidden = publish(&origin, "room/.x");
        let hides = Err(Unnoticed::Hidden { asked });
        if version.features().include_hidden {
            assert_eq!(hidden.told(LIMIT).await, Ok(()));
        } else {
            assert_eq!(hidden.told(LIMIT).await, hides);
        }
        for name in ["room/a", "hall/.x"] {
            let mut named = publish(&origin, name);
            assert_eq!(named.told(LIMIT).await, Ok(()), "{name}");
        }
    });
}

// spec: Section 4.1, "Hidden names"
#[test]
fn what_is_hidden_is_asked_for_apart_only_where_the_draft_hides_it() {
    for_each_version(|version| async move {
        let all = grant("").publish(["**", "room/.stats/**"].map(pattern));
        let (mut peer, _session) = enter_with(version, &OriginProducer::new(), all).await;
        let (asked, _all) = peer
            .expect_request::<AnnounceRequest>(BiStream::Announce)
            .await;
        assert_eq!(asked.prefix, path(""));
        if version.features().include_hidden {
            assert!(asked.include_hidden);
            peer.expect_no_bi(BiStream::Announce, A_WHILE).await;
            return;
        }
        let (asked, _stats) = peer
            .expect_request::<AnnounceRequest>(BiStream::Announce)
            .await;
        assert_eq!(asked.prefix, path("room/.stats"));
    });
}

// spec: Section 4.1, "Hidden names"
#[test]
fn a_prefix_that_names_a_hidden_segment_can_be_asked_for() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let prefix = absolute("room/.stats");
        let config = Config::default()
            .with_subscribe(origin.clone())
            .with_asked([prefix]);
        let (_session, mut peer) = Peer::server_of(version, config).await;
        let (asked, mut stream) = peer
            .expect_request::<AnnounceRequest>(BiStream::Announce)
            .await;
        assert_eq!(asked.prefix, path("room/.stats"));
        drop(asked);
        stream.reset(moq_wire::code::stream::CANCELLED);
        // It is asked again.
        let stream = peer.expect_bi(BiStream::Announce).await;
        let mut teller = Teller::new(stream, 9, 0).await;
        let chain: &[u64] = if version.features().sender_in_chain {
            &[9]
        } else {
            &[]
        };
        teller.tell(&start("cpu", chain)).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        loop {
            if let AnnouncedEvent::Start(found, route) = announced.next().await {
                assert_eq!(found, absolute("room/.stats/cpu"));
                if version.features().hops.has_ids() {
                    assert_eq!(route.hops, hops(&[9]));
                }
                break;
            }
        }
    });
}
