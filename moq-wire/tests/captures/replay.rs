//! Which bytes of a session are what.

use bytes::BytesMut;
use moq_wire::{
    AnnounceRequest, BiStream, ClientSetup, Datagram, Encode, Fetch, Goaway, GroupHeader, Probe,
    ServerSetup, SessionInfo, Subscribe, SubscribeUpdate, Track, TrackInfo, UniStream, Version,
    decode_body, varint,
};

use crate::Outcome;
use crate::capture::{Capture, Half, Stream};
use crate::direction::{Direction, same, text};

/// Decodes and encodes everything that no script sent; returns what it says.
pub(crate) fn replay(capture: &Capture) -> Outcome<Vec<String>> {
    let version = capture.version;
    let mut said = Vec::new();
    for stream in &capture.streams {
        let outcome = replay_stream(stream, version);
        said.extend(outcome.map_err(|error| format!("stream {}: {error}", stream.id))?);
    }
    for datagram in capture.datagrams.iter().filter(|half| half.is_golden) {
        let bytes = datagram.bytes.clone();
        let decoded = decode_body::<Datagram>(bytes.into(), version).map_err(text)?;
        let mut again = BytesMut::new();
        decoded.encode(&mut again, version).map_err(text)?;
        same(&datagram.bytes, &again)?;
        said.push(format!("{decoded:?}"));
    }
    Ok(said)
}

fn replay_stream(stream: &Stream, version: Version) -> Outcome<Vec<String>> {
    let mut said = Vec::new();
    let purpose = Purpose::of(stream, version);
    if stream.request.is_golden {
        let purpose = purpose.as_ref().ok_or("unknown type")?;
        said.extend(replay_half(&stream.request, version, |half| {
            purpose.replay_request(half)
        })?);
    }
    if let Some(answer) = stream.answer.as_ref().filter(|half| half.is_golden) {
        said.extend(replay_half(answer, version, |half| match &purpose {
            Some(purpose) => purpose.replay_answer(half),
            None => Ok(()),
        })?);
    }
    Ok(said)
}

fn replay_half(
    half: &Half,
    version: Version,
    replay: impl FnOnce(&mut Direction) -> Outcome,
) -> Outcome<Vec<String>> {
    let mut direction = Direction::new(half, version);
    replay(&mut direction)?;
    direction.finish()
}

/// What a stream is for, by its first bytes.
enum Purpose {
    Handshake,
    Uni(UniStream),
    Bi(BiStream),
}

impl Purpose {
    fn of(stream: &Stream, version: Version) -> Option<Self> {
        let (code, _) = varint::peek(&stream.request.bytes, version).ok()??;
        if stream.answer.is_none() {
            UniStream::from_code(code, version).map(Self::Uni)
        } else if version.features().handshake && code == HANDSHAKE {
            Some(Self::Handshake)
        } else {
            BiStream::from_code(code, version).map(Self::Bi)
        }
    }

    fn replay_request(&self, half: &mut Direction) -> Outcome {
        if !matches!(self, Self::Handshake) {
            half.stream_type()?;
        }
        match self {
            Self::Handshake => {
                half.item(ClientSetup::split, ClientSetup::put)?;
                half.messages::<SessionInfo>()
            }
            Self::Uni(UniStream::Setup) => half.setup(),
            Self::Uni(UniStream::Group) => {
                half.message::<GroupHeader>()?;
                half.frames()
            }
            Self::Bi(BiStream::Announce) => half.message::<AnnounceRequest>(),
            Self::Bi(BiStream::Fetch) => half.message::<Fetch>(),
            Self::Bi(BiStream::Track) => half.message::<Track>(),
            Self::Bi(BiStream::Goaway) => half.message::<Goaway>(),
            Self::Bi(BiStream::Probe) => Ok(()),
            Self::Bi(BiStream::Subscribe) => {
                half.message::<Subscribe>()?;
                half.messages::<SubscribeUpdate>()
            }
        }
    }

    fn replay_answer(&self, half: &mut Direction) -> Outcome {
        match self {
            Self::Handshake => {
                half.item(ServerSetup::split, ServerSetup::put)?;
                half.messages::<SessionInfo>()
            }
            Self::Bi(BiStream::Announce) => half.announcements(),
            Self::Bi(BiStream::Subscribe) => half.responses(),
            Self::Bi(BiStream::Fetch) => half.frames(),
            Self::Bi(BiStream::Track) => half.messages::<TrackInfo>(),
            Self::Bi(BiStream::Probe) => half.messages::<Probe>(),
            Self::Bi(BiStream::Goaway) | Self::Uni(_) => Ok(()),
        }
    }
}

/// The type of the client's first message, which is that of its stream.
const HANDSHAKE: u64 = 0x20;
