//! What a peer is to be told of groups that it does not get.

use moq_model::GroupRange;
use moq_wire::{GroupSequence, SubscribeResponse, varint};

/// Groups that were given up, until the peer is told.
#[derive(Debug, Default)]
pub(super) struct Dropped(Vec<Run>);

/// Groups that the peer is not to wait for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: u64,
    last: u64,
    code: u32,
}

impl Dropped {
    /// Adds groups that are not going to come, or one that does not come whole.
    pub(super) fn add(&mut self, groups: GroupRange, code: u32) {
        let (first, last) = (groups.start, groups.end.saturating_sub(1));
        match self.0.last_mut() {
            Some(newest) if newest.code == code && newest.last.checked_add(1) == Some(first) => {
                newest.last = last;
            }
            Some(newest) if newest.code == code && last.checked_add(1) == Some(newest.first) => {
                newest.first = first;
            }
            _ => self.0.push(Run { first, last, code }),
        }
        if self.0.len() > MOST {
            self.0.remove(0);
        }
    }

    /// What the peer is to be told of groups that were given up, as far as the wire has numbers for them.
    pub(super) fn take(&mut self) -> impl Iterator<Item = SubscribeResponse> + use<> {
        let runs = std::mem::take(&mut self.0).into_iter();
        let runs = runs.filter(|run| run.first <= varint::MAX);
        runs.map(|Run { first, last, code }| SubscribeResponse::Drop {
            first: GroupSequence(first),
            last: GroupSequence(last.min(varint::MAX)),
            code: u64::from(code),
        })
    }
}

/// Runs that are kept for a peer which does not read its answers; beyond it the oldest are lost on
/// it.
const MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_told_of_in_one_answer() {
        let mut dropped = Dropped::default();
        for (groups, code) in [(4..5, 1), (5..6, 1), (2..4, 1), (7..8, 1), (8..9, 2)] {
            dropped.add(groups, code);
        }
        let runs: Vec<_> = dropped
            .0
            .iter()
            .map(|d| (d.first, d.last, d.code))
            .collect();
        assert_eq!(runs, [(2, 5, 1), (7, 7, 1), (8, 8, 2)]);
    }

    #[test]
    fn a_range_without_end_ends_with_the_last_number_of_the_wire() {
        let mut dropped = Dropped::default();
        dropped.add(5..u64::MAX, 0x31);
        dropped.add(varint::MAX + 1..varint::MAX + 2, 1);
        let told: Vec<_> = dropped.take().collect();
        let expected = SubscribeResponse::Drop {
            first: GroupSequence(5),
            last: GroupSequence(varint::MAX),
            code: 0x31,
        };
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_peer_that_does_not_read_costs_a_bounded_list() {
        let mut dropped = Dropped::default();
        for n in 0..5_000 {
            dropped.add(n * 2..n * 2 + 1, 1);
        }
        assert_eq!(dropped.0.len(), MOST);
    }
}
