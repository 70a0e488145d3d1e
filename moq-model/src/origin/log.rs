//! What has changed since when, as plain data.

use std::collections::VecDeque;

use super::table::NodeId;

/// A place in the log; later changes have higher ones.
pub(super) type Position = u64;

/// The paths that were touched, in that order. All watchers read the one log, each from where it is.
///
/// Only the last change of a path counts, so an entry is void once its path is touched again.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<(Position, NodeId)>,
    end: Position,
}

impl Log {
    /// Where the next change will be.
    pub(super) fn end(&self) -> Position {
        self.end
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Notes a change, and says where.
    pub(super) fn append(&mut self, node: NodeId) -> Position {
        let position = self.end;
        self.entries.push_back((position, node));
        self.end += 1;
        position
    }

    /// The changes from a place on.
    pub(super) fn since(&self, start: Position) -> impl Iterator<Item = (Position, NodeId)> {
        let at = self
            .entries
            .partition_point(|(position, _)| *position < start);
        self.entries.range(at..).copied()
    }

    /// Forgets the entries that do not count any more.
    pub(super) fn compact(&mut self, counts: impl Fn(Position, NodeId) -> bool) {
        self.entries
            .retain(|&(position, node)| counts(position, node));
        self.entries.shrink_to((2 * self.entries.len()).max(ROOM));
    }
}

/// Entries that there is room for in any case, once there were as many.
const ROOM: usize = 256;
