//! What messages about a session and its announcements say.

use bytes::Bytes;
use moq_wire::{
    AnnounceOk, AnnounceRequest, ClientSetup, Decode, DecodeError, Goaway, Parameter,
    ParameterValue, Probe, ProbeLevel, Role, Route, ServerSetup, SessionInfo, Setup, Version,
};

use crate::decode::message::{Message, Say, Value};

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
    let hops = if features.hops.has_ids() {
        Value::Ids(hops)
    } else {
        Value::Number(hops.len() as u64)
    };
    message
        .when(features.hops.has_count(), |message| {
            message.with("hops", hops)
        })
        .when(features.typed_announce, |message| {
            message
                .labelled("warm_cost", "warm", route.warm_cost)
                .labelled("cold_cost", "cold", route.cold_cost)
        })
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
            .when(version.features().probe.has_rtt(), |message| {
                message.labelled("rtt_ms", "rtt", self.rtt)
            })
    }
}
