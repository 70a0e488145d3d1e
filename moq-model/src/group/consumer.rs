//! The reading side of a group.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::GroupEnd;
use crate::frame::Frame;
use crate::track::{Batch, Cursor, Frames, GroupId, ReaderId, Taken, TrackShared};

thread_local! {
    /// Room for frames on their way out of the lock, kept from one read to the next.
    static SPARE: Cell<Vec<Frame>> = const { Cell::new(Vec::new()) };
}

/// Lends room for frames, or takes it back. A thread that ends has none left.
fn exchange(room: &Cell<Vec<Frame>>) {
    let _ = SPARE.try_with(|spare| spare.swap(room));
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

/// Reads a group from its first frame, or the frames of it that were fetched.
#[derive(Debug)]
pub struct GroupConsumer {
    track: Arc<TrackShared>,
    /// Where the group was taken from; `None` for a group that was fetched.
    reader: Option<ReaderId>,
    group: GroupId,
    sequence: u64,
    is_datagram: bool,
    cursor: Cursor,
    /// How the group ends after the frames that were handed out, if that is known.
    end: Option<GroupEnd>,
}

impl GroupConsumer {
    /// All of a group that a subscription yields.
    pub(crate) fn taken(track: Arc<TrackShared>, reader: ReaderId, taken: Taken) -> Self {
        Self {
            track,
            reader: Some(reader),
            group: taken.group,
            sequence: taken.sequence,
            is_datagram: taken.is_datagram,
            cursor: Cursor {
                slot: taken.slot,
                next: 0,
                end: None,
                is_fetch: false,
            },
            end: None,
        }
    }

    /// The frames of a group that were asked for.
    pub(crate) fn fetched(
        track: Arc<TrackShared>,
        group: GroupId,
        sequence: u64,
        cursor: Cursor,
    ) -> Self {
        Self {
            track,
            reader: None,
            group,
            sequence,
            is_datagram: false,
            cursor,
            end: None,
        }
    }

    /// Whether the group consists of one frame that its producer wants sent as a datagram.
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        self.is_datagram
    }

    /// The group's place in its track.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The next frame, or how the group ended.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> GroupRead {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<GroupRead> {
        match self.read(cx, &mut Batch::one()) {
            Frames::Some(frame, _) => Poll::Ready(GroupRead::Frame(frame)),
            Frames::End(end) => Poll::Ready(GroupRead::End(end)),
            Frames::Pending => Poll::Pending,
        }
    }

    /// Hands all frames that are there, at most `max`, to `take`; ready with the end once there are
    /// no more, and with `None` after at least one frame.
    ///
    /// No lock is held while `take` runs.
    pub fn poll_frames(
        &mut self,
        cx: &Context<'_>,
        max: usize,
        mut take: impl FnMut(Frame),
    ) -> Poll<Option<GroupEnd>> {
        if let Some(end) = self.end {
            return Poll::Ready(Some(end));
        }
        let mut batch = Batch::new(max, exchange);
        let mut next = match self.read(cx, &mut batch) {
            Frames::Some(first, _) => Some(first),
            Frames::End(end) => return Poll::Ready(Some(end)),
            Frames::Pending => return Poll::Pending,
        };
        while let Some(frame) = next {
            take(frame);
            next = batch.further.get_mut().pop();
        }
        if batch.further.get_mut().capacity() > 0 {
            exchange(&batch.further);
        }
        Poll::Ready(None)
    }

    /// Takes frames out of the track.
    fn read(&mut self, cx: &Context<'_>, batch: &mut Batch) -> Frames {
        if let Some(end) = self.end {
            return Frames::End(end);
        }
        let (group, cursor) = (self.group, &mut self.cursor);
        let read = self
            .track
            .read(|state, fx| state.read_group(group, cursor, batch, cx.waker(), fx));
        if let Frames::Some(_, end) = &read {
            self.end = *end;
        }
        read
    }

    /// Waits for an end that comes before the frames are read; no further frame wakes the caller.
    ///
    /// For a reader that cannot take more at the moment.
    pub fn poll_cut(&mut self, cx: &Context<'_>) -> Poll<GroupEnd> {
        let (group, slot) = (self.group, self.cursor.slot);
        let end = self
            .track
            .read(|state, fx| state.read_cut(group, slot, cx.waker(), fx));
        end.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        let reader = self.reader.map(|reader| (reader, self.sequence));
        let (group, slot) = (self.group, self.cursor.slot);
        self.track.close_group(reader, group, slot);
    }
}
