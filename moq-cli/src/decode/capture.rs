//! A capture: the bytes of a session and what happened when, as one JSON object.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use moq_model::text::Escaped;
use moq_wire::Version;
use serde::Deserialize;

use super::hex;
use super::recording::{End, Ends, Event, Kind, Recording, Stream, What};

/// The file.
#[derive(Debug, Deserialize)]
struct Capture {
    format: u64,
    version: String,
    #[serde(default)]
    scenario: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    streams: Vec<CaptureStream>,
    #[serde(default)]
    datagrams: Vec<CaptureDatagram>,
    #[serde(default)]
    events: Vec<CaptureEvent>,
}

#[derive(Debug, Deserialize)]
struct CaptureStream {
    id: u64,
    opener: Side,
    kind: StreamKind,
    client_to_server: Option<Direction>,
    server_to_client: Option<Direction>,
}

#[derive(Debug, Deserialize)]
struct Direction {
    hex: String,
}

#[derive(Debug, Deserialize)]
struct CaptureDatagram {
    hex: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StreamKind {
    Bi,
    Uni,
}

#[derive(Debug, Deserialize)]
struct CaptureEvent {
    t_ms: Option<f64>,
    from: Side,
    #[serde(flatten)]
    op: Op,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Op {
    Open,
    Write {
        stream: u64,
        offset: usize,
        len: usize,
    },
    Fin {
        stream: u64,
    },
    Reset {
        stream: u64,
        code: u64,
    },
    Stop {
        stream: u64,
        code: u64,
    },
    StopImplicit {
        stream: u64,
    },
    Datagram,
    Close {
        code: u64,
        #[serde(default)]
        reason: String,
    },
}

/// Reads a capture.
///
/// # Errors
/// If it is none, or contradicts itself.
pub(crate) fn read(input: &[u8]) -> anyhow::Result<Recording> {
    let capture: Capture = serde_json::from_slice(input).context("this is no capture")?;
    if capture.format != FORMAT {
        bail!("the capture is of format {}, not {FORMAT}", capture.format);
    }
    let mut recording = Recording::new("capture", Ends::Session);
    recording.title = Some(format!("{}: {}", capture.scenario, capture.description))
        .filter(|title| title.len() > 2);
    let mut versions = Version::ALL.iter().copied();
    recording.version = versions.find(|version| version.name() == capture.version);
    if recording.version.is_none() {
        let name = Escaped(&capture.version);
        let note = format!("the capture's version `{name}` is unknown");
        recording.notes.push(note);
    }
    let mut halves = Halves::default();
    for stream in &capture.streams {
        let kind = stream.kind.into();
        let added = Stream::new(stream.opener.into(), kind);
        recording.streams.insert(stream.id, added);
        for (from, direction) in [
            (End::Client, &stream.client_to_server),
            (End::Server, &stream.server_to_client),
        ] {
            let digits = direction.as_ref().map_or("", |direction| &direction.hex);
            let bytes =
                hex::digits(digits).with_context(|| format!("stream {}, {:?}", stream.id, from))?;
            halves.0.insert((stream.id, from), (bytes, 0));
        }
    }
    let datagrams = capture.datagrams.iter();
    let mut datagrams = datagrams.map(|datagram| hex::digits(&datagram.hex));
    for (index, event) in capture.events.into_iter().enumerate() {
        let CaptureEvent { t_ms, from, op } = event;
        let from = End::from(from);
        let what = match op {
            Op::Open => continue,
            Op::Write {
                stream,
                offset,
                len,
            } => halves.take(stream, from, offset, len),
            Op::Fin { stream } => Some(What::Fin(stream)),
            Op::Reset { stream, code } => Some(What::Reset(stream, Some(code))),
            Op::Stop { stream, code } => Some(What::Stop(stream, Some(code))),
            Op::StopImplicit { stream } => Some(What::Stop(stream, None)),
            Op::Datagram => datagrams.next().transpose()?.map(What::Datagram),
            Op::Close { code, reason } => Some(What::Close(Some(code), reason)),
        };
        let what = what.with_context(|| {
            format!("event {index} of the capture names bytes that it does not hold")
        })?;
        recording.events.push(Event { t_ms, from, what });
    }
    halves.rest(&mut recording);
    Ok(recording)
}

/// The bytes of each direction, and how many of them events spoke of.
#[derive(Debug, Default)]
struct Halves(BTreeMap<(u64, End), (Bytes, usize)>);

impl Halves {
    fn take(&mut self, id: u64, from: End, offset: usize, len: usize) -> Option<What> {
        let (bytes, taken) = self.0.get_mut(&(id, from))?;
        let end = offset.checked_add(len)?;
        if offset != *taken || end > bytes.len() {
            return None;
        }
        *taken = end;
        Some(What::Data(id, bytes.slice(offset..end)))
    }

    /// Adds what no event spoke of.
    fn rest(self, recording: &mut Recording) {
        for ((id, from), (bytes, taken)) in self.0 {
            if taken < bytes.len() {
                recording.push(from, What::Data(id, bytes.slice(taken..)));
            }
        }
    }
}

impl From<Side> for End {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

impl From<StreamKind> for Kind {
    fn from(kind: StreamKind) -> Self {
        match kind {
            StreamKind::Bi => Self::Bi,
            StreamKind::Uni => Self::Uni,
        }
    }
}

/// The format that is read.
const FORMAT: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn events(events: &str) -> anyhow::Result<Vec<String>> {
        let file = format!(
            r#"{{"format":1,"version":"moq-lite-06","streams":[{{"id":3,"opener":"server","kind":"uni",
                "client_to_server":null,"server_to_client":{{"hex":"00010203"}}}}],"events":[{events}]}}"#
        );
        let recording = read(file.as_bytes())?;
        let events = recording.events.iter();
        Ok(events.map(|event| format!("{:?}", event.what)).collect())
    }

    fn write(offset: usize, len: usize) -> String {
        format!(
            r#"{{"t_ms":1,"from":"server","stream":3,"op":"write","offset":{offset},"len":{len}}}"#
        )
    }

    #[test]
    fn bytes_of_which_no_event_speaks_come_last() {
        assert_eq!(
            events(&write(0, 3)).unwrap(),
            [r#"Data(3, b"\0\x01\x02")"#, r#"Data(3, b"\x03")"#]
        );
        assert_eq!(events("").unwrap(), [r#"Data(3, b"\0\x01\x02\x03")"#]);
    }

    #[test]
    fn an_event_about_bytes_that_are_not_there_is_refused() {
        for (offset, len) in [(0, 5), (1, 1), (usize::MAX, 1)] {
            let error = events(&write(offset, len)).unwrap_err();
            assert!(error.to_string().contains("event 0"), "{error}");
        }
        assert!(events(&write(0, 1).replace("server", "client")).is_err());
    }
}
