//! The writing side of a track.

use std::sync::Arc;

use bytes::Bytes;

use super::consumer::TrackConsumer;
use super::demand::DemandWatch;
use super::guard::ProducerGuard;
use super::ready::Ready;
use super::shared::{State, TrackShared};
use super::state::{Kind, TrackEnd};
use crate::error::{Abort, WriteError};
use crate::group::GroupProducer;

/// Writes a track. Clones write the same track; when the last one is dropped without
/// [`Self::finish`], the track is aborted.
#[derive(Debug, Clone)]
pub struct TrackProducer {
    guard: Arc<ProducerGuard>,
}

impl TrackProducer {
    pub(crate) fn new(track: Arc<TrackShared>) -> Self {
        let on_demand = None;
        Self {
            guard: Arc::new(ProducerGuard { track, on_demand }),
        }
    }

    fn track(&self) -> &Arc<TrackShared> {
        &self.guard.track
    }

    /// The track's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.track().name
    }

    /// A handle for readers.
    #[must_use]
    pub fn consume(&self) -> TrackConsumer {
        TrackConsumer::new(self.track().clone(), None)
    }

    /// Begins the next group.
    ///
    /// # Errors
    /// [`WriteError::Closed`] once the track has ended, [`WriteError::Dropped`] if the budget has
    /// no room for a further group.
    ///
    /// Draft: GROUP.
    pub fn append(&self) -> Result<GroupProducer, WriteError> {
        begin(self.track(), None, Kind::Live)
    }

    /// Begins the group `sequence`, in any order.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] if it was begun before, else as [`Self::append`].
    pub fn create(&self, sequence: u64) -> Result<GroupProducer, WriteError> {
        begin(self.track(), Some(sequence), Kind::Live)
    }

    /// Writes the next group: one frame with a timestamp in units of the track's timescale, which a
    /// session sends as one datagram.
    ///
    /// Delivery is best effort: the frame is lost on a peer whose connection carries no datagrams
    /// of its size, and nothing is sent again.
    ///
    /// # Errors
    /// [`WriteError::GroupTooLarge`] above 32 MiB, else as [`Self::append`].
    ///
    /// Draft: Datagrams.
    pub fn append_datagram(
        &self,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        begin(self.track(), None, Kind::Datagram)?.complete(timestamp, payload.into())
    }

    /// As [`Self::append_datagram`], for the group `sequence`.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] if it was begun before, else as [`Self::append_datagram`].
    pub fn create_datagram(
        &self,
        sequence: u64,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        begin(self.track(), Some(sequence), Kind::Datagram)?.complete(timestamp, payload.into())
    }

    /// The sequence that [`Self::append`] would use next.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.track().look(State::next_sequence)
    }

    /// Ends the track well: no further group will begin, those that have begun may go on.
    pub fn finish(self) {
        self.track().end(TrackEnd::Finished);
    }

    /// Gives the track up.
    pub fn abort(self, reason: Abort) {
        self.track().end(TrackEnd::Aborted(reason));
    }

    /// Waits until the next group may be written: as long as even the fastest reader is 16 MiB
    /// behind, nobody could take more.
    ///
    /// Two seconds without any progress end the wait; the oldest groups are skipped then.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if it has to wait.
    ///
    /// Cancel safe.
    pub fn ready(&self) -> Ready {
        self.ready_for(u64::MAX)
    }

    /// As [`Self::ready`], for writing the group `sequence`: input before a reader's oldest group
    /// never waits.
    ///
    /// # Panics
    /// As [`Self::ready`].
    ///
    /// Cancel safe.
    pub fn ready_for(&self, sequence: u64) -> Ready {
        Ready::new(self.track().clone(), sequence)
    }

    /// What all readers together want, as it changes.
    #[must_use]
    pub fn demand(&self) -> DemandWatch {
        DemandWatch::new(self.track().clone())
    }

    /// Waits until somebody reads, for as long as the track has not ended.
    ///
    /// Cancel safe.
    pub async fn used(&self) {
        let _ = self.demand().wait_for(|demand| demand.is_some()).await;
    }

    /// Waits until nobody reads, for as long as the track has not ended.
    ///
    /// Cancel safe.
    pub async fn unused(&self) {
        let _ = self.demand().wait_for(|demand| demand.is_none()).await;
    }

    /// Waits until the track has ended: by [`Self::finish`], by [`Self::abort`], on any clone.
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        self.demand().closed().await;
    }

    /// Whether the track has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.track().is_ended()
    }
}

/// Begins a group of a track.
pub(super) fn begin(
    track: &Arc<TrackShared>,
    sequence: Option<u64>,
    kind: Kind,
) -> Result<GroupProducer, WriteError> {
    let (group, sequence) = track.begin_group(sequence, kind)?;
    Ok(GroupProducer::new(track.clone(), group, sequence))
}
