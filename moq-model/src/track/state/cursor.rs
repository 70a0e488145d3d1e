//! Where a reader is in a group, and what it gets there.

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
}

/// Where frames go that are handed out.
#[derive(Debug)]
pub(crate) struct Out<'a> {
    pub(crate) first: &'a mut Option<Frame>,
    pub(crate) further: &'a mut Vec<Frame>,
}

/// What a group has for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// At least one was handed out. With the last ones comes how the group ended, if it has.
    Some(Option<GroupEnd>),
    /// There are no more.
    End(GroupEnd),
    /// There are none yet.
    Pending,
}
