//! Reading an Announce stream.

use bytes::BytesMut;

use super::by_id::ById;
use super::by_path::ByPath;
use super::event::{AnnounceEvent, AnnounceItem};
use super::init::Init;
use crate::envelope::{decode_or_put_back, split_message, split_typed_message};
use crate::error::DecodeError;
use crate::limits::MAX_MESSAGE;
use crate::version::Version;

/// Reads the announcements of one stream: by path, or by implicit id where the draft has ids, after
/// a list where the draft has that.
///
/// Remembers every live announcement; how many there may be is for the caller to bound, by the
/// events it gets.
///
/// Draft: ANNOUNCE_INIT and ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
#[derive(Debug)]
pub struct AnnounceDecoder {
    version: Version,
    table: Table,
    /// How many announcements are remembered, and how many came that were not.
    room: Room,
}

/// How many announcements are remembered.
#[derive(Debug)]
pub(super) struct Room {
    limit: usize,
    left_out: u64,
}

impl Room {
    /// Whether there is room for one more than these; counts it if not.
    pub(super) fn has(&mut self, live: usize) -> bool {
        let has_room = live < self.limit;
        self.left_out += u64::from(!has_room);
        has_room
    }

    /// Whether what is not remembered may have come all the same.
    pub(super) fn is_exceeded(&self) -> bool {
        self.left_out > 0
    }
}

#[derive(Debug)]
enum Table {
    ById(ById),
    ByPath(ByPath),
    /// The list comes first.
    Listed(Init, ByPath),
}

impl AnnounceDecoder {
    /// A decoder for the answer to an announce request, after [`AnnounceOk`](crate::AnnounceOk)
    /// where the draft has that.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let features = version.features();
        let table = if features.typed_announce {
            Table::ById(ById::default())
        } else if features.announce_init {
            Table::Listed(Init::Ahead, ByPath::default())
        } else {
            Table::ByPath(ByPath::default())
        };
        let room = Room {
            limit: usize::MAX,
            left_out: 0,
        };
        Self {
            version,
            table,
            room,
        }
    }

    /// Remembers so many live announcements. Those that come when there is no room say nothing, nor do
    /// later messages on them, nor those that refer to them.
    #[must_use]
    pub fn with_room(mut self, limit: usize) -> Self {
        self.room.limit = limit;
        self
    }

    /// How many announcements had no [room](Self::with_room).
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.room.left_out
    }

    /// How many announcements the answer starts with, where it starts with a list and that has
    /// begun to arrive.
    ///
    /// Draft: ANNOUNCE_INIT.
    #[must_use]
    pub fn listed(&self) -> Option<u64> {
        match &self.table {
            Table::Listed(init, _) => init.count(),
            Table::ById(_) | Table::ByPath(_) => None,
        }
    }

    /// Whether the stream may end where the last event did, or before the first one.
    #[must_use]
    pub fn may_end(&self) -> bool {
        !matches!(&self.table, Table::Listed(Init::Inside { .. }, _))
    }

    /// Takes the next event off the front of `buf`, and whatever comes before it and says nothing.
    ///
    /// `Ok(None)` means that more bytes are needed. After an error the stream is of no more use.
    ///
    /// # Errors
    /// [`DecodeError`] if a message is malformed or contradicts those before it; `buf` then begins with
    /// the field that is wrong, or with what follows the message that is a contradiction.
    ///
    /// Draft: ANNOUNCE_INIT and ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<AnnounceEvent>, DecodeError> {
        loop {
            match self.decode_one(buf)? {
                Some(AnnounceItem::Silent) => {}
                Some(AnnounceItem::Event(event)) => return Ok(Some(event)),
                None => return Ok(None),
            }
        }
    }

    /// Takes one message off the front of `buf`, or one entry of the list.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then, but for the head of the list.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode).
    ///
    /// Draft: ANNOUNCE_INIT and ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
    pub fn decode_one(&mut self, buf: &mut BytesMut) -> Result<Option<AnnounceItem>, DecodeError> {
        let (version, room) = (self.version, &mut self.room);
        match &mut self.table {
            Table::ById(table) => match split_typed_message(buf, MAX_MESSAGE, version)? {
                Some((kind, body)) => {
                    decode_or_put_back(body, buf, |body| table.apply(kind, body, version, room))
                        .map(Some)
                }
                None => Ok(None),
            },
            Table::Listed(init, table) if !init.is_over() => match init.next(buf, version)? {
                Some(suffix) => table.listed(suffix, room).map(Some),
                None => Ok(init.is_over().then_some(AnnounceItem::Silent)),
            },
            Table::ByPath(table) | Table::Listed(_, table) => {
                match split_message(buf, MAX_MESSAGE, version)? {
                    Some(body) => {
                        decode_or_put_back(body, buf, |body| table.apply(body, version, room))
                            .map(Some)
                    }
                    None => Ok(None),
                }
            }
        }
    }
}
