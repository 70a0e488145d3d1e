//! Live announcements where the first on the stream has id 0, the next id 1, and so on.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::decoder::Room;
use super::event::{AnnounceEvent, AnnounceItem, END, Route, START, UPDATE};
use super::reference::{RouteSpelling, SuffixSpelling};
use crate::codec::Decode;
use crate::error::DecodeError;
use crate::id::HopId;
use crate::path::Path;
use crate::version::Version;

/// What is live, in trees rather than hash tables: those grow node by node, so that no message of a
/// peer makes one large allocation.
#[derive(Debug, Default)]
pub(super) struct ById {
    next: u64,
    live: BTreeMap<u64, Live>,
    suffixes: BTreeSet<Path>,
}

#[derive(Debug)]
struct Live {
    suffix: Path,
    /// Empty where no later message can refer to it.
    hops: Vec<HopId>,
}

impl ById {
    pub(super) fn apply(
        &mut self,
        kind: u64,
        body: &mut Bytes,
        version: Version,
        room: &mut Room,
    ) -> Result<AnnounceItem, DecodeError> {
        let message = match kind {
            START => Message::Start(
                SuffixSpelling::decode(body, version)?,
                RouteSpelling::decode(body, version)?,
            ),
            UPDATE => Message::Update(
                u64::decode(body, version)?,
                RouteSpelling::decode(body, version)?,
            ),
            END => Message::End(u64::decode(body, version)?),
            _ => return Ok(AnnounceItem::Silent),
        };
        if !body.is_empty() {
            return Err(DecodeError::Trailing);
        }
        let is_start = matches!(message, Message::Start(..));
        if is_start && !room.has(self.live.len()) {
            self.skip();
            return Ok(AnnounceItem::Silent);
        }
        let event = match message {
            Message::Start(suffix, route) => self.start(suffix, route, version),
            Message::Update(id, route) => self.update(id, route, version),
            Message::End(id) => self.end(id),
        };
        match event {
            Ok(event) => Ok(AnnounceItem::Event(event)),
            // It may be one that there was no room for.
            Err(DecodeError::UnknownBase(back)) if room.is_exceeded() && back <= self.next => {
                if is_start {
                    self.skip();
                }
                Ok(AnnounceItem::Silent)
            }
            Err(DecodeError::UnknownAnnounce(id)) if room.is_exceeded() && id < self.next => {
                Ok(AnnounceItem::Silent)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts an announcement that is not remembered.
    fn skip(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    fn start(
        &mut self,
        suffix: SuffixSpelling,
        route: RouteSpelling,
        version: Version,
    ) -> Result<AnnounceEvent, DecodeError> {
        let base = self.base(suffix.base)?.map(|live| &live.suffix);
        let suffix = suffix.resolve(base)?;
        let route = self.route(route)?;
        if !self.suffixes.insert(suffix.clone()) {
            return Err(DecodeError::DuplicateAnnounce);
        }
        let live = Live {
            suffix: suffix.clone(),
            hops: remembered(&route, version),
        };
        self.live.insert(self.next, live);
        self.skip();
        Ok(AnnounceEvent::Start { suffix, route })
    }

    fn update(
        &mut self,
        id: u64,
        route: RouteSpelling,
        version: Version,
    ) -> Result<AnnounceEvent, DecodeError> {
        let route = self.route(route)?;
        let live = self
            .live
            .get_mut(&id)
            .ok_or(DecodeError::UnknownAnnounce(id))?;
        live.hops = remembered(&route, version);
        let suffix = live.suffix.clone();
        Ok(AnnounceEvent::Update { suffix, route })
    }

    fn end(&mut self, id: u64) -> Result<AnnounceEvent, DecodeError> {
        let Live { suffix, .. } = self
            .live
            .remove(&id)
            .ok_or(DecodeError::UnknownAnnounce(id))?;
        self.suffixes.remove(&suffix);
        Ok(AnnounceEvent::End { suffix })
    }

    fn route(&self, spelling: RouteSpelling) -> Result<Route, DecodeError> {
        let base = self.base(spelling.base)?.map(|live| &live.hops[..]);
        spelling.resolve(base)
    }

    /// The announcement that is `back` ids before the next one, where 0 stands for none.
    fn base(&self, back: u64) -> Result<Option<&Live>, DecodeError> {
        if back == 0 {
            return Ok(None);
        }
        let id = self.next.checked_sub(back);
        let live = id.and_then(|id| self.live.get(&id));
        live.map(Some).ok_or(DecodeError::UnknownBase(back))
    }
}

/// A message as it is spelled.
enum Message {
    Start(SuffixSpelling, RouteSpelling),
    Update(u64, RouteSpelling),
    End(u64),
}

fn remembered(route: &Route, version: Version) -> Vec<HopId> {
    if version.features().announce_compression {
        route.hops.clone()
    } else {
        Vec::new()
    }
}
