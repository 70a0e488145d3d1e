//! What each kind of message says.

use bytes::Bytes;
use moq_wire::{
    AnnounceOk, AnnounceRequest, ClientSetup, Datagram, Decode, DecodeError, Fetch, Goaway,
    GroupHeader, GroupStart, Parameter, ParameterValue, Probe, ProbeLevel, Role, Route,
    ServerSetup, SessionInfo, Setup, Subscribe, SubscribeOk, SubscribeResponse, SubscribeUpdate,
    Track, TrackInfo, Version,
};

use super::message::{Message, Say, Value};

/// SETUP with all its parameters, those included that nobody knows.
#[derive(Debug)]
pub(crate) struct WholeSetup {
    setup: Setup,
    parameters: Vec<(u64, Bytes)>,
}

impl Decode for WholeSetup {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let mut again = buf.clone();
        Ok(Self {
            setup: Setup::decode(buf, version)?,
            parameters: Setup::parameters(&mut again, version)?,
        })
    }
}

impl Say for WholeSetup {
    fn say(&self, _version: Version) -> Message {
        let setup = &self.setup;
        let mut message = Message::new("SETUP");
        for (id, value) in &self.parameters {
            let known = match Setup::parameter_name(*id) {
                Some("Probe") => ("probe", Value::Word(probe_level(setup.probe))),
                Some("Path") => ("path", setup.path.as_deref().into()),
                Some("Role") => ("role", Value::Word(role(setup.role))),
                Some("Cost") => ("cost", setup.cost.into()),
                Some("Hop") => ("hop", setup.hop.into()),
                _ => {
                    let name = format!("{id:#x}");
                    let label = format!("unknown {name}");
                    message.push(name, label, Value::Payload(value.clone()));
                    continue;
                }
            };
            message.push(known.0, known.0, known.1);
        }
        message
    }
}

fn probe_level(level: ProbeLevel) -> &'static str {
    match level {
        ProbeLevel::None => "none",
        ProbeLevel::Report => "report",
        _ => "increase",
    }
}

fn role(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Publisher) => "publisher",
        Some(Role::Subscriber) => "subscriber",
        _ => "both",
    }
}

impl Say for ClientSetup {
    fn say(&self, _version: Version) -> Message {
        let versions = self.versions.iter().map(|version| code_point(*version));
        let message = Message::new("CLIENT_SETUP");
        let message = message.with("versions", Value::Words(versions.collect()));
        parameters(message, &self.parameters)
    }
}

impl Say for ServerSetup {
    fn say(&self, _version: Version) -> Message {
        let version = Value::Words(vec![code_point(self.version)]);
        let message = Message::new("SERVER_SETUP").with("version", version);
        parameters(message, &self.parameters)
    }
}

/// A version by its name, or as a number if it is one of another protocol.
fn code_point(code_point: u64) -> String {
    Version::from_code_point(code_point)
        .map_or_else(|| format!("{code_point:#x}"), |version| version.to_string())
}

fn parameters(mut message: Message, parameters: &[Parameter]) -> Message {
    for Parameter { id, value } in parameters {
        let value = match value {
            ParameterValue::Number(number) => Value::Number(*number),
            ParameterValue::Bytes(bytes) => Value::Payload(bytes.clone()),
        };
        let name = format!("{id:#x}");
        message.push(name.clone(), name, value);
    }
    message
}

impl Say for SessionInfo {
    fn say(&self, _version: Version) -> Message {
        Message::new("SESSION_INFO").with("bitrate", self.bitrate)
    }
}

impl Say for AnnounceRequest {
    fn say(&self, version: Version) -> Message {
        let features = version.features();
        Message::new("ANNOUNCE_REQUEST")
            .with("prefix", self.prefix.as_str())
            .when(features.exclude_hop, |message| {
                message.labelled("exclude_hop", "exclude-hop", self.exclude_hop)
            })
            .when(features.include_hidden, |message| {
                message.labelled("include_hidden", "include-hidden", self.include_hidden)
            })
    }
}

impl Say for AnnounceOk {
    fn say(&self, _version: Version) -> Message {
        Message::new("ANNOUNCE_OK")
            .with("hop", self.hop)
            .with("active", self.active)
    }
}

/// Adds the route of an announcement, as far as the draft tells it.
pub(crate) fn route(message: Message, route: &Route, version: Version) -> Message {
    let features = version.features();
    let hops: Vec<u64> = route.hops.iter().map(|hop| hop.0).collect();
    let hops = if features.hop_ids {
        Value::Ids(hops)
    } else {
        Value::Number(hops.len() as u64)
    };
    message
        .when(features.hop_count, |message| message.with("hops", hops))
        .when(features.typed_announce, |message| {
            message
                .labelled("warm_cost", "warm", route.warm_cost)
                .labelled("cold_cost", "cold", route.cold_cost)
        })
}

