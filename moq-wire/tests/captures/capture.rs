//! What is read from a file.

use moq_wire::Version;
use serde_json::Value;

use crate::Outcome;

/// A recorded session.
#[derive(Clone)]
pub(crate) struct Capture {
    pub(crate) version: Version,
    pub(crate) streams: Vec<Stream>,
    pub(crate) datagrams: Vec<Half>,
}

/// A recorded stream: the half of its opener and, if it has one, the other.
#[derive(Clone)]
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) request: Half,
    pub(crate) answer: Option<Half>,
}

/// What one end sent on one stream, or in one datagram.
#[derive(Clone)]
pub(crate) struct Half {
    pub(crate) bytes: Vec<u8>,
    /// The sender gave up on it, so it may end anywhere.
    pub(crate) is_reset: bool,
    /// No script sent it.
    pub(crate) is_golden: bool,
}

impl Capture {
    pub(crate) fn parse(file: &[u8]) -> Outcome<Self> {
        let file: Value = serde_json::from_slice(file).map_err(|error| error.to_string())?;
        let name = &file["version"];
        let version = Version::ALL.iter().find(|version| *name == version.name());
        let scripted = file["scripted"].as_str();
        let datagrams = list(&file["datagrams"]).iter().map(|datagram| {
            let from = datagram["from"].as_str();
            Half::parse(datagram, from != scripted)
        });
        Ok(Self {
            version: *version.ok_or_else(|| format!("unknown version {name}"))?,
            streams: list(&file["streams"])
                .iter()
                .map(|stream| Stream::parse(stream, scripted))
                .collect(),
            datagrams: datagrams.collect(),
        })
    }

    /// How many bytes no script sent.
    pub(crate) fn golden_bytes(&self) -> usize {
        self.clone().golden().map(|half| half.bytes.len()).sum()
    }

    /// Flips a bit of the byte that is `at` bytes into those that no script sent.
    pub(crate) fn flip(&mut self, mut at: usize) {
        for half in self.golden() {
            if let Some(byte) = half.bytes.get_mut(at) {
                *byte ^= 1;
                return;
            }
            at -= half.bytes.len();
        }
    }

    fn golden(&mut self) -> impl Iterator<Item = &mut Half> {
        let streams = self.streams.iter_mut();
        let halves = streams.flat_map(|stream| {
            Some(&mut stream.request)
                .into_iter()
                .chain(&mut stream.answer)
        });
        halves
            .chain(&mut self.datagrams)
            .filter(|half| half.is_golden)
    }
}

impl Stream {
    fn parse(stream: &Value, scripted: Option<&str>) -> Self {
        let half = |from: &str, to: &str| {
            let half = &stream[format!("{from}_to_{to}")];
            Half::parse(half, scripted != Some(from))
        };
        let client = half("client", "server");
        let server = half("server", "client");
        let (request, answer) = match stream["opener"].as_str() {
            Some("client") => (client, server),
            _ => (server, client),
        };
        Self {
            id: stream["id"].to_string(),
            request,
            answer: (stream["kind"] == "bi").then_some(answer),
        }
    }
}

impl Half {
    fn parse(half: &Value, is_golden: bool) -> Self {
        Self {
            bytes: hex(half["hex"].as_str().unwrap_or_default()),
            is_reset: half["end"]["type"] == "reset",
            is_golden,
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("captures are hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}
