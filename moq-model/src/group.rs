//! Append-only runs of frames.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use slab::Slab;

use crate::clock;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::state::{Waiter, lock};
use crate::track::{ReaderId, TrackShared};

/// Payload bytes a group may have.
pub(crate) const MAX_BYTES: u64 = 32 << 20;
/// Frames a group may have.
pub(crate) const MAX_FRAMES: usize = 8_192;

/// One group, shared by its producer, its track and its readers.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) sequence: u64,
    state: Mutex<GroupState>,
}

#[derive(Debug, Default)]
struct GroupState {
    /// Empty once the group was dropped.
    frames: Vec<Frame>,
    /// How many frames were ever appended.
    appended: usize,
    bytes: u64,
    /// How the producer ended it.
    end: Option<GroupEnd>,
    /// Why its frames are gone.
    dropped: Option<GroupEnd>,
    readers: Slab<Slot>,
}

/// A reader's place in a group.
#[derive(Debug, Default)]
struct Slot {
    waiter: Waiter,
    /// Not woken by further frames: it has not taken the last ones yet.
    is_blocked: bool,
    /// Set when the reader's own limit makes the group too old for it.
    cut: Option<GroupEnd>,
}

impl Group {
    pub(crate) fn new(sequence: u64) -> Arc<Self> {
        Arc::new(Self {
            sequence,
            state: Mutex::default(),
        })
    }

    /// Appends a frame; says whether it is the first.
    pub(crate) fn push(&self, frame: Frame) -> Result<bool, WriteError> {
        let mut state = lock(&self.state);
        if state.dropped.is_some() {
            return Err(WriteError::Dropped);
        }
        if state.end.is_some() {
            return Err(WriteError::Closed);
        }
        let bytes = state.bytes + frame.payload.len() as u64;
        if bytes > MAX_BYTES || state.appended >= MAX_FRAMES {
            return Err(WriteError::GroupTooLarge);
        }
        state.bytes = bytes;
        state.appended += 1;
        state.frames.push(frame);
        for (_, slot) in &mut state.readers {
            if !slot.is_blocked {
                slot.waiter.wake();
            }
        }
        Ok(state.appended == 1)
    }

    /// Ends the group unless it has ended; says whether it ended without a frame.
    pub(crate) fn end(&self, end: GroupEnd) -> bool {
        let mut state = lock(&self.state);
        if state.end.is_none() {
            state.end = Some(end);
            wake_all(&mut state);
        }
        state.appended == 0
    }

    /// Lets go of the frames: whoever has not read them gets `why` for an end.
    pub(crate) fn discard(&self, why: GroupEnd) {
        let mut state = lock(&self.state);
        state.dropped = Some(why);
        state.frames = Vec::new();
        wake_all(&mut state);
    }

    pub(crate) fn attach(&self) -> usize {
        lock(&self.state).readers.insert(Slot::default())
    }

    /// Ends the group for one reader only.
    pub(crate) fn cut(&self, slot: usize, why: GroupEnd) {
        if let Some(slot) = lock(&self.state).readers.get_mut(slot) {
            slot.cut = Some(why);
            slot.waiter.wake();
        }
    }
}

fn wake_all(state: &mut GroupState) {
    for (_, slot) in &mut state.readers {
        slot.waiter.wake();
    }
}

/// Writes a group. Dropping it without [`Self::finish`] aborts the group.
#[derive(Debug)]
pub struct GroupProducer {
    pub(crate) track: Arc<TrackShared>,
    pub(crate) group: Arc<Group>,
    pub(crate) is_ended: bool,
}

impl GroupProducer {
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
        self.track.append(
            &self.group,
            Frame {
                timestamp,
                payload: payload.into(),
            },
        )
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
            self.track.end_group(&self.group, end);
        }
    }
}

impl Drop for GroupProducer {
    fn drop(&mut self) {
        self.close(GroupEnd::Aborted(Abort::Internal));
    }
}

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

/// Reads a group from its first frame.
#[derive(Debug)]
pub struct GroupConsumer {
    pub(crate) track: Arc<TrackShared>,
    pub(crate) reader: ReaderId,
    pub(crate) group: Arc<Group>,
    pub(crate) slot: usize,
    pub(crate) next: usize,
}

impl GroupConsumer {
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
        if let Some(end) = self.ended(&state) {
            return Poll::Ready(Some(end));
        }
        let ready = state.frames.get(self.next..).unwrap_or_default();
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
        lock(&self.group.state).readers.try_remove(self.slot);
        self.track.close_group(self.reader, self.group.sequence);
    }
}
