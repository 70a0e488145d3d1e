//! Sessions recorded between two deployed endpoints decode completely, and encode to the same bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceOk, AnnounceRequest, BiStream, Datagram, Decode,
    Encode, Fetch, FrameDecoder, FrameEncoder, Goaway, GroupHeader, Probe, Setup, Subscribe,
    SubscribeResponse, SubscribeUpdate, Track, TrackInfo, UniStream, Version, decode_body, limits,
    put_message, split_message, varint,
};
use serde_json::Value;

type Outcome<T = ()> = Result<T, String>;

#[test]
#[expect(
    clippy::print_stdout,
    reason = "says how much was checked, or that nothing was"
)]
fn recorded_sessions_encode_to_the_same_bytes() {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/captures"
    ));
    let Ok(entries) = fs::read_dir(folder) else {
        println!("captures: skipped, there are none here");
        return;
    };
    let mut failures = Vec::new();
    let mut files = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(version) = version_of(&name) else {
            continue;
        };
        let capture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if !capture["scripted"].is_null() {
            continue;
        }
        files += 1;
        failures.extend(
            replay(&capture, version)
                .err()
                .map(|error| format!("{name}: {error}")),
        );
    }
    println!("captures: {files} files, {} passed", files - failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(files > 0);
}

fn version_of(name: &str) -> Option<Version> {
    name.split('.').next()?.parse().ok()
}

fn replay(capture: &Value, version: Version) -> Outcome {
    for stream in list(&capture["streams"]) {
        replay_stream(stream, version)
            .map_err(|error| format!("stream {}: {error}", stream["id"]))?;
    }
    for datagram in list(&capture["datagrams"]) {
        let bytes = hex(&datagram["hex"]);
        let decoded = decode_body::<Datagram>(bytes.clone().into(), version).map_err(text)?;
        let mut again = BytesMut::new();
        decoded.encode(&mut again, version);
        same(&bytes, &again)?;
    }
    Ok(())
}

fn replay_stream(stream: &Value, version: Version) -> Outcome {
    let (request, answer) = match stream["opener"].as_str() {
        Some("client") => (&stream["client_to_server"], &stream["server_to_client"]),
        _ => (&stream["server_to_client"], &stream["client_to_server"]),
    };
    let mut request = Direction::new(request, version);
    let code = request.stream_type()?;
    if stream["kind"] == "uni" {
        let kind = UniStream::from_code(code, version).ok_or("unknown type")?;
        return match kind {
            UniStream::Setup => request.setup(),
            UniStream::Group => {
                request.message::<GroupHeader>()?;
                request.frames()?;
                request.finish()
            }
        };
    }
    let kind = BiStream::from_code(code, version).ok_or("unknown type")?;
    replay_request(kind, &mut request)?;
    request.finish()?;
    let mut answer = Direction::new(answer, version);
    replay_answer(kind, &mut answer)?;
    answer.finish()
}

fn replay_request(kind: BiStream, stream: &mut Direction) -> Outcome {
    match kind {
        BiStream::Announce => stream.message::<AnnounceRequest>(),
        BiStream::Fetch => stream.message::<Fetch>(),
        BiStream::Track => stream.message::<Track>(),
        BiStream::Goaway => stream.message::<Goaway>(),
        BiStream::Probe => Ok(()),
        BiStream::Subscribe => {
            stream.message::<Subscribe>()?;
            stream.messages::<SubscribeUpdate>()
        }
    }
}

fn replay_answer(kind: BiStream, stream: &mut Direction) -> Outcome {
    match kind {
        BiStream::Announce => stream.announcements(),
        BiStream::Subscribe => stream.responses(),
        BiStream::Fetch => stream.frames(),
        BiStream::Track => stream.messages::<TrackInfo>(),
        BiStream::Probe => stream.messages::<Probe>(),
        BiStream::Goaway => Ok(()),
    }
}

/// One direction of a stream: what was recorded, what of it is left, what was encoded again.
struct Direction {
    version: Version,
    recorded: Vec<u8>,
    reset: bool,
    rest: BytesMut,
    again: BytesMut,
}

impl Direction {
    fn new(direction: &Value, version: Version) -> Self {
        let recorded = hex(&direction["hex"]);
        Self {
            version,
            reset: direction["end"]["type"] == "reset",
            rest: BytesMut::from(&recorded[..]),
            again: BytesMut::new(),
            recorded,
        }
    }

