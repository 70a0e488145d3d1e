//! Changes as the messages of one answer to ANNOUNCE_REQUEST.

use moq_model::{AnnouncedEvent, BroadcastPath, Route};
use moq_wire::{AnnounceEncoder, AnnounceEvent, AnnounceOk, EncodeError, Path};

use super::listing::Listing;
use crate::context::Shared;
use crate::convert;
use crate::io::Writer;
use crate::transport::SendStream;

/// Writes changes as the messages of one answer.
pub(super) struct Wording<'a> {
    shared: &'a Shared,
    pub(super) listing: Listing<'a>,
    encoder: AnnounceEncoder,
    /// So many starts are still to come of those that were counted.
    pub(super) owed: usize,
    /// The paths of this process that the batch on its way tells of.
    pub(super) own: Vec<BroadcastPath>,
}

/// Begins the answer: with the size of the initial set where the draft says so, and with the head of a
/// list of so many `bytes` where it has one.
pub(super) fn begin<S: SendStream>(
    shared: &Shared,
    writer: &mut Writer<S>,
    count: usize,
    bytes: usize,
) -> Result<AnnounceEncoder, EncodeError> {
    let features = shared.version.features();
    if features.announce_ok {
        writer.message(&AnnounceOk {
            hop: convert::wire_hop(shared.hop),
            active: count as u64,
        })?;
    }
    let mut encoder = AnnounceEncoder::new(shared.version);
    if features.announce_init {
        encoder.begin_list(count, bytes, &mut writer.scratch)?;
    }
    Ok(encoder)
}

impl<'a> Wording<'a> {
    pub(super) fn new(shared: &'a Shared, listing: Listing<'a>) -> Self {
        Self {
            shared,
            listing,
            encoder: AnnounceEncoder::new(shared.version),
            owed: 0,
            own: Vec::new(),
        }
    }

    /// Begins the answer, of which `owed` starts are counted.
    pub(super) fn begin<S: SendStream>(
        &mut self,
        writer: &mut Writer<S>,
        (count, bytes): (usize, usize),
        owed: usize,
    ) -> Result<(), EncodeError> {
        self.encoder = begin(self.shared, writer, count, bytes)?;
        self.owed = owed;
        Ok(())
    }

    /// How many announcements the peer has that are live.
    pub(super) fn live(&self) -> usize {
        self.encoder.live()
    }

    /// The bytes of a suffix in the list that an answer begins with.
    pub(super) fn listed_len(&self, suffix: &Path) -> usize {
        self.encoder.listed_len(suffix)
    }

    /// What is told of the routes that cover the whole prefix.
    pub(super) fn covering(
        &mut self,
        routes: impl Iterator<Item = AnnouncedEvent>,
    ) -> Option<AnnounceEvent> {
        for event in routes {
            let path = own_path(&event).cloned();
            self.listing.apply(event);
            self.own.extend(path);
        }
        let event = self.listing.covered();
        if event.is_none() {
            self.own.clear();
        }
        event
    }

    /// Tells a change.
    pub(super) fn tell<S: SendStream>(&mut self, change: AnnouncedEvent, writer: &mut Writer<S>) {
        let own = own_path(&change).cloned();
        let suffix = match &change {
            AnnouncedEvent::Start(path, _) if self.owed > 0 => self.listing.suffix(path),
            _ => None,
        };
        let events = self.listing.apply(change);
        let is_told = match suffix {
            Some(suffix) => {
                // One text is held for both.
                let suffix = events
                    .first()
                    .map_or(suffix, |event| event.suffix().clone());
                self.start_one(&suffix, events.first(), writer)
            }
            None => {
                let mut is_told = false;
                for event in &events {
                    is_told = self.put(event, writer);
                }
                is_told
            }
        };
        self.own.extend(own.filter(|_| is_told));
    }

    /// Tells the start of one path of the initial set. Where it was counted, it is told in any case: without
    /// a route that can be told, as the last resort. Says whether the peer has the route.
    pub(super) fn start_one<S: SendStream>(
        &mut self,
        suffix: &Path,
        event: Option<&AnnounceEvent>,
        writer: &mut Writer<S>,
    ) -> bool {
        let is_owed = self.owed > 0;
        self.owed = self.owed.saturating_sub(1);
        if is_owed && self.shared.version.features().announce_init {
            return self.encoder.list(suffix, &mut writer.scratch).is_ok();
        }
        if event.is_some_and(|event| self.put(event, writer)) {
            return true;
        }
        if is_owed {
            let (suffix, route) = (suffix.clone(), self.listing.route(Route::LAST_RESORT));
            let start = route.map(|route| AnnounceEvent::Start { suffix, route });
            if let Some(start) = start {
                self.put(&start, writer);
            }
        }
        false
    }

    /// Tells a change, and says whether the peer has it then. A route that takes the place of one which was
    /// withheld is a new one to the peer.
    fn put<S: SendStream>(&mut self, event: &AnnounceEvent, writer: &mut Writer<S>) -> bool {
        let encoder = &mut self.encoder;
        let result = match encoder.encode(event, &mut writer.scratch) {
            Err(EncodeError::NotAnnounced) => match event {
                AnnounceEvent::Update { suffix, route } => {
                    let (suffix, route) = (suffix.clone(), route.clone());
                    encoder.encode(&AnnounceEvent::Start { suffix, route }, &mut writer.scratch)
                }
                _ => Ok(()),
            },
            result => result,
        };
        match result {
            // The peer keeps what it was told before.
            Ok(()) | Err(EncodeError::AlreadyAnnounced | EncodeError::NotInVersion) => true,
            Err(error) => {
                tracing::debug!(%error, ?event, "announcement withheld");
                false
            }
        }
    }
}

/// A broadcast of this process that an event tells of: its publisher may wait for that.
fn own_path(event: &AnnouncedEvent) -> Option<&BroadcastPath> {
    match event {
        AnnouncedEvent::Start(path, route) | AnnouncedEvent::Update(path, route)
            if route.hops.is_empty() =>
        {
            Some(path)
        }
        _ => None,
    }
}
