//! The reading side of a group.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Group, GroupState, Kind};
use crate::error::{Abort, GroupEnd};
use crate::frame::Frame;
use crate::state::lock;
use crate::track::{Fetch, ReaderId, TrackShared};

/// What a group yields next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete by nature: a group yields frames, then its end"
)]
pub enum GroupRead {
    /// The next frame in order.
    Frame(Frame),
    /// How the group ended; it yields nothing else from here on.
    End(GroupEnd),
}

/// Reads a group from its first frame, or the frames of it that were fetched.
#[derive(Debug)]
pub struct GroupConsumer {
    track: Arc<TrackShared>,
    /// Where the group was taken from; `None` for a group that was fetched.
    reader: Option<ReaderId>,
    group: Arc<Group>,
    slot: usize,
    /// The next frame, among those that the group holds.
    next: usize,
    /// The first frame that is not read any more.
    until: Option<usize>,
}

impl GroupConsumer {
    /// All of a group that a subscription yields.
    pub(crate) fn live(
        track: Arc<TrackShared>,
        reader: ReaderId,
        group: Arc<Group>,
        slot: usize,
    ) -> Self {
        Self {
            track,
            reader: Some(reader),
            group,
            slot,
            next: 0,
            until: None,
        }
    }

    /// The frames of a group that were asked for.
    pub(crate) fn fetched(
        track: Arc<TrackShared>,
        group: Arc<Group>,
        slot: usize,
        frames: &Fetch,
    ) -> Self {
        let first = group.first();
        let held = |frame: u64| usize::try_from(frame.saturating_sub(first)).unwrap_or(usize::MAX);
        Self {
            next: held(frames.frame_start),
            until: frames.frame_end.map(held),
            track,
            reader: None,
            group,
            slot,
        }
    }

    /// Whether the group consists of one frame that its producer wants sent as a datagram.
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        matches!(self.group.kind, Kind::Datagram)
    }

    /// The group's place in its track.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.group.sequence
    }

    /// The next frame, or how the group ended.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> GroupRead {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<GroupRead> {
        let mut one = None;
        match self.poll_frames(cx, 1, |frame| one = Some(frame)) {
            Poll::Ready(Some(end)) => Poll::Ready(GroupRead::End(end)),
            Poll::Ready(None) => Poll::Ready(one.map_or(
                GroupRead::End(GroupEnd::Aborted(Abort::Internal)),
                GroupRead::Frame,
            )),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Hands all frames that are there, at most `max`, to `take`; ready with the end once there are
    /// no more, and with `None` after at least one frame.
    pub fn poll_frames(
        &mut self,
        cx: &Context<'_>,
        max: usize,
        mut take: impl FnMut(Frame),
    ) -> Poll<Option<GroupEnd>> {
        let mut bytes = 0;
        let mut state = lock(&self.group.state);
        if cfg!(sim_mutant = "drop_last_frame") && state.end.is_some() && self.next > 0 {
            return Poll::Ready(state.end);
        }
        if let Some(end) = self.ended(&state) {
            return Poll::Ready(Some(end));
        }
        let ready = state.frames.get(self.next..).unwrap_or_default();
        let max = self.until.map_or(max, |until| max.min(until - self.next));
        for frame in ready.iter().take(max) {
            bytes += frame.payload.len() as u64;
            self.next += 1;
            take(frame.clone());
        }
        if ready.is_empty() {
            if let Some(slot) = state.readers.get_mut(self.slot) {
                slot.is_blocked = false;
                slot.waiter.register(cx);
            }
            return Poll::Pending;
        }
        drop(state);
        self.track.note_progress(bytes);
        Poll::Ready(None)
    }

    /// Waits for an end that comes before the frames are read; no further frame wakes the caller.
    ///
    /// For a reader that cannot take more at the moment.
    pub fn poll_cut(&mut self, cx: &Context<'_>) -> Poll<GroupEnd> {
        let mut state = lock(&self.group.state);
        let slot = state.readers.get(self.slot).and_then(|slot| slot.cut);
        if let Some(end) = slot.or(state.dropped) {
            return Poll::Ready(end);
        }
        if let Some(slot) = state.readers.get_mut(self.slot) {
            slot.is_blocked = true;
            slot.waiter.register(cx);
        }
        Poll::Pending
    }

    fn ended(&self, state: &GroupState) -> Option<GroupEnd> {
        if self.until.is_some_and(|until| self.next >= until) {
            return Some(GroupEnd::Finished);
        }
        // What has begun goes on as long as it is not held up: its successor may have begun first.
        let cut = state.readers.get(self.slot).and_then(|slot| slot.cut);
        if self.next == 0 && cut.is_some() {
            return cut;
        }
        if self.next < state.appended {
            return state.dropped;
        }
        state.end.or(state.dropped)
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        let mut state = lock(&self.group.state);
        state.readers.try_remove(self.slot);
        if state.readers.is_empty() {
            state.producer.wake();
        }
        drop(state);
        if let Some(reader) = self.reader {
            self.track.close_group(reader, self.group.sequence);
        }
    }
}
