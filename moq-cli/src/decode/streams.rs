//! Streams without a session around them, as somebody wrote them down.

use bytes::Bytes;
use moq_wire::Version;

use super::half::{Half, Item};
use super::recording::{End, Ends, Kind, Recording, Stream, What};
use crate::args::Part;

/// Puts bytes together to a recording.
#[derive(Debug)]
pub(crate) struct Streams {
    version: Version,
    recording: Recording,
    /// The stream that bytes belong to.
    open: Option<Open>,
    next_id: u64,
}

#[derive(Debug)]
struct Open {
    id: u64,
    /// `None` until it is guessed.
    part: Option<Part>,
    from: End,
    pieces: Vec<(End, Bytes)>,
}

impl Streams {
    pub(crate) fn new(source: &'static str, version: Version) -> Self {
        Self {
            version,
            recording: Recording::new(source, Ends::Stream),
            open: None,
            next_id: 0,
        }
    }

    /// Whether bytes can be added.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a stream or datagram, of a kind to be guessed if none is given.
    pub(crate) fn begin(&mut self, part: Option<Part>) {
        self.close();
        let from = match part {
            None | Some(Part::Bi | Part::Uni | Part::Datagram) => End::Client,
            Some(_) => End::Server,
        };
        self.open = Some(Open {
            id: self.next_id,
            part,
            from,
            pieces: Vec::new(),
        });
        self.next_id += 1;
    }

    /// What follows is sent by the opener.
    pub(crate) fn request(&mut self) {
        self.turn(End::Client);
    }

    /// What follows is sent by the other end.
    pub(crate) fn answer(&mut self) {
        self.turn(End::Server);
    }

    fn turn(&mut self, from: End) {
        if let Some(open) = &mut self.open {
            open.from = from;
        }
    }

    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if let Some(open) = self.open.as_mut().filter(|_| !bytes.is_empty()) {
            open.pieces.push((open.from, bytes));
        }
    }

    /// Ends the stream.
    pub(crate) fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if open.part == Some(Part::Datagram) {
            for (from, bytes) in open.pieces {
                self.recording.push(from, What::Datagram(bytes));
            }
            return;
        }
        let kind = match open.part {
            Some(Part::Uni) => Kind::Uni,
            Some(_) => Kind::Bi,
            None => self.guess(&open),
        };
        let mut stream = Stream::new(End::Client, kind);
        stream.answers = open.part;
        self.recording.streams.insert(open.id, stream);
        for (from, bytes) in open.pieces {
            self.recording.push(from, What::Data(open.id, bytes));
        }
    }

    /// All of them.
    pub(crate) fn finish(mut self) -> Recording {
        self.close();
        self.recording
    }

    /// The kind as which more of the bytes can be read.
    fn guess(&mut self, open: &Open) -> Kind {
        if open.pieces.iter().any(|(from, _)| *from == End::Server) {
            return Kind::Bi;
        }
        let bytes: Vec<u8> = open
            .pieces
            .iter()
            .flat_map(|piece| piece.1.clone())
            .collect();
        let [bi, uni] = [Kind::Bi, Kind::Uni].map(|kind| readable(&bytes, kind, self.version));
        let (kind, other) = if uni > bi {
            (Kind::Uni, Kind::Bi)
        } else {
            (Kind::Bi, Kind::Uni)
        };
        if bi == uni && bi == bytes.len() && bi > 0 {
            self.recording.notes.push(format!(
                "stream {} is read as {}, but could be {}; --stream says which",
                open.id,
                kind.name(),
                other.name()
            ));
        }
        kind
    }
}

/// How many bytes there are before the first that is wrong.
fn readable(bytes: &[u8], kind: Kind, version: Version) -> usize {
    let mut half = Half::request(&Stream::new(End::Client, kind), version);
    half.feed(bytes);
    let mut found = std::iter::from_fn(|| half.next());
    let fault = found.find_map(|found| match found.item {
        Item::Fault(fault) => Some(fault.at),
        _ => None,
    });
    fault.unwrap_or(bytes.len())
}
