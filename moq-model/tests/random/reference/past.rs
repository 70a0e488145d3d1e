//! Which groups are lost, and why.

use moq_model::Abort;

use super::{NO_END, Track};

impl Track {
    pub fn lose(&mut self, start: u64, end: u64, cause: Abort) {
        if start < end {
            self.lost.push((start, end, cause));
        }
    }

    /// What was told first of a group counts.
    pub fn cause(&self, sequence: u64) -> Option<Abort> {
        self.record(sequence).map(|(_, _, cause)| cause)
    }

    fn record(&self, sequence: u64) -> Option<(u64, u64, Abort)> {
        let mut records = self.lost.iter().copied();
        records.find(|&(start, end, _)| start <= sequence && sequence < end)
    }

    /// The sequence after the last group that is known to be lost. Groups that are lost up to no end
    /// say nothing of that.
    pub fn lost_end(&self) -> u64 {
        let mut tail = NO_END;
        let mut last = 0;
        for &(start, end, _) in &self.lost {
            match end.min(tail) {
                NO_END => tail = start,
                end if start < end => last = last.max(end),
                _ => {}
            }
        }
        last
    }

    /// Why a group is known to be lost. Of groups that are lost up to no end, those are known that
    /// lie before another that is lost, or that readers see.
    pub fn known_lost(&self, sequence: u64) -> Option<Abort> {
        let (_, end, cause) = self.record(sequence)?;
        let has_later = || self.lowest_seen(sequence, NO_END).is_some();
        (end < NO_END || sequence < self.lost_end() || has_later()).then_some(cause)
    }

    /// The first group from `start` on that was not lost for good.
    pub fn first_alive(&self, start: u64) -> u64 {
        let mut at = start;
        while let Some((_, end, cause)) = self.record(at) {
            let is_tail = end == NO_END && at >= self.lost_end();
            if cause == Abort::SessionClosed || is_tail || self.is_held(at) {
                break;
            }
            at += 1;
        }
        at
    }

    pub fn is_held(&self, sequence: u64) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_live() && group.is_held() && group.sequence == sequence)
    }

    pub fn is_announced(&self, sequence: u64) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_announced() && group.sequence == sequence)
    }

    /// Whether a group from this one on has begun that readers do not see.
    pub fn awaits(&self, from: u64) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_announced() && group.sequence >= from)
    }

    /// The sequence after the highest one in use.
    pub fn next_sequence(&self) -> u64 {
        let live = self.groups.iter().filter(|group| group.is_live());
        live.map(|group| group.sequence + 1).max().unwrap_or(0)
    }

    /// The sequence after the last group that there was or was to be.
    pub fn end_sequence(&self) -> u64 {
        let to_be = self.told_end.unwrap_or_else(|| self.lost_end());
        self.next_sequence().max(to_be)
    }

    /// The group of this sequence that readers see.
    pub fn seen_at(&self, sequence: u64) -> Option<usize> {
        let mut groups = self.groups.iter();
        groups.position(|group| group.is_seen() && group.sequence == sequence)
    }

    /// The lowest group that readers see, of those from `start` up to `end`.
    pub fn lowest_seen(&self, start: u64, end: u64) -> Option<u64> {
        self.seen(start, end).min()
    }

    pub fn highest_seen(&self, start: u64, end: u64) -> Option<u64> {
        self.seen(start, end).max()
    }

    pub fn seen(&self, start: u64, end: u64) -> impl Iterator<Item = u64> {
        let seen = self.groups.iter().filter(|group| group.is_seen());
        let sequences = seen.map(|group| group.sequence);
        sequences.filter(move |&sequence| start <= sequence && sequence < end)
    }

    pub fn has_finished(&self) -> bool {
        matches!(self.end, Some((None, _)))
    }

    pub fn aborted(&self) -> Option<Abort> {
        self.end.and_then(|(cause, _)| cause)
    }
}
