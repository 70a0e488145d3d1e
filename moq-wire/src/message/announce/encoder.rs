//! Writing an Announce stream.

use std::collections::HashMap;

use bytes::BytesMut;

use super::event::{ACTIVE, AnnounceEvent, END, ENDED, Route, START, UPDATE};
use super::init::{begin_init, put_init};
use super::reference::put_suffix;
use crate::codec::Encode;
use crate::envelope::{put_envelope, put_typed_message};
use crate::error::EncodeError;
use crate::limits::MAX_MESSAGE;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

/// Writes the announcements of one stream: by path, or by implicit id where the draft has ids, after
/// a list where the draft has that.
///
/// Remembers every live announcement. Draft: ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and
/// ANNOUNCE_END.
#[derive(Debug)]
pub struct AnnounceEncoder {
    version: Version,
    /// The list that has to come first is still to be written.
    owes_list: bool,
    /// How many announcements were started.
    started: u64,
    /// The live ones, each with its number in the order of starting.
    live: HashMap<Path, u64>,
}

impl AnnounceEncoder {
    /// An encoder for a stream without any announcement yet.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            owes_list: version.features().announce_init,
            started: 0,
            live: HashMap::new(),
        }
    }

    /// An encoder for a stream that starts with `events`, which are appended.
    ///
    /// Where the draft has a list, those that come first and are starts go into it; without this
    /// function the list is empty, and is written with the first event.
    ///
    /// # Errors
    /// [`EncodeError`] as for [`encode`](Self::encode); nothing is appended then.
    ///
    /// Draft: ANNOUNCE_INIT.
    pub fn with_initial(
        version: Version,
        events: &[AnnounceEvent],
        buf: &mut BytesMut,
    ) -> Result<Self, EncodeError> {
        let mut encoder = Self::new(version);
        let before = buf.len();
        let result = encoder.initial(events, buf);
        if result.is_err() {
            buf.truncate(before);
        }
        result.map(|()| encoder)
    }

    fn initial(&mut self, events: &[AnnounceEvent], buf: &mut BytesMut) -> Result<(), EncodeError> {
        let mut rest = events;
        if self.owes_list {
            let is_start = |event: &AnnounceEvent| matches!(event, AnnounceEvent::Start { .. });
            let starts = events.iter().take_while(|event| is_start(event)).count();
            let (listed, others) = events.split_at(starts);
            for event in listed {
                self.check_new(event.suffix())?;
                self.assign(event.suffix());
            }
            put_init(listed, buf, self.version)?;
            self.owes_list = false;
            rest = others;
        }
        rest.iter().try_for_each(|event| self.encode(event, buf))
    }

    /// Begins the list of a draft that has one: [`list`](Self::list) has to follow for `count` suffixes,
    /// whose [`listed_len`](Self::listed_len) is `bytes` in all. For who can't hold them all at a time.
    ///
    /// # Errors
    /// [`EncodeError::NotInVersion`] if the draft has no list, or it was written.
    ///
    /// Draft: ANNOUNCE_INIT.
    pub fn begin_list(
        &mut self,
        count: usize,
        bytes: usize,
        buf: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        if !std::mem::take(&mut self.owes_list) {
            return Err(EncodeError::NotInVersion);
        }
        begin_init(count, bytes, buf, self.version)
    }

    /// Appends a suffix of the list that was begun.
    ///
    /// # Errors
    /// [`EncodeError::AlreadyAnnounced`] if the suffix is live already. Nothing is appended then.
    ///
    /// Draft: ANNOUNCE_INIT.
    pub fn list(&mut self, suffix: &Path, buf: &mut BytesMut) -> Result<(), EncodeError> {
        self.check_new(suffix)?;
        suffix.encode(buf, self.version)?;
        self.assign(suffix);
        Ok(())
    }

    /// The bytes of a suffix in the list.
    #[must_use]
    pub fn listed_len(&self, suffix: &Path) -> usize {
        let len = suffix.as_str().len();
        len + varint::size(len as u64, self.version)
    }

    /// How many announcements are live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Appends `event`.
    ///
    /// # Errors
    /// [`EncodeError`] if the event contradicts those before it, if its hop chain or a cost is not
    /// acceptable, or if it is an update and the draft has none. Nothing is appended then, and the
    /// encoder is as before.
    ///
    /// Draft: ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
    pub fn encode(&mut self, event: &AnnounceEvent, buf: &mut BytesMut) -> Result<(), EncodeError> {
        match event {
            AnnounceEvent::Start { suffix, route } => self.start(suffix, route, buf),
            AnnounceEvent::Update { suffix, route } => self.update(suffix, route, buf),
            AnnounceEvent::End { suffix } => self.end(suffix, buf),
        }
    }

    fn start(
        &mut self,
        suffix: &Path,
        route: &Route,
        buf: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        self.check_new(suffix)?;
        if self.version.features().typed_announce {
            put_typed_message(START, buf, self.version, |buf| {
                put_suffix(suffix, buf, self.version)?;
                route.encode(buf, self.version)
            })?;
        } else {
            self.put_status(ACTIVE, suffix, route, buf)?;
        }
        self.assign(suffix);
        Ok(())
    }

    fn check_new(&self, suffix: &Path) -> Result<(), EncodeError> {
        if self.live.contains_key(suffix) {
            return Err(EncodeError::AlreadyAnnounced);
        }
        Ok(())
    }

    /// Makes `suffix` live, under the next number.
    fn assign(&mut self, suffix: &Path) {
        self.live.insert(suffix.clone(), self.started);
        self.started = self.started.saturating_add(1);
    }

    fn update(
        &mut self,
        suffix: &Path,
        route: &Route,
        buf: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let id = *self.live.get(suffix).ok_or(EncodeError::NotAnnounced)?;
        let features = self.version.features();
        if features.typed_announce {
            put_typed_message(UPDATE, buf, self.version, |buf| {
                id.encode(buf, self.version)?;
                route.encode(buf, self.version)
            })
        } else if features.announce_replace {
            self.put_status(ACTIVE, suffix, route, buf)
        } else {
            Err(EncodeError::NotInVersion)
        }
    }

    fn end(&mut self, suffix: &Path, buf: &mut BytesMut) -> Result<(), EncodeError> {
        let id = self.live.remove(suffix).ok_or(EncodeError::NotAnnounced)?;
        let put = if self.version.features().typed_announce {
            put_typed_message(END, buf, self.version, |buf| id.encode(buf, self.version))
        } else {
            self.put_status(ENDED, suffix, &Route::default(), buf)
        };
        if put.is_err() {
            self.live.insert(suffix.clone(), id);
        }
        put
    }

    fn put_status(
        &mut self,
        status: u8,
        suffix: &Path,
        route: &Route,
        buf: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let before = buf.len();
        if self.owes_list {
            put_init(&[], buf, self.version)?;
        }
        let put = put_envelope(MAX_MESSAGE, buf, self.version, |buf| {
            status.encode(buf, self.version)?;
            suffix.encode(buf, self.version)?;
            route.encode(buf, self.version)
        });
        match put {
            Ok(()) => self.owes_list = false,
            // The list goes too: it is still owed.
            Err(_) => buf.truncate(before),
        }
        put
    }
}
