//! What a reader took newest first, and what it was told of.

use std::ops::Range;

use crate::ranges::GroupRanges;

/// Groups that a reader is done with, and how far it has looked for further ones.
#[derive(Debug, Default)]
pub(super) struct Told {
    groups: GroupRanges,
    /// It took all groups that were shown up to this version.
    taken: Option<u64>,
    /// Which of the track's losses it was told of, by their version and the group up to which they
    /// were known.
    losses: (u64, u64),
}

impl Told {
    /// The groups that it took, or was told of.
    pub(super) fn groups(&self) -> &GroupRanges {
        &self.groups
    }

    pub(super) fn insert(&mut self, groups: Range<u64>) {
        self.groups.insert(groups);
    }

    /// Looks again for all groups and losses, because others are wanted.
    pub(super) fn look_again(&mut self) {
        self.taken = None;
        self.look_for_losses();
    }

    pub(super) fn look_for_losses(&mut self) {
        self.losses = (0, 0);
    }

    /// Whether it has taken all groups that were shown up to this version.
    pub(super) fn has_taken_all(&self, version: u64) -> bool {
        self.taken == Some(version)
    }

    pub(super) fn set_taken_all(&mut self, version: u64) {
        self.taken = Some(version);
    }

    /// Whether one group was shown since it had taken all.
    pub(super) fn lacks_one(&self, version: u64) -> bool {
        self.taken.is_some_and(|taken| taken + 1 == version)
    }

    /// Notes that it took the newest group, which may be all that was left to take from `floor` on.
    pub(super) fn take_newest(&mut self, version: u64, floor: u64) {
        if self.lacks_one(version) || self.groups.is_run_from(floor) {
            self.taken = Some(version);
        }
    }

    /// Whether it was told of all losses of this version.
    pub(super) fn has_seen_losses(&self, version: (u64, u64)) -> bool {
        self.losses == version
    }

    pub(super) fn set_seen_losses(&mut self, version: (u64, u64)) {
        self.losses = version;
    }

    /// The highest in `wanted` of the groups that `find` knows, and that it was not told of.
    pub(super) fn highest_missing<T>(
        &self,
        mut wanted: Range<u64>,
        find: impl Fn(Range<u64>) -> Option<(u64, T)>,
    ) -> Option<(u64, T)> {
        loop {
            let (sequence, found) = find(wanted.clone())?;
            if sequence >= self.groups.end() {
                return Some((sequence, found));
            }
            match self.groups.run_at(sequence) {
                Some(run) => wanted.end = run.start.max(wanted.start),
                None => return Some((sequence, found)),
            }
        }
    }
}
