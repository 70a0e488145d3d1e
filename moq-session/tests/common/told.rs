//! What a relay tells of its own broadcasts.

use moq_session::{BroadcastProducer, OriginProducer, Publication, Version};
use moq_wire::AnnounceEvent;

use super::finished;
use super::scripts::{carried, path, start};

pub fn publish(origin: &OriginProducer, path: &str) -> Publication {
    origin.publish(&path.parse().unwrap(), finished(&[]).consume())
}

/// As [`publish`], with a broadcast that lives on: it has a track `data` with one group.
pub fn keep(origin: &OriginProducer, path: &str) -> (BroadcastProducer, Publication) {
    let broadcast = finished(&[&["x"]]);
    let publication = origin.publish(&path.parse().unwrap(), broadcast.consume());
    (broadcast, publication)
}

/// Names that are longer together than what may be in flight.
pub fn long_name(n: usize) -> String {
    format!("{n:05}{}", "x".repeat(95))
}

/// Publishes so many of them.
pub fn fill(origin: &OriginProducer, count: usize) -> Vec<Publication> {
    (0..count).map(|n| publish(origin, &long_name(n))).collect()
}

pub fn end(suffix: &str) -> AnnounceEvent {
    let suffix = path(suffix);
    AnnounceEvent::End { suffix }
}

/// An announcement of the relay's own broadcast, as the draft writes its chain.
pub fn own(origin: &OriginProducer, version: Version, suffix: &str) -> AnnounceEvent {
    told(origin, version, suffix, &[])
}

pub fn told(
    origin: &OriginProducer,
    version: Version,
    suffix: &str,
    hops: &[u64],
) -> AnnounceEvent {
    let mut hops = hops.to_vec();
    if version.features().sender_in_chain {
        hops.push(origin.hop().0);
    }
    let mut event = start(suffix, &carried(version, &hops));
    if let AnnounceEvent::Start { route, .. } = &mut event
        && !version.features().typed_announce
    {
        route.cold_cost = moq_wire::varint::MAX;
    }
    event
}
