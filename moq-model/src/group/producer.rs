//! The writing side of a group.

use std::sync::Arc;

use bytes::Bytes;

use super::{Group, Kind};
use crate::budget::Charge;
use crate::clock;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::track::TrackShared;

/// Writes a group. Dropping it without [`Self::finish`] aborts the group.
#[derive(Debug)]
pub struct GroupProducer {
    track: Arc<TrackShared>,
    group: Arc<Group>,
    is_ended: bool,
}

impl GroupProducer {
    pub(crate) fn new(track: Arc<TrackShared>, group: Arc<Group>) -> Self {
        Self {
            track,
            group,
            is_ended: false,
        }
    }

    /// Makes it a group of one frame.
    pub(crate) fn complete(mut self, timestamp: u64, payload: Bytes) -> Result<(), WriteError> {
        self.append_at(timestamp, payload)?;
        self.finish();
        Ok(())
    }

    pub(crate) fn group(&self) -> &Arc<Group> {
        &self.group
    }

    /// The group's place in its track.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.group.sequence
    }

    /// Appends a frame stamped with the time, in the track's timescale.
    ///
    /// # Errors
    /// As [`Self::append_at`].
    pub fn append(&mut self, payload: impl Into<Bytes>) -> Result<(), WriteError> {
        let timestamp = self.track.timescale().from_duration(clock::unix());
        self.append_at(timestamp, payload)
    }

    /// Appends a frame with a timestamp in units of the track's timescale.
    ///
    /// # Errors
    /// [`WriteError::GroupTooLarge`] above 32 MiB or 8 192 frames, [`WriteError::Dropped`] when the
    /// group has meanwhile become too old or was evicted.
    pub fn append_at(
        &mut self,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        let frame = Frame {
            timestamp,
            payload: payload.into(),
        };
        match &self.group.kind {
            Kind::Live | Kind::Datagram => self.track.append(&self.group, frame),
            Kind::Fetched(fetched) => self.append_fetched(&fetched.charge, frame),
        }
    }

    /// What was fetched gives way to what is live: it takes what the budget has left.
    fn append_fetched(&self, charge: &Charge, frame: Frame) -> Result<(), WriteError> {
        if charge.grow(frame.charge()) {
            return self.group.push(frame).map(|_| ());
        }
        self.group.discard(GroupEnd::Evicted);
        Err(WriteError::Dropped)
    }

    /// Ends the group well.
    pub fn finish(mut self) {
        self.close(GroupEnd::Finished);
    }

    /// Gives the group up; the frames so far stay valid.
    pub fn abort(mut self, reason: Abort) {
        self.close(GroupEnd::Aborted(reason));
    }

    fn close(&mut self, end: GroupEnd) {
        if !self.is_ended {
            self.is_ended = true;
            match &self.group.kind {
                Kind::Live | Kind::Datagram => self.track.end_group(&self.group, end),
                Kind::Fetched(_) => {
                    self.group.end(end);
                }
            }
        }
    }
}

impl Drop for GroupProducer {
    fn drop(&mut self) {
        self.close(GroupEnd::Aborted(Abort::Internal));
    }
}
