//! What is too old.

use std::time::Duration;

use moq_model::Abort;

use super::{Track, millis};

impl Track {
    pub fn max_age(&self) -> Duration {
        self.info.unwrap_or_default().max_age
    }

    /// The latest timestamp of the newest group that ever had a frame.
    fn latest(&self) -> u64 {
        let with_frames = self.groups.iter();
        let with_frames = with_frames.filter(|group| group.is_live() && !group.frames.is_empty());
        let newest = with_frames.max_by_key(|group| group.sequence);
        let times = newest.into_iter().flat_map(|group| &group.frames);
        times.map(|frame| frame.time).max().unwrap_or(0)
    }

    /// Whether the group after this one began at least `age` ago.
    pub fn is_expired(&self, sequence: u64, age: Duration) -> bool {
        let Some(next) = self.lowest_seen(sequence + 1, u64::MAX) else {
            return false;
        };
        let group = |sequence| &self.groups[self.seen_at(sequence).unwrap()];
        if let Some(began) = group(next).time {
            let scale = self.info.map(|info| info.timescale);
            let age = scale.map_or(u64::MAX, |scale| scale.from_duration(age));
            return self.latest().saturating_sub(began) >= age;
        }
        let newest = self.highest_seen(0, u64::MAX).unwrap();
        let passed = group(newest).begun.saturating_sub(group(next).begun);
        passed >= millis(age)
    }

    /// A group without a frame takes the time of the one after it, and keeps it.
    pub fn take_times(&mut self) {
        let mut after = None;
        let mut seen: Vec<_> = self.seen(0, u64::MAX).collect();
        seen.sort_unstable();
        for sequence in seen.into_iter().rev() {
            let index = self.seen_at(sequence).unwrap();
            let group = &mut self.groups[index];
            let own = group.frames.first().map(|frame| frame.time);
            group.time = group.time.or(own).or(after);
            after = group.time;
        }
    }

    /// Looks for what is too old, for the track and for its readers.
    pub fn expire(&mut self) {
        self.expire_oldest();
        self.expire_for_readers();
    }

    pub fn expire_oldest(&mut self) {
        let Some(info) = self.info else { return };
        while let Some(oldest) = self.lowest_seen(0, u64::MAX) {
            if !self.is_expired(oldest, info.max_age) {
                break;
            }
            self.discard(oldest, Abort::Expired);
            for below in 0..oldest {
                if self.cause(below).is_none() && !self.is_held(below) {
                    self.lose(below, below + 1, Abort::Expired);
                }
            }
        }
    }

    fn expire_for_readers(&mut self) {
        let Some(info) = self.info else { return };
        for index in 0..self.cursors.len() {
            let cursor = &self.cursors[index];
            let reader = cursor.reader.map(|reader| &self.readers[reader]);
            let Some(reader) = reader.filter(|reader| !reader.is_gone && !cursor.is_gone) else {
                continue;
            };
            let group = &self.groups[cursor.group];
            let max_age = reader.wants.max_age;
            if max_age < info.max_age && group.is_held() && self.is_expired(group.sequence, max_age)
            {
                self.cursors[index].is_cut = true;
            }
        }
    }

    /// Lets go of a group of the track, for good.
    pub fn discard(&mut self, sequence: u64, cause: Abort) {
        let mut groups = self.groups.iter_mut();
        let held = groups
            .find(|group| group.is_live() && group.is_held() && group.sequence == sequence)
            .unwrap();
        held.gone = Some(cause);
        held.arriving = 0;
        self.lose(sequence, sequence + 1, cause);
    }

    /// Groups of the track that are held, in order.
    pub fn held_live(&self) -> Vec<u64> {
        let live = self.groups.iter();
        let live = live.filter(|group| group.is_live() && group.is_held());
        let mut live: Vec<_> = live.map(|group| group.sequence).collect();
        live.sort_unstable();
        live
    }

    pub fn is_read(&self) -> bool {
        self.readers.iter().any(|reader| !reader.is_gone)
    }

    /// Lets go of all groups if the track ended its max age ago and nobody reads it.
    pub fn release(&mut self, now: u64) {
        let Some((_, at)) = self.end else { return };
        let due = at.checked_add(millis(self.max_age()));
        if self.is_read() || due.is_none_or(|due| due > now) {
            return;
        }
        for sequence in self.held_live() {
            self.discard(sequence, Abort::Expired);
        }
        self.is_listed = false;
    }
}
