//! Known bytes of known messages, one file per draft and message.
//!
//! A line is one message as it follows the stream type; `#` starts a comment.

mod draft;

use std::time::Duration;

use bytes::Bytes;
use draft::Draft;
use moq_wire::{
    AnnounceEvent, AnnounceOk, AnnounceRequest, Datagram, Fetch, Goaway, GroupHeader,
    GroupSequence, GroupStart, HopId, Path, Probe, Role, Route, Setup, Subscribe, SubscribeId,
    SubscribeOk, SubscribeResponse, SubscribeUpdate, Track, TrackInfo, Version, varint,
};

#[test]
fn lite_06_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite06);
    let hop = |hop| Some(HopId(hop));
    draft.messages(
        "setup",
        &[
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
        ],
    );
    draft.messages("announce_request", &[everything_but(0)]);
    draft.messages(
        "announce_ok",
        &[AnnounceOk {
            hop: HopId(0x1111),
            active: 2,
        }],
    );
    draft.announcements("announce", &rooms(&route(&[], 0, 0)));
    draft.announcements(
        "announce_update",
        &[
            start("cam", route(&[9], 7, 7)),
            update(route(&[9, 10], 3, 3)),
        ],
    );
    draft.messages(
        "subscribe",
        &[unbounded(GroupStart::Floor(0)), bounded(30_000, Some(1))],
    );
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[
        SubscribeResponse::Start(0),
        SubscribeResponse::End(2),
        dropped(),
    ]);
    draft.messages("track", &[track()]);
    draft.messages("track_info", &track_infos());
    draft.messages("fetch", &[fetch()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[180_000, 183_000, 177_000]);
    draft.datagrams(&[datagram(0, 0, b"first"), datagram(1, 20, b"")]);
    draft.messages("probe", &probes());
    draft.messages("goaway", &goaways());
    draft.finish();
}

#[test]
fn lite_05_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite05);
    draft.messages("announce_request", &[everything_but(0x2222)]);
    draft.messages(
        "announce_ok",
        &[AnnounceOk {
            hop: HopId(0x1111),
            active: 2,
        }],
    );
    draft.announcements("announce", &rooms(&free(&[])));
    draft.announcements(
        "announce_update",
        &[start("cam", free(&[9])), update(free(&[9, 10]))],
    );
    draft.messages("subscribe", &[unbounded(GroupStart::Latest)]);
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[SubscribeResponse::Start(0), SubscribeResponse::End(2)]);
    draft.messages("track", &[track()]);
    draft.messages("track_info", &track_infos());
    draft.messages("group", &[group_1()]);
    draft.frames(&[180_000, 183_000, 177_000]);
    draft.finish();
}

#[test]
fn lite_04_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite04);
    draft.messages("announce_request", &[everything_but(0x2222)]);
    draft.announcements("announce", &rooms(&free(&[0x1111])));
    draft.announcements("announce_update", &[start("cam", free(&[9, 0x1111]))]);
    draft.messages(
        "subscribe",
        &[unbounded(GroupStart::Latest), bounded(5_000, None)],
    );
    let ok = SubscribeOk {
        priority: 5,
        max_age: Duration::ZERO,
        start: None,
        end: None,
    };
    draft.responses(&[SubscribeResponse::Ok(ok), dropped()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[]);
    draft.messages("probe", &probes());
    draft.messages("goaway", &goaways());
    draft.finish();
}

fn everything_but(hop: u64) -> AnnounceRequest {
    AnnounceRequest {
        prefix: path(""),
        exclude_hop: HopId(hop),
        include_hidden: false,
    }
}

/// Two broadcasts, a third, and the end of the second.
fn rooms(route: &Route) -> [AnnounceEvent; 4] {
    [
        start("room/alice", route.clone()),
        start("room/bob", route.clone()),
        start("room/carol", route.clone()),
        AnnounceEvent::End {
            suffix: path("room/bob"),
        },
    ]
}

fn start(suffix: &str, route: Route) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: path(suffix),
        route,
    }
}

fn update(route: Route) -> AnnounceEvent {
    AnnounceEvent::Update {
        suffix: path("cam"),
        route,
    }
}

fn route(hops: &[u64], warm_cost: u64, cold_cost: u64) -> Route {
    Route {
        hops: hops.iter().copied().map(HopId).collect(),
        warm_cost,
        cold_cost,
    }
}

/// A route as it reads where the draft has no costs.
fn free(hops: &[u64]) -> Route {
    route(hops, 0, varint::MAX)
}

fn unbounded(start: GroupStart) -> Subscribe {
    Subscribe {
        id: SubscribeId(0),
        broadcast: path("room/alice"),
        track: "video".into(),
        priority: 5,
        max_age: Duration::from_millis(1500),
        start,
        end: None,
        frame_start: 0,
        frame_end: None,
    }
}

fn bounded(max_age: u64, frame_end: Option<u64>) -> Subscribe {
    Subscribe {
        broadcast: path("room"),
        track: "data".into(),
        priority: 200,
        max_age: Duration::from_millis(max_age),
        end: Some(2),
        frame_end,
        ..unbounded(GroupStart::Floor(1))
    }
}

fn from_group_3() -> SubscribeUpdate {
    SubscribeUpdate {
        priority: 9,
        max_age: Duration::from_secs(5),
        start: GroupStart::Floor(3),
        end: None,
        frame_start: 0,
        frame_end: None,
    }
}

fn dropped() -> SubscribeResponse {
    SubscribeResponse::Drop {
        start: 3,
        end: 4,
        code: 5,
    }
}

fn track() -> Track {
    Track {
        broadcast: path("room"),
        track: "data".into(),
    }
}

fn track_infos() -> [TrackInfo; 2] {
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

fn fetch() -> Fetch {
    Fetch {
        broadcast: path("room/alice"),
        track: "video".into(),
        priority: 3,
        group: GroupSequence(0),
        frame_start: 0,
        frame_end: None,
    }
}

fn group_1() -> GroupHeader {
    GroupHeader {
        subscribe_id: SubscribeId(0),
        sequence: GroupSequence(1),
        frame_start: 0,
    }
}

fn datagram(sequence: u64, timestamp: u64, payload: &'static [u8]) -> Datagram {
    Datagram {
        subscribe_id: SubscribeId(0),
        sequence: GroupSequence(sequence),
        timestamp,
        payload: Bytes::from_static(payload),
    }
}

fn probes() -> [Probe; 2] {
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

fn goaways() -> [Goaway; 2] {
    [
        Goaway {
            uri: "https://relay2.example/room?jwt=x".into(),
        },
        Goaway { uri: String::new() },
    ]
}

fn path(path: &str) -> Path {
    Path::new(path).expect("vector path is valid")
}
