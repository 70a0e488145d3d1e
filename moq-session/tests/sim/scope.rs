//! One reading of a track, as far as its groups belong together, and what must hold of it.

use std::collections::BTreeSet;
use std::ops::Range;

use moq_session::{Frame, GroupEnd};

use crate::content::{Place, payload, place};
use crate::judge::{End, Judge};

/// What the drafts on the way to a reader can say.
#[derive(Debug, Clone, Copy)]
pub struct Spoken {
    /// Frames keep their timestamps.
    pub timestamps: bool,
    /// The end of a track is told.
    pub ends: bool,
}

#[derive(Debug)]
pub struct Scope {
    judge: Judge,
    pub reader: usize,
    pub track: u64,
    floor: u64,
    spoken: Spoken,
    epoch: Option<u64>,
    /// Newest first: the groups so far.
    opened: BTreeSet<u64>,
    /// In order: the next group.
    next: Option<u64>,
    /// In order: the group that is being read, and its next frame.
    current: Option<(u64, u64)>,
}

impl Scope {
    pub fn new(judge: &Judge, reader: usize, track: u64, floor: u64, spoken: Spoken) -> Self {
        Self {
            judge: judge.clone(),
            reader,
            track,
            floor,
            spoken,
            epoch: None,
            opened: BTreeSet::new(),
            next: None,
            current: None,
        }
    }

    fn violation(&self, text: String) {
        let Self { reader, track, .. } = self;
        self.judge
            .violation(format!("reader {reader}, track {track}: {text}"));
    }

    /// The same publisher is read again, from `position` on.
    ///
    /// As far as that is known: no draft says which life of a publisher a group is of, and another
    /// one may take its place while the subscription is on its way. Within a subscription there is
    /// only one.
    pub fn resume(&mut self, position: (u64, usize)) {
        self.judge.count(|tally| tally.resumed += 1);
        self.floor = position.0;
        self.epoch = None;
        self.current = None;
        self.next = None;
    }

    /// A group has come, in whatever order.
    pub fn open(&mut self, group: u64) {
        if !self.opened.insert(group) {
            self.violation(format!("group {group} again"));
        }
    }

    /// A frame has come, in whatever order of groups.
    pub fn frame(&mut self, group: u64, index: u64, frame: &Frame) {
        let values = [self.reader as u64, group, index, frame.payload.len() as u64];
        let reader = self.reader;
        self.judge.note(values, || {
            format!("reader {reader}: group {group}, frame {index}")
        });
        if group < self.floor {
            self.violation(format!("group {group} below the start {}", self.floor));
        }
        if let Some(said) = place(&frame.payload) {
            let epoch = *self.epoch.get_or_insert(said.epoch);
            let expected = Place {
                epoch,
                track: self.track,
                group,
                index,
            };
            if said != expected {
                return self.violation(format!("{said:?} where {expected:?} belongs"));
            }
        }
        let Some(epoch) = self.epoch else {
            return self.violation(format!("group {group} does not begin with its first frame"));
        };
        let expected = payload(Place {
            epoch,
            track: self.track,
            group,
            index,
        });
        if frame.payload != expected {
            self.violation(format!(
                "frame {index} of group {group} has another content"
            ));
        }
        self.judge.progress(self.reader, epoch, group);
        let published = self
            .judge
            .group(epoch, self.track, group)
            .unwrap_or_default();
        match published.frames.get(usize::try_from(index).unwrap()) {
            None => self.violation(format!(
                "frame {index} of group {group} was never published"
            )),
            Some(at) if self.spoken.timestamps && *at != frame.timestamp => {
                let was = frame.timestamp;
                self.violation(format!(
                    "frame {index} of group {group} is stamped {was}, not {at}"
                ));
            }
            Some(_) => {}
        }
    }

    /// A frame has come in order.
    pub fn ordered_frame(&mut self, group: u64, index: u64, frame: &Frame) {
        match self.current {
            Some((current, next)) if current == group => {
                if index != next {
                    self.violation(format!("frame {index} of group {group}, not {next}"));
                }
            }
            _ => {
                self.close_current();
                self.expect_reached(group);
                if index != 0 {
                    self.violation(format!("group {group} begins with frame {index}"));
                }
            }
        }
        self.frame(group, index, frame);
        self.current = Some((group, index + 1));
        self.next = Some(group + 1);
    }

    /// Groups are reported as missing, in order.
    pub fn skipped(&mut self, groups: Range<u64>, end: Option<GroupEnd>) {
        let values = [self.reader as u64, groups.start, groups.end, 1 << 32];
        let reader = self.reader;
        self.judge.note(values, || {
            format!("reader {reader}: {groups:?} skipped, {end:?}")
        });
        self.judge
            .count(|tally| tally.skipped += groups.end - groups.start);
        match self.current {
            Some((current, _)) if current == groups.start => self.current = None,
            _ => {
                self.close_current();
                self.expect_reached(groups.start);
            }
        }
        self.next = Some(groups.end);
    }

    /// The track is over, in order.
    pub fn ordered_end(&mut self) {
        self.close_current();
        if self.spoken.ends
            && let Some(next) = self.next
        {
            let next = next.max(self.floor);
            if let Some(lost) = self
                .epoch
                .and_then(|epoch| self.judge.first_in(epoch, self.track, next, u64::MAX))
            {
                self.violation(format!("the track ended without a word of group {lost}"));
            }
        }
        self.end();
    }

    /// The track is over.
    pub fn end(&self) {
        let reader = self.reader;
        self.judge.note([reader as u64, 0, 0, 2 << 32], || {
            format!("reader {reader}: the track is over")
        });
        if let Some(epoch) = self.epoch
            && !self.judge.is_finished(epoch, self.track)
        {
            self.violation("the track ended well, but was never finished".to_owned());
        }
    }

    /// A group has ended well for the reader, after `frames`.
    pub fn whole(&self, group: u64, frames: u64) {
        self.judge.count(|tally| tally.whole += 1);
        let Some(epoch) = self.epoch else { return };
        let published = self
            .judge
            .group(epoch, self.track, group)
            .unwrap_or_default();
        if published.end != Some(End::Finished) {
            self.violation(format!(
                "group {group} ended well, but its publisher says {:?}",
                published.end
            ));
        } else if published.frames.len() as u64 != frames {
            let count = published.frames.len();
            self.violation(format!(
                "group {group} ended well after {frames} of {count} frames"
            ));
        }
    }

    fn close_current(&mut self) {
        if let Some((group, frames)) = self.current.take() {
            self.whole(group, frames);
        }
    }

    /// No group before `group` may be missing without a word, but for those without a frame.
    fn expect_reached(&self, group: u64) {
        let (Some(next), Some(epoch)) = (self.next, self.epoch) else {
            return;
        };
        if group < next {
            self.violation(format!("group {group} again, after {next} was due"));
        }
        let empty = |group| {
            let published = self.judge.group(epoch, self.track, group);
            published.is_some_and(|group| group.frames.is_empty())
        };
        if let Some(lost) = (next..group).find(|group| !empty(*group)) {
            self.violation(format!(
                "group {lost} is missing without a word before {group}"
            ));
        }
    }
}
