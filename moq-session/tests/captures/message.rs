//! What the bytes of one end on one stream say.

use std::collections::BTreeSet;
use std::fmt;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    AnnounceDecoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, ClientSetup, Decode,
    Fetch, FrameDecoder, Goaway, GroupHeader, Probe, ServerSetup, SessionInfo, Setup, Subscribe,
    SubscribeResponse, SubscribeUpdate, Track, TrackInfo, UniStream, Version, decode_body, limits,
    split_message, varint,
};

/// What one message says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// Its parameters; their order is the sender's choice.
    Setup(BTreeSet<(u64, Bytes)>, Box<Setup>),
    ClientSetup(ClientSetup),
    ServerSetup(ServerSetup),
    SessionInfo(SessionInfo),
    AnnounceRequest(AnnounceRequest),
    AnnounceOk(AnnounceOk),
    Announce(AnnounceEvent),
    Subscribe(Subscribe),
    SubscribeUpdate(SubscribeUpdate),
    Response(SubscribeResponse),
    Track(Track),
    TrackInfo(TrackInfo),
    Fetch(Fetch),
    Group(GroupHeader),
    /// Timestamp, where the draft has one, and payload.
    Frame(Option<u64>, Bytes),
    Probe(Probe),
    Goaway(Goaway),
    /// Bytes that are no whole message.
    Rest(Bytes),
}

/// What a stream is for, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Handshake,
    Uni(UniStream),
    Bi(BiStream),
    Unknown,
}

