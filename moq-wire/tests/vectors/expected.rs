//! What the vectors say.

use std::time::Duration;

use bytes::Bytes;
use moq_wire::{
    AnnounceEvent, AnnounceOk, AnnounceRequest, Datagram, Fetch, Goaway, GroupHeader,
    GroupSequence, GroupStart, HopId, Path, Probe, Role, Route, SessionInfo, Setup, Subscribe,
    SubscribeId, SubscribeOk, SubscribeResponse, SubscribeUpdate, Track, TrackInfo, varint,
};

pub(crate) fn setups() -> [Setup; 3] {
    let hop = |hop| Some(HopId(hop));
    [
        Setup {
            role: Some(Role::Subscriber),
            hop: hop(0x2222),
            ..Setup::default()
        },
        Setup {
            hop: hop(0x1111),
            ..Setup::default()
        },
        Setup::default(),
    ]
}

pub(crate) fn announce_ok() -> AnnounceOk {
    AnnounceOk {
        hop: HopId(0x1111),
        active: 2,
    }
}

/// The acceptance of [`unbounded`] by a deployed publisher.
pub(crate) fn accepted(priority: u8) -> SubscribeResponse {
    SubscribeResponse::Ok(SubscribeOk {
        priority,
        max_age: Duration::ZERO,
        start: None,
        last: None,
    })
}

pub(crate) fn session_infos() -> [SessionInfo; 2] {
    [Some(2_500_000), None].map(|bitrate| SessionInfo { bitrate })
}

/// A subscription without anything that its draft cannot say.
pub(crate) fn plain() -> Subscribe {
    Subscribe {
        max_age: Duration::ZERO,
        ..unbounded(GroupStart::Latest)
    }
}

pub(crate) fn everything_but(hop: u64) -> AnnounceRequest {
    AnnounceRequest {
        prefix: path(""),
        exclude_hop: HopId(hop),
        include_hidden: false,
    }
}

/// Two broadcasts, a third, and the end of the second.
pub(crate) fn rooms(route: &Route) -> [AnnounceEvent; 4] {
    [
        start("room/alice", route.clone()),
        start("room/bob", route.clone()),
        start("room/carol", route.clone()),
        AnnounceEvent::End {
            suffix: path("room/bob"),
        },
    ]
}

pub(crate) fn start(suffix: &str, route: Route) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: path(suffix),
        route,
    }
}

pub(crate) fn update(route: Route) -> AnnounceEvent {
    AnnounceEvent::Update {
        suffix: path("cam"),
        route,
    }
}

pub(crate) fn route(hops: &[u64], warm_cost: u64, cold_cost: u64) -> Route {
    Route {
        hops: hops.iter().copied().map(HopId).collect(),
        warm_cost,
        cold_cost,
    }
}

/// A route as it reads where the draft has no costs.
pub(crate) fn free(hops: &[u64]) -> Route {
    route(hops, 0, varint::MAX)
}

pub(crate) fn unbounded(start: GroupStart) -> Subscribe {
    Subscribe {
        id: SubscribeId(0),
        broadcast: path("room/alice"),
        track: "video".into(),
        priority: 5,
        max_age: Duration::from_millis(1500),
        start,
        last: None,
        frame_start: 0,
        frame_last: None,
    }
}

pub(crate) fn bounded(max_age: u64, frame_last: Option<u64>) -> Subscribe {
    Subscribe {
        broadcast: path("room"),
        track: "data".into(),
        priority: 200,
        max_age: Duration::from_millis(max_age),
        last: Some(GroupSequence(2)),
        frame_last,
        ..unbounded(GroupStart::Floor(GroupSequence(1)))
    }
}

pub(crate) fn from_group_3() -> SubscribeUpdate {
    SubscribeUpdate {
        priority: 9,
        max_age: Duration::from_secs(5),
        start: GroupStart::Floor(GroupSequence(3)),
        last: None,
        frame_start: 0,
        frame_last: None,
    }
}

pub(crate) fn begun() -> SubscribeResponse {
    SubscribeResponse::Start(GroupSequence(0))
}

pub(crate) fn ended(streams: Option<u64>) -> SubscribeResponse {
    SubscribeResponse::End {
        end: GroupSequence(2),
        streams,
    }
}

pub(crate) fn dropped() -> SubscribeResponse {
    SubscribeResponse::Drop {
        first: GroupSequence(3),
        last: GroupSequence(4),
        code: 5,
    }
}

pub(crate) fn track() -> Track {
    Track {
        broadcast: path("room"),
        track: "data".into(),
    }
}

pub(crate) fn track_infos() -> [TrackInfo; 2] {
    [
        TrackInfo {
            priority: 10,
            max_age: Duration::from_secs(2),
            timescale: 90_000,
        },
        TrackInfo {
            priority: 127,
            max_age: Duration::from_secs(5),
            timescale: 1_000,
        },
    ]
}

pub(crate) fn fetch() -> Fetch {
    Fetch {
        broadcast: path("room/alice"),
        track: "video".into(),
        priority: 3,
        group: GroupSequence(0),
        frame_start: 0,
        frame_last: None,
    }
}

pub(crate) fn group_1() -> GroupHeader {
    GroupHeader {
        subscribe_id: SubscribeId(0),
        sequence: GroupSequence(1),
        frame_start: 0,
    }
}

pub(crate) fn datagram(sequence: u64, timestamp: u64, payload: &'static [u8]) -> Datagram {
    Datagram {
        subscribe_id: SubscribeId(0),
        sequence: GroupSequence(sequence),
        timestamp,
        payload: Bytes::from_static(payload),
    }
}

pub(crate) fn probes() -> [Probe; 2] {
    let millis = |rtt| Some(Duration::from_millis(rtt));
    [
        Probe {
            bitrate: Some(2_500_000),
            rtt: millis(25),
        },
        Probe {
            bitrate: None,
            rtt: millis(60),
        },
    ]
}

pub(crate) fn goaways() -> [Goaway; 2] {
    [
        Goaway {
            uri: "https://relay2.example/room?jwt=x".into(),
        },
        Goaway { uri: String::new() },
    ]
}

pub(crate) fn path(path: &str) -> Path {
    Path::new(path).expect("vector path is valid")
}
