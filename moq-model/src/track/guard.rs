//! What ends a track that nobody writes any more.

use std::sync::Arc;

use super::shared::TrackShared;
use super::state::TrackEnd;
use crate::broadcast::BroadcastShared;
use crate::error::Abort;

/// Ends the track when its last producer is dropped, and takes it out of a broadcast that made it
/// on demand.
#[derive(Debug)]
pub(super) struct ProducerGuard {
    pub(super) track: Arc<TrackShared>,
    /// Stays, for as long as the track is fed, for those who ask for it later.
    pub(super) on_demand: Option<Arc<BroadcastShared>>,
}

impl Drop for ProducerGuard {
    fn drop(&mut self) {
        self.track.end(TrackEnd::Aborted(Abort::Internal));
        if let Some(broadcast) = &self.on_demand {
            broadcast.forget(&self.track);
        }
    }
}
