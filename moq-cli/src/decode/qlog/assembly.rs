//! Puts the bytes of streams into order: a qlog has them as packets had them, and more than once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::decode::half::webtransport_header;
use crate::decode::recording::{Binding, Code, End, Event, Kind, Recording, Stream, What};

/// A recording in the making.
#[derive(Debug)]
pub(super) struct Assembly {
    recording: Recording,
    t_ms: Option<f64>,
    halves: BTreeMap<(u64, End), Half>,
    /// Streams that were reset, and those that were stopped, by whom.
    over: BTreeSet<(u64, End, bool)>,
    datagrams: usize,
    is_closed: bool,
}

/// What is known of one direction.
#[derive(Debug, Default)]
struct Half {
    /// How many bytes from the start on are there.
    have: u64,
    /// The first of them.
    head: Vec<u8>,
    /// What came too early.
    early: BTreeMap<u64, Bytes>,
    /// How many bytes there are, once that is known.
    len: Option<u64>,
    has_ended: bool,
}

impl Assembly {
    pub(super) fn new(recording: Recording) -> Self {
        Self {
            recording,
            t_ms: None,
            halves: BTreeMap::new(),
            over: BTreeSet::new(),
            datagrams: 0,
            is_closed: false,
        }
    }

    /// When the following happened.
    pub(super) fn at(&mut self, t_ms: Option<f64>) {
        self.t_ms = t_ms;
    }

    /// Whether there is anything to decode.
    pub(super) fn has_bytes(&self) -> bool {
        self.datagrams > 0
            || self
                .halves
                .values()
                .any(|half| half.have > 0 || !half.early.is_empty())
    }

    /// Adds bytes; behind those that are there if they name no offset.
    pub(super) fn bytes(&mut self, id: u64, from: End, offset: Option<u64>, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.add_stream(id);
        let half = self.halves.entry((id, from)).or_default();
        let offset = offset.unwrap_or(half.have);
        let known = half.early.entry(offset).or_default();
        if known.len() < bytes.len() {
            *known = bytes;
        }
        for bytes in half.in_order() {
            self.push(from, What::Data(id, bytes));
        }
        self.end(id, from);
    }

    /// Says how long a direction is.
    pub(super) fn last(&mut self, id: u64, from: End, len: u64) {
        self.add_stream(id);
        self.halves.entry((id, from)).or_default().len = Some(len);
        self.end(id, from);
    }

    /// Adds what happens to a stream once, however often a packet says so.
    pub(super) fn once(&mut self, id: u64, from: End, what: What) {
        let is_stop = matches!(what, What::Stop(..));
        if self.over.insert((id, from, is_stop)) {
            self.add_stream(id);
            self.push(from, what);
        }
    }

    pub(super) fn datagram(&mut self, from: End, bytes: Bytes) {
        self.datagrams += 1;
        self.push(from, What::Datagram(bytes));
    }

    pub(super) fn close(&mut self, from: End, code: Code, reason: String) {
        if !std::mem::replace(&mut self.is_closed, true) {
            self.push(from, What::Close(code, reason));
        }
    }

    /// The recording, without what HTTP/3 needs for itself, and with notes about what is missing.
    pub(super) fn finish(mut self) -> Recording {
        self.note_gaps();
        let headers: Vec<u64> = self.webtransport().collect();
        if headers.is_empty() {
            return self.recording;
        }
        let streams = &mut self.recording.streams;
        let all = streams.len();
        streams.retain(|id, _| headers.contains(id));
        for stream in streams.values_mut() {
            stream.binding = Binding::WebTransport;
        }
        let others = all - streams.len();
        if others > 0 {
            let note = format!("{others} streams of HTTP/3 itself are left out");
            self.recording.notes.push(note);
        }
        let streams = &self.recording.streams;
        self.recording.events.retain(|event| match &event.what {
            What::Data(id, _) | What::Fin(id) | What::Reset(id, _) | What::Stop(id, _) => {
                streams.contains_key(id)
            }
            What::Datagram(_) | What::Close(..) => true,
        });
        self.recording
    }

    /// The streams that begin as those of WebTransport do.
    fn webtransport(&self) -> impl Iterator<Item = u64> {
        let streams = self.recording.streams.iter();
        let ids = streams.filter(|&(&id, stream)| {
            let half = self.halves.get(&(id, stream.opener));
            let head = half.map_or(&[][..], |half| &half.head);
            matches!(webtransport_header(head, stream.kind), Some(Some(_)))
        });
        ids.map(|(&id, _)| id)
    }

    fn note_gaps(&mut self) {
        for ((id, from), half) in &self.halves {
            let is_whole = half.len.is_none_or(|len| len <= half.have);
            if half.early.is_empty() && is_whole {
                continue;
            }
            self.recording.notes.push(format!(
                "stream {id}, from the {}: the qlog lacks bytes from byte {} on",
                from.name(self.recording.ends),
                half.have
            ));
        }
    }

    /// QUIC's stream ids say who opened a stream and whether both ends may send.
    fn add_stream(&mut self, id: u64) {
        let opener = if id & 1 == 0 {
            End::Client
        } else {
            End::Server
        };
        let kind = if id & 2 == 0 { Kind::Bi } else { Kind::Uni };
        let streams = &mut self.recording.streams;
        streams
            .entry(id)
            .or_insert_with(|| Stream::new(opener, kind));
    }

    /// Ends a direction once all of it is there.
    fn end(&mut self, id: u64, from: End) {
        let Some(half) = self.halves.get_mut(&(id, from)) else {
            return;
        };
        if half.len == Some(half.have) && !std::mem::replace(&mut half.has_ended, true) {
            self.push(from, What::Fin(id));
        }
    }

    fn push(&mut self, from: End, what: What) {
        self.recording.events.push(Event {
            t_ms: self.t_ms,
            from,
            what,
        });
    }
}

impl Half {
    /// Takes out what continues the bytes that are there.
    fn in_order(&mut self) -> Vec<Bytes> {
        let mut ready = Vec::new();
        while let Some(entry) = self.early.first_entry() {
            let Some(known) = self.have.checked_sub(*entry.key()) else {
                break;
            };
            let bytes = entry.remove();
            let fresh = usize::try_from(known)
                .ok()
                .filter(|&known| known < bytes.len());
            if let Some(known) = fresh {
                let bytes = bytes.slice(known..);
                let missing = HEAD.saturating_sub(self.head.len());
                self.head.extend(bytes.iter().take(missing));
                self.have += bytes.len() as u64;
                ready.push(bytes);
            }
        }
        ready
    }
}

/// Bytes that tell a stream of WebTransport: two integers.
const HEAD: usize = 16;
