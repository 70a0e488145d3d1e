//! One direction of a stream, decoded as its bytes come.

use bytes::{Buf as _, Bytes, BytesMut};
use moq_wire::{Datagram, Decode as _, Version, varint};

use super::expect::{Expect, Next};
use super::fault::{Fault, Wrong};
use super::message::{Message, Say as _, Value};
use super::purpose::Purpose;
use super::recording::{Binding, Kind, Stream};

/// What was sent so far in one direction, and how far it is decoded.
#[derive(Debug)]
pub(crate) struct Half {
    version: Version,
    next: Next,
    purpose: Option<Purpose>,
    /// The first frame of an answer, as the request names it.
    frame_start: u64,
    seen: Vec<u8>,
    /// What of it is not decoded.
    rest: BytesMut,
    /// Where the item begins that is next or in the middle of being read.
    begun: usize,
    has_ended: bool,
}

/// Something that was found in one direction.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it begins.
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) item: Item,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Item {
    /// WebTransport's header.
    Header,
    StreamType(u64, &'static str),
    Message(Message),
    Fault(Fault),
    /// The beginning of something whose rest is not there, without fault.
    Incomplete(&'static str),
    /// Bytes that are not decoded, and why.
    Skipped(&'static str),
}

/// How a half ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished,
    /// It was reset.
    GivenUp,
    /// It was not ended while it was recorded.
    Open,
}

impl Half {
    /// What the opener of a stream says.
    pub(crate) fn request(stream: &Stream, version: Version) -> Self {
        let next = match stream.binding {
            Binding::Bare => Next::Type(stream.kind),
            Binding::WebTransport => Next::Header(stream.kind),
        };
        Self::new(next, version)
    }

    /// What the other end says, once it is known on what.
    pub(crate) fn answer(version: Version) -> Self {
        Self::new(Next::Held, version)
    }

    fn new(next: Next, version: Version) -> Self {
        Self {
            version,
            next,
            purpose: None,
            frame_start: 0,
            seen: Vec::new(),
            rest: BytesMut::new(),
            begun: 0,
            has_ended: false,
        }
    }

    /// What comes in answer, once that is known.
    pub(crate) fn answered_with(&self) -> Option<Next> {
        // Which frames are asked for stands in the request.
        if matches!(self.next, Next::One(Expect::Fetch)) {
            return None;
        }
        let purpose = self.purpose?;
        Some(purpose.answer(self.frame_start, self.version))
    }

    /// Whether it is an answer to something unknown.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.next, Next::Held)
    }

    /// Says what comes.
    pub(crate) fn settle(&mut self, next: Next) {
        self.next = next;
    }

    /// Adds bytes that were sent.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
        self.rest.extend_from_slice(bytes);
    }

    /// The next thing that is complete.
    pub(crate) fn next(&mut self) -> Option<Found> {
        let offset = self.begun;
        let item = match self.step() {
            Ok(item) => item?,
            Err(wrong) => self.fault(wrong),
        };
        self.begun = self.seen.len() - self.rest.len();
        Some(Found {
            offset,
            len: self.begun - offset,
            item,
        })
    }

    /// Says that no more is to come; yields what there is to say about what is left.
    pub(crate) fn end(&mut self, ended: Ended) -> Option<Found> {
        if std::mem::replace(&mut self.has_ended, true) {
            return None;
        }
        let offset = self.begun;
        let len = self.seen.len() - offset;
        let item = match self.next {
            Next::Unreadable(reason) if len > 0 => Item::Skipped(reason),
            Next::Held if len > 0 => Item::Skipped("what it answers is unknown"),
            Next::Unreadable(_) | Next::Held => return None,
            _ if ended == Ended::Finished && (len > 0 || self.next.is_owed()) => {
                self.rest.clear();
                self.fault(Wrong::End)
            }
            _ if len > 0 => Item::Incomplete(self.next.name()),
            _ => return None,
        };
        Some(Found { offset, len, item })
    }

    fn step(&mut self) -> Result<Option<Item>, Wrong> {
        let (version, buf) = (self.version, &mut self.rest);
        match self.next {
            Next::Header(kind) => {
                let Some(size) = webtransport_header(buf, kind).ok_or(Wrong::NotWebTransport)?
                else {
                    return Ok(None);
                };
                buf.advance(size);
                self.next = Next::Type(kind);
                Ok(Some(Item::Header))
            }
            Next::Type(kind) => {
                let Some((code, size)) = varint::peek(buf, version).map_err(Wrong::Decode)? else {
                    return Ok(None);
                };
                let purpose = Purpose::from_code(code, kind, version)
                    .ok_or(Wrong::UnknownType(code, version))?;
                // The messages of a handshake bring their types along.
                if purpose != Purpose::Handshake {
                    buf.advance(size);
                }
                self.purpose = Some(purpose);
                self.next = purpose.request();
                Ok(Some(Item::StreamType(code, purpose.name())))
            }
            Next::Nothing if !buf.is_empty() => Err(Wrong::Superfluous),
            _ => {
                let taken = self.next.take(buf, version).map_err(Wrong::Decode)?;
                Ok(taken.map(|(message, next)| {
                    if let Some(&Value::Position(frame)) = message.get("frame_start") {
                        self.frame_start = frame;
                    }
                    if let Some(next) = next {
                        self.next = next;
                    }
                    Item::Message(message)
                }))
            }
        }
    }

    /// What is wrong where the rest begins; the rest cannot be read any more.
    fn fault(&mut self, wrong: Wrong) -> Item {
        let at = self.seen.len() - self.rest.len();
        let within = (!wrong.speaks_for_itself()).then(|| self.next.name());
        self.next = Next::Unreadable(match wrong {
            Wrong::UnknownType(..) => "the type of the stream is unknown",
            _ => "it comes after bytes that are wrong",
        });
        Item::Fault(Fault::new(&self.seen, self.begun, at, within, wrong))
    }
}

/// Decodes a datagram.
pub(crate) fn datagram(bytes: &Bytes, version: Version) -> Found {
    let mut rest = bytes.clone();
    let decoded = if version.features().datagrams {
        Datagram::decode(&mut rest, version).map_err(Wrong::Decode)
    } else {
        Err(Wrong::NoDatagrams(version))
    };
    let item = match decoded {
        Ok(datagram) => Item::Message(datagram.say(version)),
        Err(wrong) => {
            let at = bytes.len() - rest.len();
            Item::Fault(Fault::new(bytes, 0, at, Some("DATAGRAM"), wrong))
        }
    };
    Found {
        offset: 0,
        len: bytes.len(),
        item,
    }
}

/// The size of WebTransport's header: `None` if there is none, `Some(None)` if it is incomplete.
pub(crate) fn webtransport_header(data: &[u8], kind: Kind) -> Option<Option<usize>> {
    // HTTP/3 writes integers as QUIC does, and so does this draft.
    let peek = |data| varint::peek(data, Version::Lite06).ok().flatten();
    let signal = match kind {
        Kind::Bi => 0x41,
        Kind::Uni => 0x54,
    };
    let Some((code, size)) = peek(data) else {
        return Some(None);
    };
    let session = peek(data.get(size..).unwrap_or_default());
    (code == signal).then(|| session.map(|(_, more)| size + more))
}

#[cfg(test)]
mod tests;
