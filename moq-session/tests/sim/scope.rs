//! One reading of a track, as far as its groups belong together, and what holds of every reading.

use moq_session::Frame;

use crate::content::{Place, payload, place};
use crate::judge::{End, Judge, Published};
use crate::rules::{Owed, Rule};
use crate::tally::Count;

/// What the drafts on the way to a reader can say.
#[derive(Debug, Clone, Copy)]
pub struct Spoken {
    /// Frames keep their timestamps.
    pub timestamps: bool,
    /// The end of a track is told.
    pub ends: bool,
    /// A reader in order can go on where it was, without loss.
    pub resumes: bool,
}

#[derive(Debug)]
pub struct Scope {
    pub judge: Judge,
    reader: usize,
    track: u64,
    /// The shortest of the track and its readers, in milliseconds.
    max_age: u64,
    pub floor: u64,
    /// The group within which reading goes on. Its empty frames do not say whose it is.
    pub within: Option<u64>,
    pub spoken: Spoken,
    /// Whose groups they are, from the first frame on.
    pub epoch: Option<u64>,
}

impl Scope {
    pub fn new(judge: &Judge, reader: (usize, u64), max_age: u64, spoken: Spoken) -> Self {
        let (reader, track) = reader;
        Self {
            judge: judge.clone(),
            reader,
            track,
            max_age,
            floor: 0,
            within: None,
            spoken,
            epoch: None,
        }
    }

    pub fn with_floor(self, floor: u64) -> Self {
        Self { floor, ..self }
    }

    pub fn violation(&self, text: String) {
        let Self { reader, track, .. } = self;
        self.judge
            .violation(format!("reader {reader}, track {track}: {text}"));
    }

    pub fn unmet(&self, rule: Rule, text: &str) {
        let Self { reader, track, .. } = self;
        self.judge
            .unmet(rule, format!("reader {reader}, track {track}: {text}"));
    }

    /// Notes what the reader is told; `kind` tells such notes apart.
    pub fn note(&self, kind: u64, values: [u64; 2], text: impl FnOnce() -> String) {
        let reader = self.reader;
        let values = [reader as u64, values[0], values[1], kind << 32];
        self.judge
            .note(values, || format!("reader {reader}: {}", text()));
    }

    /// What is owed to the reader at a time.
    pub fn owed(&self, epoch: u64, at: u64) -> Owed {
        Owed {
            epoch,
            track: self.track,
            max_age: self.max_age,
            at,
        }
    }

    /// The groups that were published in a range, as far as it is known whose they are.
    pub fn published(&self, from: u64, to: u64, has_frames: bool) -> Vec<u64> {
        let Some(epoch) = self.epoch else {
            return Vec::new();
        };
        self.judge.groups_in(epoch, self.track, from..to, |group| {
            !has_frames || !group.frames.is_empty()
        })
    }

    /// Whether a group has ended after `frames`.
    pub fn is_whole(&self, group: u64, frames: u64) -> bool {
        let truth = self.truth(group);
        truth.is_some_and(|group| group.end.is_some() && group.frames.len() as u64 == frames)
    }

    /// Whether a group was sent as a datagram.
    pub fn is_datagram(&self, group: u64) -> bool {
        self.truth(group).is_some_and(|group| group.is_datagram)
    }

    /// A group as it was published, as far as it is known whose it is.
    fn truth(&self, group: u64) -> Option<Published> {
        self.judge.group(self.epoch?, self.track, group)
    }

    /// A frame has come, in whatever order of groups.
    pub fn frame(&mut self, group: u64, index: u64, frame: &Frame) {
        self.note(0, [group, index << 32 | frame.payload.len() as u64], || {
            format!("group {group}, frame {index}")
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
            if self.within == Some(group) {
                return;
            }
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
        self.expect_published(group, index, frame);
    }

    fn expect_published(&self, group: u64, index: u64, frame: &Frame) {
        let published = self.truth(group).unwrap_or_default();
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
        if published.is_datagram {
            self.judge.count(Count::Datagrams);
        }
    }

    /// The track is over.
    pub fn end(&self) {
        self.note(2, [0; 2], || "the track is over".to_owned());
        if let Some(epoch) = self.epoch
            && !self.judge.is_finished(epoch, self.track)
        {
            self.violation("the track ended well, but was never finished".to_owned());
        }
    }

    /// A group has ended well for the reader, after `frames`.
    pub fn whole(&self, group: u64, frames: u64) {
        self.judge.count(Count::Whole);
        if frames == 0 {
            self.judge.count(Count::Empty);
        }
        if self.epoch.is_none() {
            return;
        }
        let published = self.truth(group).unwrap_or_default();
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
}
