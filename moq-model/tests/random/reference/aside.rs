//! Newest first, where groups are left in the track until they are asked for.

use moq_model::{Abort, Backlog};

use super::{Expect, NO_END, Track};

impl Track {
    pub fn peek_aside(&self, index: usize) -> Expect {
        if let Some(first) = self.first_of(index) {
            let group = |sequence| self.seen_at(sequence).unwrap();
            let is_datagram = |&sequence: &u64| self.groups[group(sequence)].is_datagram;
            if let Some(datagram) = self.left(index).into_iter().rev().find(is_datagram) {
                return self.taken(index, datagram);
            }
            if let Some(oldest) = self.oldest_expired(index) {
                return Expect::Lost(oldest, oldest + 1, Abort::Expired);
            }
            if let Some(expect) = self.newest_loss(index, first) {
                return expect;
            }
        }
        let is_done = self.left(index).is_empty() && !self.awaits(0);
        match self.end {
            Some((Some(cause), _)) => Expect::Failed(cause),
            Some((None, _)) if is_done => Expect::End,
            _ => Expect::Wait,
        }
    }

    /// The groups that a reader sees and has neither taken nor been told of, in order.
    fn left(&self, index: usize) -> Vec<u64> {
        let reader = &self.readers[index];
        let (start, end) = reader.range();
        let left = self.seen(start, end);
        let mut left: Vec<_> = left.filter(|&sequence| !reader.is_told(sequence)).collect();
        left.sort_unstable();
        left
    }

    /// The oldest of them, if it is too old for this reader only.
    fn oldest_expired(&self, index: usize) -> Option<u64> {
        let max_age = self.readers[index].wants.max_age;
        let is_hasty = self.info.is_some_and(|info| max_age < info.max_age);
        let oldest = *self.left(index).first()?;
        (is_hasty && self.is_expired(oldest, max_age)).then_some(oldest)
    }

    pub fn backlog(&self, index: usize) -> Backlog {
        if self.readers[index].first.is_none() {
            return Backlog::Empty;
        }
        match self.left(index).last() {
            None => Backlog::Empty,
            newest if newest == self.highest_seen(0, NO_END).as_ref() => Backlog::Newest,
            Some(_) => Backlog::Older,
        }
    }

    /// What a reader gets that asks for a group it left: the newest or the oldest.
    pub fn peek_take(&self, index: usize, is_oldest: bool) -> Expect {
        let reader = &self.readers[index];
        let left = if reader.first.is_some() {
            self.left(index)
        } else {
            Vec::new()
        };
        let sequence = if is_oldest { left.first() } else { left.last() };
        let sequence = sequence.copied();
        sequence.map_or(Expect::Wait, |sequence| self.taken(index, sequence))
    }

    /// A group that a reader sees, or that it is too old for the reader.
    fn taken(&self, index: usize, sequence: u64) -> Expect {
        if self.is_expired(sequence, self.readers[index].wants.max_age) {
            return Expect::Lost(sequence, sequence + 1, Abort::Expired);
        }
        self.seen_at(sequence).map_or(Expect::Wait, Expect::Group)
    }
}
