//! What was recorded of a session, wherever it comes from.

use std::collections::BTreeMap;

use bytes::Bytes;
use moq_wire::Version;

use crate::args::Part;

/// What is known of a session.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What it was read from.
    pub(crate) source: &'static str,
    /// What the recording says of itself, for people.
    pub(crate) title: Option<String>,
    /// The draft it says it is.
    pub(crate) version: Option<Version>,
    /// What the two ends are called.
    pub(crate) ends: Ends,
    pub(crate) streams: BTreeMap<u64, Stream>,
    /// In the order in which they happened.
    pub(crate) events: Vec<Event>,
    /// What could not be used, for people.
    pub(crate) notes: Vec<String>,
}

/// What the two ends are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The client and the server of a session.
    Session,
    /// The opener of a stream and its peer, where nobody knows who is the client.
    Stream,
}

/// One of two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum End {
    /// The client, or the opener where nobody knows.
    Client,
    /// The other.
    Server,
}

/// A stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) opener: End,
    pub(crate) kind: Kind,
    /// What the answer answers, where the request is not recorded.
    pub(crate) answers: Option<Part>,
    /// What is in front of the stream's type.
    pub(crate) binding: Binding,
}

/// Whether both ends may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bi,
    Uni,
}

/// What a stream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The stream's type.
    Bare,
    /// The header by which WebTransport tells its streams from those of HTTP/3.
    WebTransport,
}

/// Something that happened.
#[derive(Debug)]
pub(crate) struct Event {
    /// When, in milliseconds.
    pub(crate) t_ms: Option<f64>,
    /// Who did it.
    pub(crate) from: End,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    /// Bytes on a stream, in order.
    Data(u64, Bytes),
    /// A half ended well.
    Fin(u64),
    /// A half was given up by its sender.
    Reset(u64, Code),
    /// A half is not wanted any more by its receiver.
    Stop(u64, Code),
    /// A datagram.
    Datagram(Bytes),
    /// The session was closed.
    Close(Code, String),
}

/// A code as recorded; `None` if the stack chose it by itself.
pub(crate) type Code = Option<u64>;

impl Recording {
    /// Nothing yet.
    pub(crate) fn new(source: &'static str, ends: Ends) -> Self {
        Self {
            source,
            title: None,
            version: None,
            ends,
            streams: BTreeMap::new(),
            events: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds what happened at an unknown time.
    pub(crate) fn push(&mut self, from: End, what: What) {
        self.events.push(Event {
            t_ms: None,
            from,
            what,
        });
    }
}

impl End {
    /// The other end.
    pub(crate) fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// What this end is called.
    pub(crate) fn name(self, ends: Ends) -> &'static str {
        match (ends, self) {
            (Ends::Session, Self::Client) => "client",
            (Ends::Session, Self::Server) => "server",
            (Ends::Stream, Self::Client) => "opener",
            (Ends::Stream, Self::Server) => "peer",
        }
    }
}

impl Kind {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bi => "bi",
            Self::Uni => "uni",
        }
    }
}

impl Stream {
    /// A stream that begins with its type.
    pub(crate) fn new(opener: End, kind: Kind) -> Self {
        Self {
            opener,
            kind,
            answers: None,
            binding: Binding::Bare,
        }
    }
}
