//! The side of a track that feeds it from a peer.

use std::sync::Arc;

use bytes::Bytes;

use super::demand::DemandWatch;
use super::guard::ProducerGuard;
use super::info::TrackInfo;
use super::producer::begin;
use super::ready::Ready;
use super::shared::TrackShared;
use super::state::{Kind, TrackEnd};
use crate::broadcast::BroadcastShared;
use crate::clock;
use crate::error::{Abort, WriteError};
use crate::group::GroupProducer;
use crate::ranges::GroupRange;

/// Feeds a track that was asked for on demand with what a peer tells and sends. Clones feed the
/// same track; when the last one is dropped without [`Self::finish`], the track is aborted.
#[derive(Debug, Clone)]
pub struct TrackFeed {
    guard: Arc<ProducerGuard>,
}

impl TrackFeed {
    pub(crate) fn new(track: Arc<TrackShared>, broadcast: Arc<BroadcastShared>) -> Self {
        let on_demand = Some(broadcast);
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

    /// Settles the properties; later calls change nothing. Draft: TRACK_INFO.
    pub fn accept(&self, info: TrackInfo) {
        self.track().accept(info);
    }

    /// Begins the group `sequence`, in any order.
    ///
    /// # Errors
    /// [`WriteError::Duplicate`] if it was begun before, [`WriteError::Closed`] once the track has
    /// ended, [`WriteError::Dropped`] if the budget has no room for a further group.
    ///
    /// Draft: GROUP.
    pub fn create(&self, sequence: u64) -> Result<GroupProducer, WriteError> {
        begin(self.track(), Some(sequence), Kind::Live)
    }

    /// Writes the group `sequence`: one frame that came as a datagram, with a timestamp in units of
    /// the track's timescale.
    ///
    /// # Errors
    /// [`WriteError::GroupTooLarge`] above 32 MiB, else as [`Self::create`].
    ///
    /// Draft: Datagrams.
    pub fn create_datagram(
        &self,
        sequence: u64,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        begin(self.track(), Some(sequence), Kind::Datagram)?.complete(timestamp, payload.into())
    }

    /// Tells the first group that the track will have; reading waits for that.
    ///
    /// Draft: SUBSCRIBE_START.
    pub fn set_start(&self, first: u64) {
        self.track().change(|state, fx| state.set_start(first, fx));
    }

    /// Tells the sequence after the last group that there was to be.
    ///
    /// Draft: SUBSCRIBE_END.
    pub fn set_end(&self, end: u64) {
        self.track().change(|state, _| state.set_told_end(end));
    }

    /// Tells readers why groups are not going to come; up to `u64::MAX` means all further ones.
    ///
    /// Draft: SUBSCRIBE_DROP.
    pub fn drop_groups(&self, groups: GroupRange, cause: Abort) {
        self.track()
            .change(|state, fx| state.drop_groups(groups, cause, fx));
    }

    /// Ends the track well: no further group will begin, those that have begun may go on.
    pub fn finish(self) {
        self.track().end(TrackEnd::Finished);
    }

    /// Gives the track up.
    pub fn abort(self, reason: Abort) {
        self.track().end(TrackEnd::Aborted(reason));
    }

    /// Gives the track up if nobody reads it; says whether it has ended.
    ///
    /// Both are decided at once, so no reader can begin in between: one that comes later asks for the
    /// track anew.
    #[must_use]
    pub fn end_unused(&self) -> bool {
        let now = clock::now();
        let has_ended = self.track().change(|state, fx| state.end_unused(now, fx));
        self.track().plan_release();
        has_ended
    }

    /// Waits until the group `sequence` may be written: as long as even the fastest reader is 16 MiB
    /// behind, nobody could take more. Input before a reader's oldest group never waits.
    ///
    /// Two seconds without any progress end the wait; the oldest groups are skipped then.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if it has to wait.
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

    /// Waits until somebody reads or waits for the properties, for as long as the track has not ended.
    ///
    /// Cancel safe.
    pub async fn wanted(&self) {
        self.demand().wanted().await;
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

impl TrackShared {
    /// Ends the track, and the groups that have begun with it.
    pub(crate) fn lose(&self, reason: Abort) {
        let now = clock::now();
        self.change(|state, fx| state.lose_track(reason, now, fx));
        self.plan_release();
    }
}
