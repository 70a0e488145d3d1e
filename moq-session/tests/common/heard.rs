//! A session that hears announcements which a test makes by hand.

use std::time::Duration;

use bytes::BytesMut;
use moq_session::testing::Peer;
use moq_session::{
    Announced, AnnouncedEvent, BroadcastPath, HopId, OriginProducer, Session, Version,
};
use moq_wire::{AnnounceEvent, BiStream, varint};

use super::announce::Teller;
use super::scripts::{A_WHILE, asked, carried, hops, start};

/// The hop of the peer that announces.
pub const PEER: u64 = 77;

/// A session that is about to hear of broadcasts, the peer that tells, and what appears.
pub struct Heard {
    pub session: Session,
    pub peer: Peer,
    pub teller: Teller,
    pub origin: OriginProducer,
    pub announced: Announced,
}

pub async fn heard(version: Version, active: u64) -> Heard {
    let origin = OriginProducer::new();
    let (session, mut peer) = asked(version, &origin).await;
    let stream = peer.expect_bi(BiStream::Announce).await;
    let teller = Teller::new(stream, PEER, active).await;
    let announced = origin.consume().announced(&BroadcastPath::root());
    Heard {
        session,
        peer,
        teller,
        origin,
        announced,
    }
}

impl Heard {
    pub async fn next(&mut self) -> AnnouncedEvent {
        let next = tokio::time::timeout(Duration::from_secs(60), self.announced.next());
        next.await.expect("an event")
    }

    /// The path of the next start.
    pub async fn started(&mut self) -> String {
        loop {
            match self.next().await {
                AnnouncedEvent::Live => {}
                AnnouncedEvent::Start(path, _) => return path.as_str().to_owned(),
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn ended(&mut self) -> String {
        loop {
            match self.next().await {
                AnnouncedEvent::Live => {}
                AnnouncedEvent::End(path) => return path.as_str().to_owned(),
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn expect_nothing(&mut self) {
        let next = tokio::time::timeout(A_WHILE, self.announced.next()).await;
        assert!(
            matches!(next, Err(_) | Ok(AnnouncedEvent::Live)),
            "{next:?}"
        );
    }
}

/// The peer's own broadcast, as the draft writes its chain.
pub fn own(version: Version, suffix: &str) -> AnnounceEvent {
    let chain: &[u64] = if version.features().sender_in_chain {
        &[PEER]
    } else {
        &[]
    };
    start(suffix, chain)
}

/// Checks the chain of a route that was told with these hops, the sender being the last of them.
/// Where they have no names, a name for the session stands before them.
pub fn assert_hops(version: Version, got: &[HopId], named: &[u64]) {
    if version.features().hops.has_ids() {
        assert_eq!(got, hops(named));
        return;
    }
    assert!(!got[0].is_anonymous(), "{got:?}");
    let carried = carried(version, named);
    let anonymous = carried.len().max(1);
    assert_eq!(got[1..], vec![HopId::ANONYMOUS; anonymous]);
}

/// An announcement that no encoder writes.
pub fn raw_start(version: Version, suffix: &str, chain: &[u64]) -> BytesMut {
    let mut body = BytesMut::new();
    let features = version.features();
    if !features.typed_announce {
        body.extend_from_slice(&[1]);
    }
    if features.announce_compression {
        body.extend_from_slice(&[0, 0]);
    }
    varint::put(suffix.len() as u64, &mut body, version).expect("it is in range");
    body.extend_from_slice(suffix.as_bytes());
    if features.announce_compression {
        body.extend_from_slice(&[0]);
    }
    if features.hops.has_count() {
        varint::put(chain.len() as u64, &mut body, version).expect("it is in range");
    }
    for &hop in chain.iter().filter(|_| features.hops.has_ids()) {
        varint::put(hop, &mut body, version).expect("it is in range");
    }
    if features.announce_compression {
        body.extend_from_slice(&[0]);
    }
    let mut message = BytesMut::new();
    if features.typed_announce {
        body.extend_from_slice(&[0, 0]);
        message.extend_from_slice(&[0]);
    }
    varint::put(body.len() as u64, &mut message, version).expect("it is in range");
    message.extend_from_slice(&body);
    message
}
