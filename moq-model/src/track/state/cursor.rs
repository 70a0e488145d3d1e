//! Where a reader is in a group, and what it gets there.

use std::cell::Cell;

use crate::error::GroupEnd;
use crate::frame::Frame;

/// Where a reader is in a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    /// The reader's slot.
    pub(crate) slot: usize,
    /// The next frame, among those that the group holds.
    pub(crate) next: usize,
    /// The first frame that is not read any more.
    pub(crate) end: Option<usize>,
    /// It belongs to a fetch, for which no input waits.
    pub(crate) is_fetch: bool,
}

/// How many frames a reader takes, and where those after the first one go.
pub(crate) struct Batch {
    pub(crate) max: usize,
    /// The last one first.
    pub(crate) further: Cell<Vec<Frame>>,
    /// Lends the room for them, once there are any.
    pub(crate) lend: fn(&Cell<Vec<Frame>>),
}

impl Batch {
    /// Takes one frame.
    pub(crate) fn one() -> Self {
        Self::new(1, |_| {})
    }

    /// Takes up to `max` frames.
    pub(crate) fn new(max: usize, lend: fn(&Cell<Vec<Frame>>)) -> Self {
        Self {
            max,
            further: Cell::default(),
            lend,
        }
    }

    /// Takes frames after the first one; says how many.
    pub(super) fn take(&mut self, frames: &[Frame]) -> usize {
        let taken = &frames[..frames.len().min(self.max.saturating_sub(1))];
        if !taken.is_empty() {
            (self.lend)(&self.further);
            let further = self.further.get_mut();
            further.extend(taken.iter().rev().cloned());
        }
        taken.len()
    }
}

/// What a group has for a reader.
#[derive(Debug)]
pub(crate) enum Frames {
    /// At least one. With the last ones comes how the group ended, if it has.
    Some(Frame, Option<GroupEnd>),
    /// There are no more.
    End(GroupEnd),
    /// There are none yet.
    Pending,
}
