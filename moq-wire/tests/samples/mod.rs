//! One of every message, as far as a draft can carry it.

use std::fmt::Debug;
use std::time::Duration;

use moq_wire::{
    AnnounceEvent, AnnounceOk, AnnounceRequest, Decode, Encode, Fetch, Goaway, GroupHeader,
    GroupSequence, GroupStart, HopId, Path, Probe, ProbeLevel, Role, Route, SessionInfo, Setup,
    Subscribe, SubscribeId, SubscribeOk, SubscribeResponse, SubscribeUpdate, Track, TrackInfo,
    Version, varint,
};

/// Something to do with messages of any type.
pub(crate) trait Visitor {
    /// Looks at one message.
    fn visit<M: Encode + Decode + PartialEq + Debug>(&mut self, message: M);
}

/// Shows `visitor` every message with an envelope of its own.
pub(crate) fn each_message(version: Version, visitor: &mut impl Visitor) {
    visitor.visit(Setup::default());
    visitor.visit(setup());
    visitor.visit(AnnounceRequest {
        prefix: path("room"),
        exclude_hop: HopId(if version.features().exclude_hop {
            0x2222
        } else {
            0
        }),
        include_hidden: version.features().include_hidden,
    });
    visitor.visit(AnnounceOk {
        hop: HopId(varint::MAX),
        active: 300,
    });
    visitor.visit(subscribe(version));
    visitor.visit(update(version));
    visitor.visit(Track {
        broadcast: path("room/alice"),
        track: "video/\u{e9}".into(),
    });
    visitor.visit(TrackInfo {
        priority: 127,
        max_age: Duration::from_secs(5),
        timescale: 90_000,
    });
    visitor.visit(fetch(version));
    visitor.visit(Probe {
        bitrate: Some(2_500_000),
        rtt: version
            .features()
            .probe
            .has_rtt()
            .then_some(Duration::from_millis(25)),
    });
    visitor.visit(SessionInfo::default());
    visitor.visit(SessionInfo {
        bitrate: Some(2_500_000),
    });
    visitor.visit(Probe::default());
    visitor.visit(Goaway {
        uri: "https://relay.example/".repeat(9),
    });
    visitor.visit(GroupHeader {
        subscribe_id: SubscribeId(70),
        sequence: GroupSequence(1 << 40),
        frame_start: if version.features().frame_bounds {
            3
        } else {
            0
        },
    });
}

/// Announcements of one stream, none of which contradicts another.
pub(crate) fn announcements(version: Version) -> Vec<AnnounceEvent> {
    let mut events = vec![
        AnnounceEvent::Start {
            suffix: path("alice"),
            route: route(&[4, 5], version),
        },
        AnnounceEvent::Start {
            suffix: path(""),
            route: route(&[], version),
        },
        AnnounceEvent::Start {
            suffix: path("a/b/c"),
            route: route(&[0; 32], version),
        },
        AnnounceEvent::End { suffix: path("") },
        AnnounceEvent::Start {
            suffix: path(""),
            route: route(&[0, 7, 0, varint::MAX], version),
        },
    ];
    if version.features().typed_announce || version.features().announce_replace {
        events.push(AnnounceEvent::Update {
            suffix: path("alice"),
            route: route(&[9], version),
        });
    }
    events.push(AnnounceEvent::End {
        suffix: path("alice"),
    });
    events
}

/// Every answer to a subscription that the draft has.
pub(crate) fn responses(version: Version) -> Vec<SubscribeResponse> {
    let features = version.features();
    let ok = SubscribeOk {
        priority: if features.ok_priority { 5 } else { 0 },
        max_age: Duration::from_millis(if features.subscribe_range { 1500 } else { 0 }),
        start: features.subscribe_range.then_some(GroupSequence(0)),
        last: features.subscribe_range.then_some(GroupSequence(70)),
    };
    let mut responses = Vec::new();
    if features.subscribe_ok {
        responses.push(SubscribeResponse::Ok(ok));
    }
    if features.start_end {
        responses.extend([
            SubscribeResponse::Start(GroupSequence(0)),
            SubscribeResponse::End {
                end: GroupSequence(varint::MAX),
                streams: features.end_stream_count.then_some(3),
            },
        ]);
    }
    if features.drop_type.is_some() {
        responses.push(SubscribeResponse::Drop {
            first: GroupSequence(1),
            last: GroupSequence(300),
            code: 5,
        });
    }
    responses
}

fn setup() -> Setup {
    Setup {
        probe: ProbeLevel::Increase,
        path: Some("/demo?jwt=T".into()),
        role: Some(Role::Publisher),
        cost: Some(0),
        hop: Some(HopId(0x1111)),
    }
}

fn subscribe(version: Version) -> Subscribe {
    let SubscribeUpdate {
        priority,
        max_age,
        start,
        last,
        frame_start,
        frame_last,
    } = update(version);
    let ranges = version.features().subscribe_range;
    Subscribe {
        id: SubscribeId(63),
        broadcast: path("room/alice"),
        track: String::new(),
        priority,
        max_age: if ranges { max_age } else { Duration::ZERO },
        start: if ranges { start } else { GroupStart::Latest },
        last: last.filter(|_| ranges),
        frame_start,
        frame_last,
    }
}

fn update(version: Version) -> SubscribeUpdate {
    let bounds = version.features().frame_bounds;
    SubscribeUpdate {
        priority: 255,
        max_age: Duration::from_secs(30),
        start: GroupStart::Floor(GroupSequence(1)),
        last: Some(GroupSequence(varint::MAX - 1)),
        frame_start: if bounds { 64 } else { 0 },
        frame_last: bounds.then_some(0),
    }
}

fn fetch(version: Version) -> Fetch {
    let bounds = version.features().frame_bounds;
    Fetch {
        broadcast: path(""),
        track: "t".repeat(100),
        priority: 3,
        group: GroupSequence(12),
        frame_start: if bounds { 1 } else { 0 },
        frame_last: bounds.then_some(2),
    }
}

fn route(hops: &[u64], version: Version) -> Route {
    let features = version.features();
    let hop = |hop: u64| HopId(if features.hops.has_ids() { hop } else { 0 });
    let told = if features.hops.has_count() { hops } else { &[] };
    let hops = told.iter().copied().map(hop).collect();
    if version.features().typed_announce {
        Route {
            hops,
            warm_cost: 2,
            cold_cost: 700,
        }
    } else {
        Route {
            hops,
            warm_cost: 0,
            cold_cost: varint::MAX,
        }
    }
}

fn path(path: &str) -> Path {
    Path::new(path).expect("sample path is valid")
}