    fn stream_type(&mut self) -> Outcome<u64> {
        let code = varint::split(&mut self.rest, self.version)
            .map_err(text)?
            .ok_or("no type")?;
        varint::put(code, &mut self.again, self.version);
        Ok(code)
    }

    /// Exactly one message, unless the stream was reset before it was there.
    fn message<M: Encode + Decode>(&mut self) -> Outcome {
        if self.next_message::<M>()? || self.reset {
            Ok(())
        } else {
            Err("message is missing".into())
        }
    }

    fn messages<M: Encode + Decode>(&mut self) -> Outcome {
        while self.next_message::<M>()? {}
        Ok(())
    }

    fn next_message<M: Encode + Decode>(&mut self) -> Outcome<bool> {
        let body =
            split_message(&mut self.rest, limits::MAX_MESSAGE, self.version).map_err(text)?;
        let Some(body) = body else { return Ok(false) };
        let message = decode_body::<M>(body, self.version).map_err(text)?;
        put_message(&message, &mut self.again, self.version);
        Ok(true)
    }

    fn announcements(&mut self) -> Outcome {
        if self.version.features().announce_ok && !self.next_message::<AnnounceOk>()? {
            return Ok(());
        }
        let mut decoder = AnnounceDecoder::new(self.version);
        let mut encoder = AnnounceEncoder::new(self.version);
        while let Some(event) = decoder.decode(&mut self.rest).map_err(text)? {
            encoder.encode(&event, &mut self.again).map_err(text)?;
        }
        Ok(())
    }

    fn responses(&mut self) -> Outcome {
        while let Some(response) =
            SubscribeResponse::split(&mut self.rest, self.version).map_err(text)?
        {
            response.put(&mut self.again, self.version);
        }
        Ok(())
    }

    fn frames(&mut self) -> Outcome {
        let mut decoder = FrameDecoder::new(self.version);
        let mut encoder = FrameEncoder::new(self.version);
        loop {
            let mut rest = self.rest.clone();
            let Some(header) = decoder.header(&mut rest).map_err(text)? else {
                return Ok(());
            };
            let len = usize::try_from(header.len).map_err(text)?;
            if rest.len() < len {
                return Ok(());
            }
            encoder
                .header(header.timestamp.unwrap_or(0), len, &mut self.again)
                .map_err(text)?;
            self.again.extend_from_slice(&rest.split_to(len));
            self.rest = rest;
        }
    }

    /// The order of parameters is the sender's choice, so they are compared as a set.
    fn setup(mut self) -> Outcome {
        self.message::<Setup>()?;
        let parameters = |stream: &[u8]| {
            let mut stream = BytesMut::from(stream);
            varint::split(&mut stream, self.version).map_err(text)?;
            let body = split_message(&mut stream, limits::MAX_SETUP, self.version).map_err(text)?;
            parameters(&mut BytesMut::from(body.unwrap_or_default()), self.version)
        };
        if parameters(&self.recorded)? == parameters(&self.again)? {
            Ok(())
        } else {
            Err(format!(
                "{} became {}",
                dump(&self.recorded),
                dump(&self.again)
            ))
        }
    }

    /// Everything was taken, or is the beginning of something that a reset cut off.
    fn finish(&mut self) -> Outcome {
        if !self.rest.is_empty() && !self.reset {
            return Err(format!("left over: {}", dump(&self.rest)));
        }
        self.again.extend_from_slice(&self.rest);
        same(&self.recorded, &self.again)
    }
}

fn parameters(body: &mut BytesMut, version: Version) -> Outcome<BTreeSet<(u64, Bytes)>> {
    let count = varint::split(body, version)
        .map_err(text)?
        .ok_or("no count")?;
    let mut set = BTreeSet::new();
    for _ in 0..count {
        let id = varint::split(body, version).map_err(text)?.ok_or("no id")?;
        let value = split_message(body, limits::MAX_SETUP, version)
            .map_err(text)?
            .ok_or("no value")?;
        set.insert((id, value));
    }
    if body.is_empty() {
        Ok(set)
    } else {
        Err("bytes after the parameters".into())
    }
}

fn same(recorded: &[u8], again: &[u8]) -> Outcome {
    if recorded == again {
        Ok(())
    } else {
        Err(format!("{} became {}", dump(recorded), dump(again)))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap_or_default();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("captures are hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn dump(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(200)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
