//! The writing side of a track.

use std::sync::Arc;

use bytes::Bytes;

use super::consumer::TrackConsumer;
use super::demand::DemandWatch;
use super::ready::Ready;
use super::shared::{ProducerGuard, TrackShared};
use super::state::TrackEnd;
use super::subscription::TrackInfo;
use crate::broadcast::BroadcastShared;
use crate::error::{Abort, WriteError};
use crate::group::{GroupProducer, Kind};
use crate::ranges::GroupRange;

/// Writes a track. Clones write the same track; when the last one is dropped without
/// [`Self::finish`], the track is aborted.
#[derive(Debug, Clone)]
pub struct TrackProducer {
    guard: Arc<ProducerGuard>,
}

impl TrackProducer {
    pub(crate) fn new(track: Arc<TrackShared>, on_demand: Option<Arc<BroadcastShared>>) -> Self {
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
        TrackConsumer::new(self.track().clone())
    }

    /// Settles the properties of a track that was asked for; later calls change nothing.
    pub fn accept(&self, info: TrackInfo) {
        self.track().accept(info);
    }

    /// Begins the next group.
    ///
    /// # Errors
    /// [`WriteError::Closed`] once the track has ended.
    pub fn append(&self) -> Result<GroupProducer, WriteError> {
        self.begin(None, Kind::Live)
    }

    /// Writes the next group: one frame with a timestamp in units of the track's timescale, which a
    /// session sends as one datagram.
    ///
    /// Delivery is best effort: the frame is lost on a peer whose connection carries no datagrams
    /// of its size, and nothing is sent again.
    ///
    /// # Errors
    /// [`WriteError::Closed`] once the track has ended, [`WriteError::GroupTooLarge`] above 32 MiB.
    ///
    /// Draft: Datagrams.
    pub fn append_datagram(
        &self,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        let group = self.begin(None, Kind::Datagram)?;
        group.complete(timestamp, payload.into())
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
        let group = self.begin(Some(sequence), Kind::Datagram)?;
        group.complete(timestamp, payload.into())
    }

    /// Begins the group `sequence`, in any order.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] if it was begun before, [`WriteError::Closed`] once the track has
    /// ended.
    pub fn create(&self, sequence: u64) -> Result<GroupProducer, WriteError> {
        self.begin(Some(sequence), Kind::Live)
    }

    fn begin(&self, sequence: Option<u64>, kind: Kind) -> Result<GroupProducer, WriteError> {
        let track = self.track().clone();
        let group = track.lock().begin_group(sequence, kind)?;
        Ok(GroupProducer::new(track, group))
    }

    /// Tells where a track begins that was asked for on demand; reading waits for that.
    pub fn set_start(&self, sequence: u64) {
        let mut state = self.track().lock();
        state.start = Some(state.start.map_or(sequence, |start| start.min(sequence)));
        state.wake_readers();
    }

    /// Tells the sequence after the last group that there was to be, of a track that was asked for
    /// on demand.
    pub fn set_end(&self, sequence: u64) {
        self.track().lock().told_end = Some(sequence);
    }

    /// Tells readers in order not to wait for these groups; up to `u64::MAX` means all further ones.
    pub fn lose(&self, groups: GroupRange) {
        self.track().lock().lose(groups);
    }

    /// The sequence that [`Self::append`] would use next.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.track().lock().next_sequence()
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
    /// Cancel safe.
    pub async fn ready(&self) {
        self.ready_for(u64::MAX).await;
    }

    /// As [`Self::ready`], for writing the group `sequence`: what lies before a reader's oldest
    /// group never waits.
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
        self.demand().wait_for(|demand| demand.is_some()).await;
    }

    /// Waits until nobody reads.
    ///
    /// Cancel safe.
    pub async fn unused(&self) {
        self.demand().wait_for(|demand| demand.is_none()).await;
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
