//! Live announcements where each message repeats the path.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::decoder::Room;
use super::event::{ACTIVE, AnnounceEvent, AnnounceItem, ENDED, RESTART, Route};
use crate::codec::{Decode, decode_whole};
use crate::error::DecodeError;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

/// What is live, in a tree, which grows node by node.
#[derive(Debug, Default)]
pub(super) struct ByPath {
    live: BTreeSet<Path>,
}

impl ByPath {
    pub(super) fn apply(
        &mut self,
        body: &mut Bytes,
        version: Version,
        room: &mut Room,
    ) -> Result<AnnounceItem, DecodeError> {
        let features = version.features();
        let Announce {
            status,
            suffix,
            route,
        } = decode_whole(body, version)?;
        match status {
            ENDED if self.live.remove(&suffix) => {
                Ok(AnnounceItem::Event(AnnounceEvent::End { suffix }))
            }
            ENDED => Ok(AnnounceItem::Silent),
            ACTIVE => self.active(suffix, route, features.announce_replace, room),
            RESTART if features.announce_restart => self.active(suffix, route, true, room),
            unknown => Err(DecodeError::UnknownStatus(unknown)),
        }
    }

    /// A path of the list that an answer starts with.
    pub(super) fn listed(
        &mut self,
        suffix: Path,
        room: &mut Room,
    ) -> Result<AnnounceItem, DecodeError> {
        let route = Route {
            hops: Vec::new(),
            warm_cost: 0,
            cold_cost: varint::MAX,
        };
        self.active(suffix, route, true, room)
    }

    fn active(
        &mut self,
        suffix: Path,
        route: Route,
        replace: bool,
        room: &mut Room,
    ) -> Result<AnnounceItem, DecodeError> {
        let event = if !self.live.contains(&suffix) {
            if !room.has(self.live.len()) {
                return Ok(AnnounceItem::Silent);
            }
            self.live.insert(suffix.clone());
            AnnounceEvent::Start { suffix, route }
        } else if replace {
            AnnounceEvent::Update { suffix, route }
        } else {
            return Err(DecodeError::DuplicateAnnounce);
        };
        Ok(AnnounceItem::Event(event))
    }
}

/// The one message of drafts without announce ids.
struct Announce {
    status: u8,
    suffix: Path,
    route: Route,
}

impl Decode for Announce {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self {
            status: u8::decode(buf, version)?,
            suffix: Path::decode(buf, version)?,
            route: Route::decode(buf, version)?,
        })
    }
}
