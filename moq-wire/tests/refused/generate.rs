//! Messages at and beyond the edges of what can be said.

use std::time::Duration;

use bytes::Bytes;
use moq_wire::{
    AnnounceEvent, AnnounceOk, AnnounceRequest, ClientSetup, Datagram, Fetch, Goaway, GroupHeader,
    GroupSequence, GroupStart, HopId, Parameter, ParameterValue, Path, Probe, ProbeLevel, Role,
    Route, ServerSetup, SessionInfo, Setup, Subscribe, SubscribeId, SubscribeOk, SubscribeResponse,
    SubscribeUpdate, Track, TrackInfo, limits, varint,
};

use crate::random::Random;

/// Something of which there are many.
pub(crate) trait Generate {
    /// Any of them, often one with an odd value.
    fn generate(random: &mut Random) -> Self;
}

/// A number of a size that matters, mostly one that can be written.
pub(crate) fn number(random: &mut Random) -> u64 {
    const NUMBERS: [u64; 16] = [
        0,
        0,
        1,
        2,
        63,
        64,
        127,
        128,
        16_384,
        1 << 30,
        (1 << 61) - 1,
        varint::MAX - 1,
        varint::MAX,
        varint::MAX + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    // Most are small, so that messages with many fields are written too.
    let among = if random.below(8) == 0 {
        NUMBERS.len()
    } else {
        12
    };
    NUMBERS[random.below(among)]
}

fn option<T>(random: &mut Random, some: impl FnOnce(&mut Random) -> T) -> Option<T> {
    (random.below(2) == 0).then(|| some(random))
}

fn group(random: &mut Random) -> GroupSequence {
    GroupSequence(number(random))
}

fn hop(random: &mut Random) -> HopId {
    HopId(number(random))
}

fn start(random: &mut Random) -> GroupStart {
    option(random, group).map_or(GroupStart::Latest, GroupStart::Floor)
}

/// An age, perhaps not in whole milliseconds or one for which there is no number.
fn age(random: &mut Random) -> Duration {
    match random.below(16) {
        0 => Duration::MAX,
        1 => Duration::from_micros(1_999),
        _ => Duration::from_millis(number(random)),
    }
}

/// A text, sometimes as long as a message may be, or as a URI may be, or a bit longer.
fn text(random: &mut Random) -> String {
    let len = match random.below(24) {
        0 => limits::MAX_GOAWAY_URI + random.below(3) - 1,
        1 => limits::MAX_MESSAGE - 10 + random.below(20),
        _ => random.below(4) * 23,
    };
    "x".repeat(len)
}

fn path(random: &mut Random) -> Path {
    Path::new(["", "room", "room/alice", "a/b/c"][random.below(4)]).expect("a valid path")
}

impl Generate for Setup {
    fn generate(random: &mut Random) -> Self {
        let levels = [ProbeLevel::None, ProbeLevel::Report, ProbeLevel::Increase];
        let roles = [None, Some(Role::Publisher), Some(Role::Subscriber)];
        Self {
            probe: levels[random.below(3)],
            path: option(random, text),
            role: roles[random.below(3)],
            cost: option(random, number),
            hop: option(random, hop),
        }
    }
}

impl Generate for AnnounceRequest {
    fn generate(random: &mut Random) -> Self {
        Self {
            prefix: path(random),
            exclude_hop: hop(random),
            include_hidden: random.below(2) == 0,
        }
    }
}

impl Generate for AnnounceOk {
    fn generate(random: &mut Random) -> Self {
        Self {
            hop: hop(random),
            active: number(random),
        }
    }
}

impl Generate for Subscribe {
    fn generate(random: &mut Random) -> Self {
        let update = SubscribeUpdate::generate(random);
        Self {
            id: SubscribeId(number(random)),
            broadcast: path(random),
            track: text(random),
            priority: update.priority,
            max_age: update.max_age,
            start: update.start,
            last: update.last,
            frame_start: update.frame_start,
            frame_last: update.frame_last,
        }
    }
}

impl Generate for SubscribeUpdate {
    fn generate(random: &mut Random) -> Self {
        Self {
            priority: random.byte(),
            max_age: age(random),
            start: start(random),
            last: option(random, group),
            frame_start: number(random),
            frame_last: option(random, number),
        }
    }
}

impl Generate for SubscribeResponse {
    fn generate(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Self::Ok(SubscribeOk {
                priority: random.byte(),
                max_age: age(random),
                start: option(random, group),
                last: option(random, group),
            }),
            1 => Self::Start(group(random)),
            2 => Self::End {
                end: group(random),
                streams: option(random, number),
            },
            _ => Self::Drop {
                first: group(random),
                last: group(random),
                code: number(random),
            },
        }
    }
}

