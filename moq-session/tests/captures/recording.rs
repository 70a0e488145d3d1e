//! A recorded session as its file tells it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use moq_wire::Version;
use serde_json::Value;

use crate::Outcome;

/// A recorded session.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) version: Version,
    pub(crate) protocol: String,
    pub(crate) scenario: String,
    pub(crate) description: String,
    pub(crate) notes: Vec<String>,
    /// The end that a script played, if one did.
    pub(crate) scripted: Option<Side>,
    roles: [String; 2],
    pub(crate) streams: Vec<Stream>,
    pub(crate) datagrams: Vec<(Side, Bytes)>,
    pub(crate) close: Option<(Side, u32)>,
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) opener: Side,
    pub(crate) is_bi: bool,
    /// By who sends.
    halves: [Option<Half>; 2],
}

/// What one end sent on one stream, and how that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
    /// The code with which the receiver stopped it; 0 where it let go of it.
    pub(crate) stop: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Fin,
    Reset(u32),
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) from: Side,
    pub(crate) what: What,
}

/// What happened; streams are named by their place in [`Recording::streams`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Open(usize),
    Write(usize, Range<usize>),
    Finish(usize),
    Reset(usize, u32),
    Stop(usize, u32),
    /// By its place in [`Recording::datagrams`].
    Datagram(usize),
    Close(u32, String),
}

impl Recording {
    pub(crate) fn parse(file: &[u8]) -> Outcome<Self> {
        let file: Value = serde_json::from_slice(file).map_err(|error| error.to_string())?;
        let name = text(&file["version"]);
        let version = Version::ALL.iter().find(|version| version.name() == name);
        let streams = list(&file["streams"]).iter().map(Stream::parse);
        let datagrams = list(&file["datagrams"]).iter().map(|datagram| {
            Ok((
                Side::parse(&datagram["from"])?,
                hex(&datagram["hex"])?.into(),
            ))
        });
        let mut sent = 0;
        let events = list(&file["events"])
            .iter()
            .map(|event| Event::parse(event, &mut sent));
        let recording = Self {
            version: *version.ok_or_else(|| format!("unknown version {name}"))?,
            protocol: text(&file["alpn"]),
            scenario: text(&file["scenario"]),
            description: text(&file["description"]),
            notes: list(&file["notes"]).iter().map(text).collect(),
            scripted: optional(&file["scripted"], Side::parse)?,
            roles: ["client", "server"].map(|side| text(&file["roles"][side])),
            streams: streams.collect::<Outcome<_>>()?,
            datagrams: datagrams.collect::<Outcome<_>>()?,
            close: optional(&file["close"], |close| {
                Ok((Side::parse(&close["by"])?, code(&close["code"])?))
            })?,
            events: events.collect::<Outcome<_>>()?,
        };
        recording.check()?;
        Ok(recording)
    }

    pub(crate) fn role(&self, side: Side) -> &str {
        &self.roles[side as usize]
    }

    /// Every event speaks of a stream and of bytes that there are.
    fn check(&self) -> Outcome {
        for event in &self.events {
            let is_known = match &event.what {
                What::Open(stream)
                | What::Finish(stream)
                | What::Reset(stream, _)
                | What::Stop(stream, _) => *stream < self.streams.len(),
                What::Write(stream, range) => {
                    let half = self.streams.get(*stream).map(|s| s.half(event.from));
                    half.flatten()
                        .is_some_and(|half| range.end <= half.bytes.len())
                }
                What::Datagram(datagram) => self
                    .datagrams
                    .get(*datagram)
                    .is_some_and(|(from, _)| *from == event.from),
                What::Close(..) => true,
            };
            if !is_known {
                return Err(format!("{event:?} has nothing to speak of"));
            }
        }
        Ok(())
    }

    /// The event with which the byte before `offset` was written.
    pub(crate) fn written(&self, stream: usize, by: Side, offset: usize) -> usize {
        let holds = |event: &Event| match &event.what {
            What::Write(on, range) => *on == stream && event.from == by && range.end >= offset,
            _ => false,
        };
        self.find(holds)
    }

    /// The event with which a half of a stream came to its end.
    pub(crate) fn ended(&self, stream: usize, by: Side) -> usize {
        self.find(|event| {
            event.from == by
                && match event.what {
                    What::Finish(on) | What::Reset(on, _) => on == stream,
                    _ => false,
                }
        })
    }

    /// What one end did to its half of a stream and, by a stop, to the other one. At the moment of
    /// its close it did nothing: a close overtakes that.
    pub(crate) fn settled(&self, stream: usize, by: Side) -> (End, Option<u32>) {
        let is_settled = |event: usize| !self.is_overtaken(event, by);
        let halves = [by, by.other()].map(|side| self.streams[stream].half(side));
        let end = halves[0].map_or(End::Open, |half| half.end);
        let stop = halves[1].and_then(|half| half.stop);
        (
            Some(end)
                .filter(|_| is_settled(self.ended(stream, by)))
                .unwrap_or(End::Open),
            stop.filter(|_| is_settled(self.stopped(stream, by))),
        )
    }

