//! Reading an Announce stream.

use std::collections::{HashMap, HashSet};

use bytes::{Bytes, BytesMut};

use super::event::{ACTIVE, AnnounceEvent, END, ENDED, RESTART, Route, START, UPDATE};
use crate::codec::{Decode, decode_body};
use crate::envelope::{split_message, split_typed_message};
use crate::error::DecodeError;
use crate::limits::MAX_MESSAGE;
use crate::path::Path;
use crate::version::{Features, Version};

/// Reads the announcements of one stream: by path, or by implicit id where the draft has ids.
///
/// Remembers every live announcement; how many there may be is for the caller to bound, by the
/// events it gets.
#[derive(Debug)]
pub struct AnnounceDecoder {
    version: Version,
    table: Table,
}

impl AnnounceDecoder {
    /// A decoder for what follows the first message of the answer, where there is such a message.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let table = if version.features().typed_announce {
            Table::ById(ById::default())
        } else {
            Table::ByPath(ByPath::default())
        };
        Self { version, table }
    }

    /// Takes the next event off the front of `buf`, and any messages before it that say nothing.
    ///
    /// `Ok(None)` means that more bytes are needed. After an error the stream is of no more use.
    ///
    /// # Errors
    /// [`DecodeError`] if a message is malformed or contradicts those before it.
    ///
    /// Draft: ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<AnnounceEvent>, DecodeError> {
        loop {
            let event = match &mut self.table {
                Table::ById(table) => match split_typed_message(buf, MAX_MESSAGE, self.version)? {
                    Some((kind, body)) => table.apply(kind, body, self.version)?,
                    None => return Ok(None),
                },
                Table::ByPath(table) => match split_message(buf, MAX_MESSAGE, self.version)? {
                    Some(body) => {
                        table.apply(decode_body(body, self.version)?, self.version.features())?
                    }
                    None => return Ok(None),
                },
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }
}

#[derive(Debug)]
enum Table {
    ById(ById),
    ByPath(ByPath),
}

/// Live announcements where the first on the stream has id 0, the next id 1, and so on.
#[derive(Debug, Default)]
struct ById {
    next: u64,
    paths: HashMap<u64, Path>,
    live: HashSet<Path>,
}

impl ById {
    fn apply(
        &mut self,
        kind: u64,
        body: Bytes,
        version: Version,
    ) -> Result<Option<AnnounceEvent>, DecodeError> {
        match kind {
            START => self.start(decode_body(body, version)?).map(Some),
            UPDATE => self.update(decode_body(body, version)?).map(Some),
            END => self.end(decode_body(body, version)?).map(Some),
            _ => Ok(None),
        }
    }

    fn start(
        &mut self,
        Pair(suffix, route): Pair<Path, Route>,
    ) -> Result<AnnounceEvent, DecodeError> {
        if !self.live.insert(suffix.clone()) {
            return Err(DecodeError::DuplicateAnnounce);
        }
        self.paths.insert(self.next, suffix.clone());
        self.next = self.next.saturating_add(1);
        Ok(AnnounceEvent::Start { suffix, route })
    }

    fn update(&self, Pair(id, route): Pair<u64, Route>) -> Result<AnnounceEvent, DecodeError> {
        let suffix = self
            .paths
            .get(&id)
            .ok_or(DecodeError::UnknownAnnounce(id))?
            .clone();
        Ok(AnnounceEvent::Update { suffix, route })
    }

    fn end(&mut self, id: u64) -> Result<AnnounceEvent, DecodeError> {
        let suffix = self
            .paths
            .remove(&id)
            .ok_or(DecodeError::UnknownAnnounce(id))?;
        self.live.remove(&suffix);
        Ok(AnnounceEvent::End { suffix })
    }
}

/// Live announcements where each message repeats the path.
#[derive(Debug, Default)]
struct ByPath {
    live: HashSet<Path>,
}

impl ByPath {
    fn apply(
        &mut self,
        message: Announce,
        features: &Features,
    ) -> Result<Option<AnnounceEvent>, DecodeError> {
        let Announce {
            status,
            suffix,
            route,
        } = message;
        match status {
            ENDED if self.live.remove(&suffix) => Ok(Some(AnnounceEvent::End { suffix })),
            ENDED => Ok(None),
            ACTIVE => self
                .active(suffix, route, features.announce_replace)
                .map(Some),
            RESTART if features.announce_restart => self.active(suffix, route, true).map(Some),
            unknown => Err(DecodeError::UnknownStatus(unknown)),
        }
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

/// A body of two parts.
struct Pair<A, B>(A, B);

impl<A: Decode, B: Decode> Decode for Pair<A, B> {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self(A::decode(buf, version)?, B::decode(buf, version)?))
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