impl Generate for Track {
    fn generate(random: &mut Random) -> Self {
        Self {
            broadcast: path(random),
            track: text(random),
        }
    }
}

impl Generate for TrackInfo {
    fn generate(random: &mut Random) -> Self {
        Self {
            priority: random.byte(),
            max_age: age(random),
            timescale: number(random),
        }
    }
}

impl Generate for Fetch {
    fn generate(random: &mut Random) -> Self {
        Self {
            broadcast: path(random),
            track: text(random),
            priority: random.byte(),
            group: group(random),
            frame_start: number(random),
            frame_last: option(random, number),
        }
    }
}

impl Generate for Probe {
    fn generate(random: &mut Random) -> Self {
        Self {
            bitrate: option(random, number),
            rtt: option(random, age),
        }
    }
}

impl Generate for SessionInfo {
    fn generate(random: &mut Random) -> Self {
        Self {
            bitrate: option(random, number),
        }
    }
}

impl Generate for Goaway {
    fn generate(random: &mut Random) -> Self {
        Self { uri: text(random) }
    }
}

impl Generate for GroupHeader {
    fn generate(random: &mut Random) -> Self {
        Self {
            subscribe_id: SubscribeId(number(random)),
            sequence: group(random),
            frame_start: number(random),
        }
    }
}

impl Generate for Datagram {
    fn generate(random: &mut Random) -> Self {
        Self {
            subscribe_id: SubscribeId(number(random)),
            sequence: group(random),
            timestamp: number(random),
            payload: Bytes::from(text(random)),
        }
    }
}

impl Generate for AnnounceEvent {
    fn generate(random: &mut Random) -> Self {
        let suffix = path(random);
        let hops = [0, 1, 2, 3, 32, 33][random.below(6)];
        let route = Route {
            hops: (0..hops).map(|_| hop(random)).collect(),
            warm_cost: number(random),
            cold_cost: number(random),
        };
        match random.below(4) {
            0 => Self::End { suffix },
            _ => Self::Start { suffix, route },
        }
    }
}

impl Generate for ClientSetup {
    fn generate(random: &mut Random) -> Self {
        let count = [0, 1, 2, 128, 129][random.below(5)];
        Self {
            versions: (0..count).map(|_| number(random)).collect(),
            parameters: parameters(random),
        }
    }
}

impl Generate for ServerSetup {
    fn generate(random: &mut Random) -> Self {
        Self {
            version: number(random),
            parameters: parameters(random),
        }
    }
}

fn parameters(random: &mut Random) -> Vec<Parameter> {
    let count = [0, 0, 1, 2, 64, 65][random.below(6)];
    (0..count).map(|_| parameter(random)).collect()
}

fn parameter(random: &mut Random) -> Parameter {
    let id = number(random);
    let is_number = id.is_multiple_of(2) != (random.below(200) == 0);
    let value = if is_number {
        ParameterValue::Number(number(random))
    } else {
        ParameterValue::Bytes(Bytes::from(text(random)))
    };
    Parameter { id, value }
}
