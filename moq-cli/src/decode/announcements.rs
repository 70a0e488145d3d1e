//! Announcements of one stream, with the ids that they have without saying so.

use std::collections::BTreeMap;

use bytes::BytesMut;
use moq_wire::{AnnounceDecoder, AnnounceEvent, AnnounceItem, Path, Version};

use super::expect::Taken;
use super::message::{Message, Value};
use super::say;

/// The answer to an announce request.
#[derive(Debug)]
pub(crate) struct Announcements {
    decoder: AnnounceDecoder,
    /// How many were taken of the list that some drafts begin with.
    listed: u64,
    /// The ids that the sender assigned without saying so, where the draft has ids.
    ids: BTreeMap<Path, u64>,
    next_id: u64,
}

impl Announcements {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            decoder: AnnounceDecoder::new(version),
            listed: 0,
            ids: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// Takes the next announcement off the front of `buf`.
    pub(crate) fn take(&mut self, buf: &mut BytesMut, version: Version) -> Taken {
        let Some(item) = self.decoder.decode_one(buf)? else {
            return Ok(None);
        };
        let message = match item {
            AnnounceItem::Silent => nothing(version),
            AnnounceItem::Event(event) if version.features().typed_announce => {
                self.by_id(&event, version)
            }
            AnnounceItem::Event(event) if self.is_listed() => {
                Message::new("ANNOUNCE_INIT").with("suffix", event.suffix().as_str())
            }
            AnnounceItem::Event(event) => by_path(&event, version),
        };
        Ok(Some((message, None)))
    }

    /// Whether the stream may end here.
    pub(crate) fn may_end(&self) -> bool {
        self.decoder.may_end()
    }

    /// Whether the event that was just taken belongs to the list.
    fn is_listed(&mut self) -> bool {
        let is_listed = self
            .decoder
            .listed()
            .is_some_and(|count| self.listed < count);
        self.listed += u64::from(is_listed);
        is_listed
    }

    fn by_id(&mut self, event: &AnnounceEvent, version: Version) -> Message {
        let suffix = event.suffix();
        let (name, id, route) = match event {
            AnnounceEvent::Start { suffix, route } => {
                let id = self.next_id;
                self.next_id += 1;
                self.ids.insert(suffix.clone(), id);
                ("ANNOUNCE_START", Some(id), Some(route))
            }
            AnnounceEvent::Update { suffix, route } => (
                "ANNOUNCE_UPDATE",
                self.ids.get(suffix).copied(),
                Some(route),
            ),
            AnnounceEvent::End { suffix } => ("ANNOUNCE_END", self.ids.remove(suffix), None),
        };
        let message = Message::new(name)
            .with("id", id)
            .with("suffix", suffix.as_str());
        match route {
            Some(route) => say::route(message, route, version),
            None => message,
        }
    }
}

/// An announcement that names its path, as drafts without ids spell it.
fn by_path(event: &AnnounceEvent, version: Version) -> Message {
    let message = |status| {
        Message::new("ANNOUNCE")
            .bare("status", Value::Word(status))
            .with("suffix", event.suffix().as_str())
    };
    match event {
        AnnounceEvent::Start { route, .. } => say::route(message("active"), route, version),
        AnnounceEvent::Update { route, .. } => say::route(message("restart"), route, version),
        AnnounceEvent::End { .. } => message("ended"),
    }
}

/// A message that changes nothing.
fn nothing(version: Version) -> Message {
    let features = version.features();
    if features.typed_announce {
        Message::new("ANNOUNCE_UNKNOWN").bare("meaning", Value::Word("skipped"))
    } else if features.announce_init {
        Message::new("ANNOUNCE").bare("meaning", Value::Word("changes nothing"))
    } else {
        let meaning = "ends what was not announced";
        Message::new("ANNOUNCE").bare("meaning", Value::Word(meaning))
    }
}
