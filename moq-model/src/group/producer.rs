//! The writing side of a group.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::clock;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::track::{GroupId, TrackShared};

/// Writes a group. Dropping it without [`Self::finish`] aborts the group.
#[derive(Debug)]
pub struct GroupProducer {
    track: Arc<TrackShared>,
    group: GroupId,
    sequence: u64,
    /// Bytes of the next frame that are charged already.
    arrived: u64,
    is_ended: bool,
}

impl GroupProducer {
    pub(crate) fn new(track: Arc<TrackShared>, group: GroupId, sequence: u64) -> Self {
        Self {
            track,
            group,
            sequence,
            arrived: 0,
            is_ended: false,
        }
    }

    /// Makes it a group of one frame.
    pub(crate) fn complete(mut self, timestamp: u64, payload: Bytes) -> Result<(), WriteError> {
        self.append_at(timestamp, payload)?;
        self.finish();
        Ok(())
    }

    /// The group's place in its track.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Charges the budget for `bytes` of the next frame that have arrived, so that frames count
    /// before they are whole.
    ///
    /// # Errors
    /// As [`Self::append_at`]; what has arrived is of no use then.
    pub fn arrive(&mut self, bytes: u64) -> Result<(), WriteError> {
        self.track.arrive(self.group, bytes)?;
        self.arrived += bytes;
        Ok(())
    }

    /// Appends a frame stamped with the time, in the track's timescale.
    ///
    /// # Errors
    /// As [`Self::append_at`].
    ///
    /// Draft: FRAME.
    pub fn append(&mut self, payload: impl Into<Bytes>) -> Result<(), WriteError> {
        let timestamp = self.track.timescale().from_duration(clock::unix());
        self.append_at(timestamp, payload)
    }

    /// Appends a frame with a timestamp in units of the track's timescale.
    ///
    /// # Errors
    /// [`WriteError::GroupTooLarge`] above 32 MiB or 8 192 frames, [`WriteError::Dropped`] when the
    /// group has become too old meanwhile or the budget has no room for the frame. The group is
    /// dropped for its readers then.
    ///
    /// Draft: FRAME.
    pub fn append_at(
        &mut self,
        timestamp: u64,
        payload: impl Into<Bytes>,
    ) -> Result<(), WriteError> {
        let frame = Frame {
            timestamp,
            payload: payload.into(),
        };
        let arrived = std::mem::take(&mut self.arrived);
        self.track.append(self.group, frame, arrived)
    }

    /// Ends the group well.
    pub fn finish(mut self) {
        self.close(GroupEnd::Finished);
    }

    /// Gives the group up; the frames so far stay valid.
    pub fn abort(mut self, reason: Abort) {
        self.close(GroupEnd::Aborted(reason));
    }

    /// Waits until the group takes no more frames, because it was dropped. One task may wait at a
    /// time.
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Poll form of [`Self::closed`].
    pub fn poll_closed(&self, cx: &Context<'_>) -> Poll<()> {
        let is_closed = self
            .track
            .read(|state, fx| state.is_group_closed(self.group, cx.waker(), fx));
        if is_closed {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Waits until nobody reads the group, which is given up then, or it has ended.
    pub(crate) fn unused(&self) -> impl Future<Output = ()> + use<> {
        let (track, group) = (self.track.clone(), self.group);
        poll_fn(move |cx| {
            let is_over = track.change(|state, fx| state.end_group_unused(group, cx.waker(), fx));
            if is_over {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }

    fn close(&mut self, end: GroupEnd) {
        if !self.is_ended {
            self.is_ended = true;
            self.track.end_group(self.group, end);
        }
    }
}

impl Drop for GroupProducer {
    fn drop(&mut self) {
        self.close(GroupEnd::Aborted(Abort::Internal));
    }
}
