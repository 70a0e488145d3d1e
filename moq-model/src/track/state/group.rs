//! One group: its frames, what became of it, and who reads it.

use super::cursor::{Batch, Cursor, Frames};
use super::effects::{Effects, Notify};
use super::phase::{Kind, MAX_BYTES, MAX_FRAMES, Phase};
use super::slots::Slots;
use crate::clock::Instant;
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;

#[derive(Debug)]
pub(super) struct Group<W> {
    sequence: u64,
    /// Tells it from others that had its key before.
    serial: u64,
    kind: Kind,
    begun: Instant,
    phase: Phase,
    /// Empty once the group is gone.
    frames: Vec<Frame>,
    /// How many frames were ever appended.
    appended: usize,
    /// Payload bytes of the frames.
    payload: u64,
    /// Bytes of a frame that is still arriving.
    arriving: u64,
    /// What it is charged for, in bytes, those of the arriving frame included.
    charged: u64,
    readers: Slots<W>,
    /// The producing side, where it waits for the group's end or for the last reader to go.
    producer: Option<W>,
}

impl<W: Notify> Group<W> {
    pub(super) fn new(
        (sequence, serial): (u64, u64),
        kind: Kind,
        begun: Instant,
        charged: u64,
    ) -> Self {
        Self {
            sequence,
            serial,
            kind,
            begun,
            phase: Phase::Announced,
            frames: Vec::new(),
            appended: 0,
            payload: 0,
            arriving: 0,
            charged,
            readers: Slots::new(),
            producer: None,
        }
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn charged(&self) -> u64 {
        self.charged
    }

    /// How many frames were ever appended.
    pub(super) fn appended(&self) -> usize {
        self.appended
    }

    pub(super) fn frame(&self, index: usize) -> Option<&Frame> {
        self.frames.get(index)
    }

    /// Whether nothing is held of it, and nobody reads it.
    pub(super) fn is_void(&self) -> bool {
        self.phase.is_gone() && self.readers.is_empty()
    }

    /// Charges bytes of a frame that is still arriving.
    ///
    /// # Errors
    /// [`WriteError`] if the group takes no frames any more, or not so many bytes.
    pub(super) fn arrive(&mut self, bytes: u64) -> Result<(), WriteError> {
        self.check_writable()?;
        if self.payload + self.arriving + bytes > MAX_BYTES {
            return Err(WriteError::GroupTooLarge);
        }
        self.arriving += bytes;
        self.charged += bytes;
        Ok(())
    }

    /// Appends a frame, of which the arriving bytes were charged before; says by how much the
    /// charge grew, or shrank where more bytes came than the frame has.
    ///
    /// # Errors
    /// [`WriteError`] if the group takes no frames any more, or not this one.
    pub(super) fn push(&mut self, frame: Frame, fx: &mut Effects<W>) -> Result<i64, WriteError> {
        if let Err(error) = self.check_room(&frame) {
            fx.drop_frames(vec![frame]);
            return Err(error);
        }
        self.payload += frame.payload.len() as u64;
        let arrived = std::mem::take(&mut self.arriving);
        let grown = frame.charge() as i64 - arrived as i64;
        self.charged = self.charged.saturating_add_signed(grown);
        // Many groups have one frame.
        if self.frames.is_empty() {
            self.frames.reserve_exact(1);
        }
        self.frames.push(frame);
        self.appended += 1;
        self.phase = Phase::Open;
        self.readers.wake_for_frame(fx);
        Ok(grown)
    }

    /// Whether it takes this frame.
    fn check_room(&self, frame: &Frame) -> Result<(), WriteError> {
        self.check_writable()?;
        let payload = self.payload + frame.payload.len() as u64;
        if payload > MAX_BYTES || self.frames.len() >= MAX_FRAMES {
            return Err(WriteError::GroupTooLarge);
        }
        Ok(())
    }

    /// Whether it takes further frames.
    ///
    /// # Errors
    /// [`WriteError`] if it does not.
    pub(super) fn check_writable(&self) -> Result<(), WriteError> {
        match self.phase {
            Phase::Announced | Phase::Open => Ok(()),
            Phase::Ended(_) => Err(WriteError::Closed),
            Phase::Gone { .. } => Err(WriteError::Dropped),
        }
    }

    /// Ends the group, unless it has ended; says whether it did, and what the charge shrank by.
    pub(super) fn finish(&mut self, end: GroupEnd, fx: &mut Effects<W>) -> Option<u64> {
        match &mut self.phase {
            Phase::Announced | Phase::Open => self.phase = Phase::Ended(end),
            Phase::Ended(_) => return None,
            Phase::Gone { ended, .. } => {
                ended.get_or_insert(end);
                return None;
            }
        }
        let unused = self.forget_arriving();
        self.wake_all(fx);
        Some(unused)
    }

    /// Takes back the charge of a frame that was still arriving; says how much that is.
    pub(super) fn forget_arriving(&mut self) -> u64 {
        let unused = std::mem::take(&mut self.arriving);
        self.charged -= unused;
        unused
    }

    /// Lets go of the frames; returns what was charged for the group.
    pub(super) fn discard(&mut self, cause: Abort, fx: &mut Effects<W>) -> u64 {
        let ended = match self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Announced | Phase::Open => None,
            Phase::Gone { .. } => return 0,
        };
        self.phase = Phase::Gone { cause, ended };
        fx.drop_frames(std::mem::take(&mut self.frames));
        self.arriving = 0;
        self.wake_all(fx);
        std::mem::take(&mut self.charged)
    }