impl Purpose {
    pub(crate) fn of(request: &[u8], is_bi: bool, version: Version) -> Self {
        let Ok(Some((code, _))) = varint::peek(request, version) else {
            return Self::Unknown;
        };
        if !is_bi {
            UniStream::from_code(code, version).map_or(Self::Unknown, Self::Uni)
        } else if version.features().handshake && code == HANDSHAKE {
            Self::Handshake
        } else {
            BiStream::from_code(code, version).map_or(Self::Unknown, Self::Bi)
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake => f.write_str("Handshake"),
            Self::Uni(kind) => write!(f, "{kind:?}"),
            Self::Bi(kind) => write!(f, "{kind:?}"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

/// What the opener of a stream says, each message with the offset after its last byte.
pub(crate) fn requests(bytes: &[u8], purpose: Purpose, version: Version) -> Vec<(usize, Message)> {
    let mut bytes = Tape::new(bytes, version);
    if !matches!(purpose, Purpose::Handshake | Purpose::Unknown) {
        let _ = varint::split(&mut bytes.rest, version);
    }
    match purpose {
        Purpose::Handshake => {
            bytes.take(|rest| Ok(ClientSetup::split(rest)?.map(Message::ClientSetup)));
            while bytes.message(Message::SessionInfo) {}
        }
        Purpose::Uni(UniStream::Setup) => bytes.setup(),
        Purpose::Uni(UniStream::Group) => {
            if bytes.message(Message::Group) {
                bytes.frames();
            }
        }
        Purpose::Bi(BiStream::Announce) => {
            bytes.message(Message::AnnounceRequest);
        }
        Purpose::Bi(BiStream::Fetch) => {
            bytes.message(Message::Fetch);
        }
        Purpose::Bi(BiStream::Track) => {
            bytes.message(Message::Track);
        }
        Purpose::Bi(BiStream::Goaway) => {
            bytes.message(Message::Goaway);
        }
        Purpose::Bi(BiStream::Probe) => while bytes.message(Message::Probe) {},
        Purpose::Bi(BiStream::Subscribe) => {
            if bytes.message(Message::Subscribe) {
                while bytes.message(Message::SubscribeUpdate) {}
            }
        }
        Purpose::Unknown => {}
    }
    bytes.finish()
}

/// What the other end answers.
pub(crate) fn answers(bytes: &[u8], purpose: Purpose, version: Version) -> Vec<(usize, Message)> {
    let mut bytes = Tape::new(bytes, version);
    match purpose {
        Purpose::Handshake => {
            bytes.take(|rest| Ok(ServerSetup::split(rest)?.map(Message::ServerSetup)));
            while bytes.message(Message::SessionInfo) {}
        }
        Purpose::Bi(BiStream::Announce) => bytes.announcements(),
        Purpose::Bi(BiStream::Subscribe) => {
            let split = |rest: &mut BytesMut| {
                let response = SubscribeResponse::split(rest, version)?;
                Ok(response.map(Message::Response))
            };
            while bytes.take(split) {}
        }
        Purpose::Bi(BiStream::Fetch) => bytes.frames(),
        Purpose::Bi(BiStream::Track) => while bytes.message(Message::TrackInfo) {},
        Purpose::Bi(BiStream::Probe) => while bytes.message(Message::Probe) {},
        Purpose::Bi(BiStream::Goaway) | Purpose::Uni(_) | Purpose::Unknown => {}
    }
    bytes.finish()
}

/// Bytes of which messages are taken off.
struct Tape {
    version: Version,
    len: usize,
    rest: BytesMut,
    messages: Vec<(usize, Message)>,
}

impl Tape {
    fn new(bytes: &[u8], version: Version) -> Self {
        Self {
            version,
            len: bytes.len(),
            rest: BytesMut::from(bytes),
            messages: Vec::new(),
        }
    }

    /// Takes a message; false if there is none, whether it is cut short or wrong.
    fn take(
        &mut self,
        split: impl FnOnce(&mut BytesMut) -> Result<Option<Message>, moq_wire::DecodeError>,
    ) -> bool {
        let mut rest = self.rest.clone();
        let Ok(Some(message)) = split(&mut rest) else {
            return false;
        };
        self.rest = rest;
        self.push(message);
        true
    }

    fn push(&mut self, message: Message) {
        self.messages.push((self.len - self.rest.len(), message));
    }

    fn message<M: Decode>(&mut self, wrap: fn(M) -> Message) -> bool {
        let version = self.version;
        self.take(|rest| {
            let body = split_message(rest, limits::MAX_MESSAGE, version)?;
            let body = body.map(|body| decode_body(body, version)).transpose()?;
            Ok(body.map(wrap))
        })
    }

    fn setup(&mut self) {
        let version = self.version;
        self.take(|rest| {
            let Some(body) = split_message(rest, limits::MAX_MESSAGE, version)? else {
                return Ok(None);
            };
            let setup = Box::new(decode_body(body.clone(), version)?);
            Ok(Some(Message::Setup(parameters(body, version)?, setup)))
        });
    }

    fn announcements(&mut self) {
        if self.version.features().announce_ok && !self.message(Message::AnnounceOk) {
            return;
        }
        let mut decoder = AnnounceDecoder::new(self.version);
        let mut rest = self.rest.clone();
        while let Ok(Some(event)) = decoder.decode(&mut rest) {
            self.rest = rest.clone();
            self.push(Message::Announce(event));
        }
        self.rest = rest;
    }

    fn frames(&mut self) {
        let mut decoder = FrameDecoder::new(self.version);
        loop {
            let mut rest = self.rest.clone();
            let Ok(Some(header)) = decoder.header(&mut rest) else {
                return;
            };
            let len = usize::try_from(header.len).unwrap_or(usize::MAX);
            if rest.len() < len {
                return;
            }
            let payload = rest.split_to(len).freeze();
            self.rest = rest;
            self.push(Message::Frame(header.timestamp, payload));
        }
    }

    fn finish(mut self) -> Vec<(usize, Message)> {
        let rest = std::mem::take(&mut self.rest).freeze();
        if !rest.is_empty() {
            self.push(Message::Rest(rest));
        }
        self.messages
    }
}

fn parameters(
    body: Bytes,
    version: Version,
) -> Result<BTreeSet<(u64, Bytes)>, moq_wire::DecodeError> {
    let mut body = BytesMut::from(body);
    let count = varint::split(&mut body, version)?.unwrap_or(0);
    let mut parameters = BTreeSet::new();
    for _ in 0..count {
        let id = varint::split(&mut body, version)?.unwrap_or_default();
        let value = split_message(&mut body, limits::MAX_MESSAGE, version)?;
        parameters.insert((id, value.unwrap_or_default()));
    }
    Ok(parameters)
}

/// The type of the client's first message, which is that of its stream.
const HANDSHAKE: u64 = 0x20;