    /// Whether an event of one end came at the moment at which it closed the session.
    pub(crate) fn is_overtaken(&self, event: usize, by: Side) -> bool {
        let closed = self.find(|e| matches!(e.what, What::Close(..)) && e.from == by);
        match (self.events.get(event), self.events.get(closed)) {
            (Some(event), Some(closed)) => event.at >= closed.at,
            _ => false,
        }
    }

    /// The event with which one end stopped the other's half.
    pub(crate) fn stopped(&self, stream: usize, by: Side) -> usize {
        self.find(|e| e.from == by && matches!(e.what, What::Stop(on, _) if on == stream))
    }

    pub(crate) fn opened(&self, stream: usize) -> usize {
        self.find(|event| event.what == What::Open(stream))
    }

    /// The first such event, or the place after the last one.
    fn find(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        let found = self.events.iter().position(is_it);
        found.unwrap_or(self.events.len())
    }

    /// Whether an event came at the moment of one of the other end's, and so may answer that.
    pub(crate) fn is_answer(&self, event: usize) -> bool {
        let Some(this) = self.events.get(event) else {
            return false;
        };
        let before = self.events.iter().take(event);
        before.rev().any(|e| e.from != this.from && e.at == this.at)
    }
}

impl Stream {
    fn parse(stream: &Value) -> Outcome<Self> {
        let half = |half: &str| optional(&stream[half], Half::parse);
        Ok(Self {
            opener: Side::parse(&stream["opener"])?,
            is_bi: stream["kind"] == "bi",
            halves: [half("client_to_server")?, half("server_to_client")?],
        })
    }

    /// What `sender` sent.
    pub(crate) fn half(&self, sender: Side) -> Option<&Half> {
        self.halves[sender as usize].as_ref()
    }
}

impl Half {
    fn parse(half: &Value) -> Outcome<Self> {
        let end = &half["end"];
        let stop = |stop: &Value| match stop["implicit"].as_bool() {
            Some(true) => Ok(0),
            _ => code(&stop["code"]),
        };
        Ok(Self {
            bytes: hex(&half["hex"])?,
            end: match end["type"].as_str() {
                Some("open") => End::Open,
                Some("fin") => End::Fin,
                Some("reset") => End::Reset(code(&end["code"])?),
                _ => return Err(format!("unknown end {end}")),
            },
            stop: optional(&half["stop"], stop)?,
        })
    }
}

impl Event {
    fn parse(event: &Value, datagrams: &mut usize) -> Outcome<Self> {
        let number = |key: &str| {
            let number = event[key].as_u64().and_then(|n| usize::try_from(n).ok());
            number.ok_or_else(|| format!("no {key} in {event}"))
        };
        let what = match text(&event["op"]).as_str() {
            "open" => What::Open(number("stream")?),
            "write" => {
                let from = number("offset")?;
                What::Write(number("stream")?, from..from.saturating_add(number("len")?))
            }
            "fin" => What::Finish(number("stream")?),
            "reset" => What::Reset(number("stream")?, code(&event["code"])?),
            "stop" => What::Stop(number("stream")?, code(&event["code"])?),
            "stop_implicit" => What::Stop(number("stream")?, 0),
            "datagram" => {
                *datagrams += 1;
                What::Datagram(*datagrams - 1)
            }
            "close" => What::Close(code(&event["code"])?, text(&event["reason"])),
            op => return Err(format!("unknown event {op}")),
        };
        Ok(Self {
            at: Duration::from_millis(event["t_ms"].as_u64().ok_or("no time")?),
            from: Side::parse(&event["from"])?,
            what,
        })
    }
}

impl Side {
    fn parse(side: &Value) -> Outcome<Self> {
        match side.as_str() {
            Some("client") => Ok(Self::Client),
            Some("server") => Ok(Self::Server),
            _ => Err(format!("{side} is no end of a session")),
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

fn optional<T>(value: &Value, parse: impl FnOnce(&Value) -> Outcome<T>) -> Outcome<Option<T>> {
    (!value.is_null()).then(|| parse(value)).transpose()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn code(value: &Value) -> Outcome<u32> {
    let code = value.as_u64().and_then(|code| u32::try_from(code).ok());
    code.ok_or_else(|| format!("{value} is no code"))
}

fn hex(value: &Value) -> Outcome<Vec<u8>> {
    let digits = value.as_str().unwrap_or_default().as_bytes();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let bytes = digits.chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.ok_or_else(|| format!("{value} is no hex"))
}
