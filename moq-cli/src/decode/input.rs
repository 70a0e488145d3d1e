//! Recognises what the input is, by what it holds.

use anyhow::Context as _;
use bytes::Bytes;
use moq_wire::Version;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::recording::Recording;
use super::streams::Streams;
use super::{capture, hex, qlog};
use crate::args::Part;
use crate::exit::{Exit, Failure};

/// Reads an input of any kind. `part` and `version` are about bytes that say nothing of themselves.
///
/// # Errors
/// If it cannot be read as what it seems to be.
pub(crate) fn read(
    input: Bytes,
    part: Option<Part>,
    version: Version,
) -> anyhow::Result<Recording> {
    let recording = match recognise(&input) {
        Input::Capture => capture::read(&input),
        Input::Qlog => qlog::read(&input),
        Input::Hex(text) => {
            let mut streams = Streams::new("hex", version);
            hex::read(text, part, &mut streams).map(|()| streams.finish())
        }
        Input::Raw => {
            let mut streams = Streams::new("raw", version);
            streams.begin(part);
            streams.push(input);
            Ok(streams.finish())
        }
        Input::Empty => Err(anyhow::anyhow!("there is nothing in it")),
        Input::OtherJson => Err(anyhow::anyhow!("it is JSON, but no capture and no qlog")),
        Input::BadJson(error) => Err(error).context("it begins like JSON"),
    };
    recording.with_context(|| {
        Failure::new(Exit::Failed, "cannot make sense of the input")
            .with_hint("give a capture, a qlog, hex or the bytes of one stream")
    })
}

/// What an input can be.
#[derive(Debug)]
enum Input<'a> {
    Empty,
    Capture,
    Qlog,
    OtherJson,
    BadJson(serde_json::Error),
    Hex(&'a str),
    Raw,
}

/// The keys by which files of JSON are told apart.
#[derive(Debug, Deserialize)]
struct Keys {
    format: Option<IgnoredAny>,
    streams: Option<IgnoredAny>,
    qlog_version: Option<IgnoredAny>,
    qlog_format: Option<IgnoredAny>,
    file_schema: Option<IgnoredAny>,
    traces: Option<IgnoredAny>,
}

fn recognise(input: &[u8]) -> Input<'_> {
    if input.is_empty() {
        return Input::Empty;
    }
    if input.starts_with(qlog::RECORD_SEPARATOR) && is_text(input.get(1..).unwrap_or_default()) {
        return Input::Qlog;
    }
    let Ok(text) = str::from_utf8(input) else {
        return Input::Raw;
    };
    if !is_text(input) {
        return Input::Raw;
    }
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Input::Empty,
        Some('{') => recognise_json(text),
        Some(_) => Input::Hex(text),
    }
}

fn recognise_json(text: &str) -> Input<'_> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Keys>();
    match values.next() {
        Some(Ok(keys)) if keys.is_qlog() => Input::Qlog,
        Some(Ok(keys)) if keys.format.is_some() && keys.streams.is_some() => Input::Capture,
        Some(Err(error)) => Input::BadJson(error),
        _ => Input::OtherJson,
    }
}

impl Keys {
    fn is_qlog(&self) -> bool {
        let keys = [
            &self.qlog_version,
            &self.qlog_format,
            &self.file_schema,
            &self.traces,
        ];
        keys.iter().any(|key| key.is_some())
    }
}

/// Whether no byte is a control character other than those that lay out text. No stream is like that,
/// because a stream begins with its type, which is one.
fn is_text(input: &[u8]) -> bool {
    let is_layout = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\t');
    input
        .iter()
        .all(|byte| !byte.is_ascii_control() || is_layout(byte) || *byte == 0x1e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_what_it_holds() {
        for (input, expected) in [
            (&b""[..], "Empty"),
            (b" \n", "Empty"),
            (b"{\"format\":1,\"streams\":[]}", "Capture"),
            (b"{\"qlog_version\":\"0.3\",\"traces\":[]}", "Qlog"),
            (b"\x1e{\"qlog_version\":\"0.3\"}\n\x1e{}\n", "Qlog"),
            (b"{\"file_schema\":\"x\"}\n{\"time\":1}\n", "Qlog"),
            (b"{\"a\":1}", "OtherJson"),
            (b"{\"format\"", "BadJson"),
            (b"0104", "Hex(\"0104"),
            (b"nonsense", "Hex(\"nonsense"),
            (b"\x01\x01\x00", "Raw"),
            (b"\x02\xff", "Raw"),
        ] {
            let kind = format!("{:?}", recognise(input));
            assert!(
                kind.starts_with(expected),
                "{}: {kind}",
                input.escape_ascii()
            );
        }
    }
}
