//! What comes into a track.

use moq_model::{Abort, GroupEnd, TrackInfo, WriteError};

use super::{Frame, Group, Reference, Track};

impl Track {
    pub fn new(name: &str, feeder: usize, info: Option<TrackInfo>, is_local: bool) -> Self {
        Self {
            name: name.to_owned(),
            feeder,
            is_local,
            info,
            start: None,
            told_end: None,
            end: None,
            is_unused: false,
            is_listed: true,
            is_alive: true,
            groups: Vec::new(),
            lost: Vec::new(),
            readers: Vec::new(),
            cursors: Vec::new(),
            inputs: Vec::new(),
            progress: 0,
        }
    }

    pub fn accept(&mut self, info: TrackInfo) {
        self.info.get_or_insert(info);
        self.expire_oldest();
    }

    pub fn set_start(&mut self, first: u64) {
        self.start = Some(self.start.map_or(first, |start| start.min(first)));
        self.begin_all();
    }

    pub fn drop_groups(&mut self, start: u64, end: u64, cause: Abort) {
        self.lose(start, end, cause);
        self.begin_all();
    }

    pub fn finish_or_abort(&mut self, cause: Option<Abort>, now: u64) {
        if self.end.is_none() {
            self.end = Some((cause, now));
            self.begin_all();
        }
    }

    /// A group has its first frame, or its end without one.
    fn show(&mut self, sequence: u64) {
        self.take_times();
        self.show_readers(sequence);
        self.begin_all();
        self.expire();
    }

    /// Ends a group; one without a frame that was given up is gone.
    pub fn end_group(&mut self, index: usize, end: GroupEnd) {
        // A group that is dropped after its track was given up went down with it.
        let end = match (end, self.end) {
            (GroupEnd::Aborted(Abort::Internal), Some((Some(reason), _))) => {
                GroupEnd::Aborted(reason)
            }
            _ => end,
        };
        let group = &mut self.groups[index];
        if group.is_over() {
            group.ended.get_or_insert(end);
            return;
        }
        group.arriving = 0;
        if group.fetched.is_some() {
            group.ended = Some(end);
            group.let_go_if_unread();
            return;
        }
        let (sequence, was_announced) = (group.sequence, group.is_announced());
        group.ended = Some(end);
        match end {
            GroupEnd::Aborted(cause) if was_announced => self.discard(sequence, cause),
            GroupEnd::Finished if was_announced => self.show(sequence),
            _ => {}
        }
    }
}

/// Payload bytes that a group may have.
const MOST: u64 = 32 << 20;

impl Group {
    fn payload(&self) -> u64 {
        self.frames.iter().map(|frame| frame.len as u64).sum()
    }

    /// A group that was fetched is kept until it is complete and has been read.
    pub fn let_go_if_unread(&mut self) {
        if self.fetched.is_some() && self.ended.is_some() && self.handles == 0 {
            self.gone.get_or_insert(Abort::Cancelled);
        }
    }

    pub fn is_kept_for_fetch(&self) -> bool {
        self.fetched.is_some() && self.is_held()
    }
}

impl Reference {
    /// Begins a group of the live track; its place in the list.
    pub fn begin_group(
        &mut self,
        track: usize,
        sequence: Option<u64>,
    ) -> Result<usize, WriteError> {
        let (feeder, now) = (self.tracks[track].feeder, self.now);
        if self.tracks[track].end.is_some() {
            return Err(WriteError::Closed);
        }
        let sequence = sequence.unwrap_or_else(|| self.tracks[track].next_sequence());
        let mut live = self.tracks[track].groups.iter();
        if live.any(|group| group.is_live() && group.sequence == sequence) {
            return Err(WriteError::Duplicate);
        }
        if !self.make_room(feeder, self.costs.group, |_| true) {
            return Err(WriteError::Dropped);
        }
        let track = &mut self.tracks[track];
        track.groups.push(Group::new(sequence, now));
        if track.is_local {
            track.start = Some(track.start.map_or(sequence, |start| start.min(sequence)));
        }
        Ok(track.groups.len() - 1)
    }

    pub fn arrive(&mut self, track: usize, group: usize, bytes: u64) -> Result<(), WriteError> {
        self.pay(track, group, bytes)?;
        let group = &mut self.tracks[track].groups[group];
        if group.payload() + group.arriving + bytes > MOST {
            return Err(WriteError::GroupTooLarge);
        }
        group.arriving += bytes;
        Ok(())
    }

    pub fn append(&mut self, track: usize, group: usize, frame: Frame) -> Result<(), WriteError> {
        let cost = self.costs.frame + frame.len as u64;
        let arrived = self.tracks[track].groups[group].arriving;
        self.pay(track, group, cost.saturating_sub(arrived))?;
        let track = &mut self.tracks[track];
        let group = &mut track.groups[group];
        let is_first = group.frames.is_empty();
        group.arriving = 0;
        if group.payload() + frame.len as u64 > MOST {
            return Err(WriteError::GroupTooLarge);
        }
        group.frames.push(frame);
        let sequence = group.sequence;
        if group.fetched.is_some() {
            return Ok(());
        }
        if is_first {
            track.show(sequence);
        } else {
            track.expire();
        }
        Ok(())
    }

    /// Makes room for bytes of a group; without any, the group is given up.
    fn pay(&mut self, track: usize, group: usize, bytes: u64) -> Result<(), WriteError> {
        let feeder = self.tracks[track].feeder;
        let is_open = |all: &Self| !all.tracks[track].groups[group].is_over();
        let has_room = self.make_room(feeder, bytes, is_open);
        let track = &mut self.tracks[track];
        let held = &mut track.groups[group];
        if held.gone.is_some() {
            return Err(WriteError::Dropped);
        }
        if held.ended.is_some() {
            return Err(WriteError::Closed);
        }
        if has_room {
            return Ok(());
        }
        let sequence = held.sequence;
        if held.fetched.is_some() {
            held.gone = Some(Abort::Evicted);
            held.arriving = 0;
        } else {
            track.discard(sequence, Abort::Evicted);
        }
        Err(WriteError::Dropped)
    }

    pub fn release(&mut self) {
        let now = self.now;
        for track in &mut self.tracks {
            track.release(now);
        }
    }
}
