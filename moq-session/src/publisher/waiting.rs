//! Groups that wait for a stream.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use moq_model::{GroupConsumer, GroupRange};
use moq_wire::{GroupSequence, SubscribeResponse, varint};

use crate::convert;

/// Groups without a stream yet, and what is to be said of those that ended meanwhile.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Ascending.
    groups: VecDeque<GroupConsumer>,
    /// Some of them had to wait. Those that get a stream at once notice their end by themselves.
    is_delayed: bool,
    dropped: Vec<Dropped>,
}

/// Groups that the peer is going to be told not to wait for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dropped {
    first: u64,
    last: u64,
    code: u32,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(super) fn is_delayed(&self) -> bool {
        self.is_delayed
    }

    pub(super) fn insert(&mut self, group: GroupConsumer) {
        let at = self
            .groups
            .partition_point(|g| g.sequence() < group.sequence());
        self.groups.insert(at, group);
    }

    /// Gives up the groups that are too old or gone: a peer that takes none must not collect them.
    pub(super) fn give_up(&mut self, cx: &Context<'_>) {
        while let Some(oldest) = self.groups.front_mut()
            && let Poll::Ready(end) = oldest.poll_cut(cx)
        {
            let sequence = oldest.sequence();
            self.drop_group(sequence, convert::group_end_code(end));
            self.groups.pop_front();
        }
        while let Some(newest) = self.groups.back_mut()
            && let Poll::Ready(end) = newest.poll_cut(cx)
        {
            let sequence = newest.sequence();
            self.drop_group(sequence, convert::group_end_code(end));
            self.groups.pop_back();
        }
        self.is_delayed = !self.groups.is_empty();
    }

    /// Takes note of a group that is not going to come, or not whole.
    pub(super) fn drop_group(&mut self, sequence: u64, code: u32) {
        note(&mut self.dropped, sequence, code);
    }

    /// Takes note of groups that are not going to come.
    pub(super) fn lost(&mut self, groups: GroupRange, code: u32) {
        self.dropped.push(Dropped {
            first: groups.start,
            last: groups.end.saturating_sub(1),
            code,
        });
        if self.dropped.len() > MAX_DROPPED {
            self.dropped.remove(0);
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<GroupConsumer> {
        self.groups.pop_front()
    }

    pub(super) fn pop_newest(&mut self) -> Option<GroupConsumer> {
        self.groups.pop_back()
    }

    /// What the peer is to be told of groups that were given up, as far as the wire has numbers for them.
    pub(super) fn take_dropped(&mut self) -> impl Iterator<Item = SubscribeResponse> + use<> {
        let dropped = std::mem::take(&mut self.dropped).into_iter();
        let dropped = dropped.filter(|dropped| dropped.first <= varint::MAX);
        dropped.map(|Dropped { first, last, code }| SubscribeResponse::Drop {
            first: GroupSequence(first),
            last: GroupSequence(last.min(varint::MAX)),
            code: u64::from(code),
        })
    }
}

fn note(dropped: &mut Vec<Dropped>, sequence: u64, code: u32) {
    match dropped.last_mut() {
        Some(newest) if newest.code == code && newest.last.checked_add(1) == Some(sequence) => {
            newest.last = sequence;
        }
        Some(newest) if newest.code == code && sequence.checked_add(1) == Some(newest.first) => {
            newest.first = sequence;
        }
        _ => dropped.push(Dropped {
            first: sequence,
            last: sequence,
            code,
        }),
    }
    if dropped.len() > MAX_DROPPED {
        dropped.remove(0);
    }
}

/// Ranges that are kept for a peer which does not read its answers; beyond it the oldest are lost
/// on it.
const MAX_DROPPED: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_told_of_in_one_answer() {
        let mut dropped = Vec::new();
        for (sequence, code) in [(4, 1), (5, 1), (3, 1), (7, 1), (8, 2)] {
            note(&mut dropped, sequence, code);
        }
        let ranges: Vec<_> = dropped.iter().map(|d| (d.first, d.last, d.code)).collect();
        assert_eq!(ranges, [(3, 5, 1), (7, 7, 1), (8, 8, 2)]);
    }

    #[test]
    fn a_range_without_end_ends_with_the_last_number_of_the_wire() {
        let mut waiting = Waiting::default();
        waiting.lost(5..u64::MAX, 0x31);
        waiting.drop_group(varint::MAX + 1, 1);
        let told: Vec<_> = waiting.take_dropped().collect();
        let expected = SubscribeResponse::Drop {
            first: GroupSequence(5),
            last: GroupSequence(varint::MAX),
            code: 0x31,
        };
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_peer_that_does_not_read_costs_a_bounded_list() {
        let mut dropped = Vec::new();
        for n in 0..5_000 {
            note(&mut dropped, n * 2, 1);
        }
        assert_eq!(dropped.len(), MAX_DROPPED);
    }
}
