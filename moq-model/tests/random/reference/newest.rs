//! Newest first.

use moq_model::{Abort, GroupEnd};

use super::{Cursor, Expect, Frame, NO_END, Track};

impl Track {
    pub fn peek_newest(&self, index: usize) -> Expect {
        if let Some(first) = self.first_of(index) {
            if let Some(expect) = self.newest_untaken(index) {
                return expect;
            }
            if let Some(expect) = self.newest_loss(index, first) {
                return expect;
            }
        }
        match self.end {
            Some((Some(cause), _)) => Expect::Failed(cause),
            Some((None, _)) if !self.awaits(0) => Expect::End,
            _ => Expect::Wait,
        }
    }

    fn newest_untaken(&self, index: usize) -> Option<Expect> {
        let reader = &self.readers[index];
        let (start, end) = reader.range();
        let untaken = self.seen(start, end);
        let newest = untaken
            .filter(|&sequence| !reader.is_told(sequence))
            .max()?;
        if self.is_expired(newest, reader.wants.max_age) {
            return Some(Expect::Lost(newest, newest + 1, Abort::Expired));
        }
        self.seen_at(newest).map(Expect::Group)
    }

    pub(super) fn newest_loss(&self, index: usize, first: u64) -> Option<Expect> {
        let reader = &self.readers[index];
        let is_over = self.has_finished() && !self.awaits(0);
        let lost = |sequence: u64| {
            let is_held = self.is_announced(sequence) || self.seen_at(sequence).is_some();
            if reader.is_told(sequence) || is_held {
                return None;
            }
            match self.cause(sequence) {
                // What was lost with its session may still come.
                Some(Abort::SessionClosed) if !is_over => None,
                None if is_over => Some(Abort::Missing),
                cause if is_over => cause,
                _ => self.known_lost(sequence),
            }
        };
        let (start, end) = reader.range();
        let seen_end = self.highest_seen(0, NO_END).map_or(0, |seen| seen + 1);
        let last = if is_over {
            self.end_sequence()
        } else {
            self.lost_end().max(seen_end)
        };
        let end = end.min(last);
        let mut wanted = start.max(first)..end;
        let from = wanted.find(|&sequence| lost(sequence).is_some())?;
        let cause = lost(from)?;
        let until = wanted.find(|&sequence| lost(sequence) != Some(cause));
        Some(Expect::Lost(from, until.unwrap_or(end), cause))
    }

    /// Takes a group that was peeked at; the cursor's place in the list.
    pub fn take(&mut self, index: usize, group: usize) -> usize {
        let sequence = self.groups[group].sequence;
        let reader = &mut self.readers[index];
        reader.told.push((sequence, sequence + 1));
        // One that came late lies before the first: from there on all are accounted for.
        reader.first = reader.first.map(|first| first.min(sequence));
        self.add_cursor(group, Some(index), 0, None)
    }

    pub fn add_cursor(
        &mut self,
        group: usize,
        reader: Option<usize>,
        next: usize,
        end: Option<usize>,
    ) -> usize {
        self.groups[group].handles += 1;
        self.cursors.push(Cursor {
            group,
            next,
            end,
            reader,
            is_cut: false,
            is_gone: false,
        });
        self.cursors.len() - 1
    }

    /// What a handle to a group yields: a frame, its end or nothing yet.
    pub fn peek_cursor(&self, index: usize) -> Option<Result<Frame, GroupEnd>> {
        let cursor = &self.cursors[index];
        let group = &self.groups[cursor.group];
        if cursor.end.is_some_and(|end| cursor.next >= end) {
            return Some(Err(GroupEnd::Finished));
        }
        if cursor.is_cut && cursor.next == 0 {
            return Some(Err(GroupEnd::Aborted(Abort::Expired)));
        }
        let is_read = cursor.next >= group.frames.len();
        if let Some(end) = group.ended.filter(|_| is_read) {
            return Some(Err(end));
        }
        if let Some(cause) = group.gone {
            return Some(Err(GroupEnd::Aborted(cause)));
        }
        group.frames.get(cursor.next).map(|&frame| Ok(frame))
    }

    /// An end that comes before the frames are read.
    pub fn peek_cut(&self, index: usize) -> Option<GroupEnd> {
        let cursor = &self.cursors[index];
        if cursor.is_cut {
            return Some(GroupEnd::Aborted(Abort::Expired));
        }
        self.groups[cursor.group].gone.map(GroupEnd::Aborted)
    }

    pub fn step_cursor(&mut self, index: usize) {
        self.cursors[index].next += 1;
        // An input waits for subscribers only.
        self.progress += u64::from(self.cursors[index].reader.is_some());
    }

    pub fn drop_cursor(&mut self, index: usize) {
        let cursor = &mut self.cursors[index];
        cursor.is_gone = true;
        let group = &mut self.groups[cursor.group];
        group.handles -= 1;
        group.let_go_if_unread();
    }
}