    fn wake_all(&mut self, fx: &mut Effects<W>) {
        self.readers.wake_all(fx);
        fx.wake(&mut self.producer);
    }

    pub(super) fn attach(&mut self) -> usize {
        self.readers.attach()
    }

    /// Gives a reader's place up; the producing side learns of the last one.
    pub(super) fn detach(&mut self, slot: usize, fx: &mut Effects<W>) {
        self.readers.detach(slot, fx);
        if self.readers.is_empty() {
            fx.wake(&mut self.producer);
        }
    }

    pub(super) fn is_read(&self) -> bool {
        !self.readers.is_empty()
    }

    /// Hands out the frames that are there, as many as `batch` takes.
    #[inline]
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor,
        batch: &mut Batch,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Frames {
        if let Some(end) = self.end_for(cursor) {
            return Frames::End(end);
        }
        let ready = self.frames.get(cursor.next..).unwrap_or_default();
        let Some((first, others)) = ready.split_first() else {
            self.readers.wait(cursor.slot, false, waiter, fx);
            return Frames::Pending;
        };
        cursor.next += 1;
        if !others.is_empty() && batch.max > 1 {
            let wanted = cursor.end.map_or(usize::MAX, |end| end - cursor.next);
            cursor.next += batch.take(&others[..others.len().min(wanted)]);
        }
        let first = first.clone();
        Frames::Some(first, self.end_for(cursor))
    }

    /// How the group ends for a reader that is at `cursor`, if it does.
    fn end_for(&self, cursor: &Cursor) -> Option<GroupEnd> {
        if cursor.end.is_some_and(|end| cursor.next >= end) {
            return Some(GroupEnd::Finished);
        }
        // A reader that has begun goes on as long as it is not held up: the group's successor may
        // have begun first.
        let cut = self.readers.cut_of(cursor.slot);
        if cursor.next == 0
            && let Some(cause) = cut
        {
            return Some(GroupEnd::Aborted(cause));
        }
        match self.phase {
            Phase::Ended(end) if cursor.next >= self.frames.len() => Some(end),
            Phase::Gone { cause, ended } => {
                let ended = ended.filter(|_| cursor.next >= self.appended);
                Some(ended.unwrap_or(GroupEnd::Aborted(cause)))
            }
            _ => None,
        }
    }

    /// An end that comes before the frames are read; no further frame wakes the reader.
    pub(super) fn read_cut(
        &mut self,
        slot: usize,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Option<GroupEnd> {
        let cut = self.readers.cut_of(slot);
        if cut.is_some() {
            return cut.map(GroupEnd::Aborted);
        }
        if let Phase::Gone { cause, .. } = self.phase {
            return Some(GroupEnd::Aborted(cause));
        }
        self.readers.wait(slot, true, waiter, fx);
        None
    }

    /// Ends the group for one reader only, unless it is gone for all.
    pub(super) fn cut(&mut self, slot: usize, cause: Abort, fx: &mut Effects<W>) {
        if !matches!(self.phase, Phase::Gone { .. }) {
            self.readers.cut(slot, cause, fx);
        }
    }

    /// Has a reader wait for the next frame or the end.
    pub(super) fn wait(&mut self, slot: usize, waiter: &W, fx: &mut Effects<W>) {
        self.readers.wait(slot, false, waiter, fx);
    }

    /// Has the producing side wait for the group's end, or for the last reader to go.
    pub(super) fn wait_as_producer(&mut self, waiter: &W, fx: &mut Effects<W>) {
        fx.wait(&mut self.producer, waiter);
    }
}
