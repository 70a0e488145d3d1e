//! Which frames of a group a subscription wants.

use std::ops::Range;

use moq_wire::{GroupSequence, GroupStart};

/// Bounds within the first and the last group of a subscription; groups between are wanted whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameBounds {
    /// The group that the start names, and its first frame wanted.
    first: Option<(u64, u64)>,
    /// The last group, and its last frame wanted.
    last: Option<(u64, u64)>,
}

impl FrameBounds {
    pub(super) fn new(
        start: GroupStart,
        frame_start: u64,
        last: Option<GroupSequence>,
        frame_last: Option<u64>,
    ) -> Self {
        Self {
            first: match start {
                GroupStart::Floor(group) => Some((group.0, frame_start)),
                GroupStart::Latest => None,
            },
            last: last.map(|group| group.0).zip(frame_last),
        }
    }

    /// The frames that are wanted of a group.
    pub(super) fn of(&self, group: u64) -> Range<u64> {
        let bound = |bound: Option<(u64, u64)>| {
            bound
                .filter(|(named, _)| *named == group)
                .map(|(_, frame)| frame)
        };
        let end = bound(self.last).map_or(u64::MAX, |last| last.saturating_add(1));
        bound(self.first).unwrap_or(0)..end
    }
}