impl Say for Subscribe {
    fn say(&self, version: Version) -> Message {
        let wanted = Wanted {
            start: self.start,
            end: self.end,
            frame_start: self.frame_start,
            frame_end: self.frame_end,
        };
        Message::new("SUBSCRIBE")
            .with("id", self.id.0)
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
            .with("priority", self.priority)
            .when(version.features().subscribe_range, |message| {
                wanted.say(
                    message.labelled("max_age_ms", "max-age", self.max_age),
                    version,
                )
            })
    }
}

impl Say for SubscribeUpdate {
    fn say(&self, version: Version) -> Message {
        let wanted = Wanted {
            start: self.start,
            end: self.end,
            frame_start: self.frame_start,
            frame_end: self.frame_end,
        };
        let message = Message::new("SUBSCRIBE_UPDATE")
            .with("priority", self.priority)
            .labelled("max_age_ms", "max-age", self.max_age);
        wanted.say(message, version)
    }
}

/// The groups and frames that a subscription is about.
struct Wanted {
    start: GroupStart,
    end: Option<u64>,
    frame_start: u64,
    frame_end: Option<u64>,
}

impl Wanted {
    fn say(&self, message: Message, version: Version) -> Message {
        let start = match self.start {
            GroupStart::Latest => Value::Word("latest"),
            GroupStart::Floor(group) => Value::Number(group),
        };
        message
            .labelled("start", "from", start)
            .labelled("end", "to", self.end)
            .when(version.features().frame_bounds, |message| {
                frame_bounds(message, self.frame_start, self.frame_end)
            })
    }
}

fn frame_bounds(message: Message, start: u64, end: Option<u64>) -> Message {
    message
        .labelled("frame_start", "from-frame", Value::Position(start))
        .labelled("frame_end", "to-frame", end)
}

/// An answer to a subscription, with the number of group streams where the draft tells it.
pub(crate) fn response(
    response: &SubscribeResponse,
    streams: Option<u64>,
    version: Version,
) -> Message {
    match response {
        SubscribeResponse::Ok(ok) => ok.say(version),
        SubscribeResponse::Start(group) => Message::new("SUBSCRIBE_START").with("group", *group),
        SubscribeResponse::End(group) => Message::new("SUBSCRIBE_END")
            .with("group", *group)
            .when(streams.is_some(), |message| {
                message.with("streams", streams)
            }),
        SubscribeResponse::Drop { start, end, code } => Message::new("SUBSCRIBE_DROP")
            .labelled("start", "from", *start)
            .labelled("end", "to", *end)
            .with("code", Value::Code(*code)),
    }
}

impl Say for SubscribeOk {
    fn say(&self, version: Version) -> Message {
        let features = version.features();
        Message::new("SUBSCRIBE_OK")
            .when(features.ok_priority, |message| {
                message.with("priority", self.priority)
            })
            .when(features.subscribe_range, |message| {
                message
                    .labelled("max_age_ms", "max-age", self.max_age)
                    .labelled("start", "from", self.start)
                    .labelled("end", "to", self.end)
            })
    }
}

impl Say for Fetch {
    fn say(&self, version: Version) -> Message {
        Message::new("FETCH")
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
            .with("priority", self.priority)
            .with("group", self.group.0)
            .when(version.features().frame_bounds, |message| {
                frame_bounds(message, self.frame_start, self.frame_end)
            })
    }
}

impl Say for Track {
    fn say(&self, _version: Version) -> Message {
        Message::new("TRACK")
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
    }
}

impl Say for TrackInfo {
    fn say(&self, _version: Version) -> Message {
        Message::new("TRACK_INFO")
            .with("priority", self.priority)
            .labelled("max_age_ms", "max-age", self.max_age)
            .with("timescale", self.timescale)
    }
}

impl Say for Goaway {
    fn say(&self, _version: Version) -> Message {
        Message::new("GOAWAY").with("uri", self.uri.as_str())
    }
}

impl Say for Probe {
    fn say(&self, version: Version) -> Message {
        Message::new("PROBE")
            .with("bitrate", self.bitrate)
            .when(version.features().probe_rtt, |message| {
                message.labelled("rtt_ms", "rtt", self.rtt)
            })
    }
}

impl Say for GroupHeader {
    fn say(&self, version: Version) -> Message {
        Message::new("GROUP")
            .bare("group", self.sequence.0)
            .labelled("subscribe_id", "of subscription", self.subscribe_id.0)
            .when(version.features().frame_bounds, |message| {
                message.labelled(
                    "frame_start",
                    "from-frame",
                    Value::Position(self.frame_start),
                )
            })
    }
}

impl Say for Datagram {
    fn say(&self, _version: Version) -> Message {
        Message::new("DATAGRAM")
            .with("group", self.sequence.0)
            .labelled("subscribe_id", "of subscription", self.subscribe_id.0)
            .labelled("timestamp", "at", self.timestamp)
            .bare("size", Value::Size(self.payload.len() as u64))
            .bare("payload", Value::Payload(self.payload.clone()))
    }
}
