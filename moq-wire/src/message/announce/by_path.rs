//! Live announcements where each message repeats the path.

use std::collections::BTreeSet;

use bytes::Bytes;

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
    ) -> Result<AnnounceItem, DecodeError> {
        let features = version.features();
        let Announce {
            status,
            suffix,
            route,
        } = decode_whole(body, version)?;
        match status {
            ENDED if self.live.remove(&suffix) => Ok(AnnounceEvent::End { suffix }),
            ENDED => return Ok(AnnounceItem::Silent),
            ACTIVE => self.active(suffix, route, features.announce_replace),
            RESTART if features.announce_restart => self.active(suffix, route, true),
            unknown => Err(DecodeError::UnknownStatus(unknown)),
        }
        .map(AnnounceItem::Event)
    }

    /// A path of the list that an answer starts with.
    pub(super) fn listed(&mut self, suffix: Path) -> Result<AnnounceEvent, DecodeError> {
        let route = Route {
            hops: Vec::new(),
            warm_cost: 0,
            cold_cost: varint::MAX,
        };
        self.active(suffix, route, true)
    }

    fn active(
        &mut self,
        suffix: Path,
        route: Route,
        replace: bool,
    ) -> Result<AnnounceEvent, DecodeError> {
        if self.live.insert(suffix.clone()) {
            Ok(AnnounceEvent::Start { suffix, route })
        } else if replace {
            Ok(AnnounceEvent::Update { suffix, route })
        } else {
            Err(DecodeError::DuplicateAnnounce)
        }
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
