//! A track as it was written, put together from what was seen of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use moq_session::TrackInfo;

use crate::plan::{Action, Plan, Track};
use crate::recording::{End, Recording};
use crate::words::Groups;

/// A track of the recorded application.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) info: Option<TrackInfo>,
    /// Somebody asked for none of its groups.
    pub(crate) is_unwanted: bool,
    /// Somebody asked for it from its newest group on, so there may be older ones.
    pub(crate) starts_at_newest: bool,
    /// How it ended, with the event that shows it.
    pub(crate) end: Option<(usize, End)>,
    groups: BTreeMap<u64, Group>,
}

/// A group, as far as it was seen.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The event that shows its beginning.
    pub(crate) begun: Option<usize>,
    /// Frames before those that were seen.
    unseen: u64,
    frames: Vec<Frame>,
    end: Option<(usize, End)>,
}

#[derive(Debug, Clone)]
struct Frame {
    timestamp: Option<u64>,
    payload: Bytes,
    event: usize,
}

impl Group {
    pub(crate) fn frame(&mut self, timestamp: Option<u64>, payload: Bytes, event: usize) {
        self.frames.push(Frame {
            timestamp,
            payload,
            event,
        });
    }

    pub(crate) fn end(&mut self, event: usize, end: End) {
        self.end = Some((event, end));
    }

    fn timestamp(&self) -> Option<u64> {
        self.frames.first().and_then(|frame| frame.timestamp)
    }
}

impl Written {
    /// A group, of which frames from `from` on are about to be added. Whoever saw most of it is
    /// believed.
    pub(crate) fn group(&mut self, sequence: u64, from: u64) -> &mut Group {
        let group = self.groups.entry(sequence).or_default();
        *group = Group {
            unseen: from,
            ..Group::default()
        };
        group
    }

    /// Adds what was there but not delivered, so that a session which delivers it is found out:
    /// the groups that the description names, the one before the newest, and something to read
    /// where nobody was meant to. What was there before a group that came live would have been the
    /// newest, so there was nothing.
    pub(crate) fn fill(&mut self, hints: &Groups, recording: &Recording) {
        let mut missing: Vec<u64> = hints.groups.clone().collect();
        if let Some((first, group)) = self.groups.first_key_value() {
            let is_live = group.begun.is_some_and(|event| !recording.is_answer(event));
            if is_live {
                missing.retain(|sequence| sequence >= first);
            } else if self.starts_at_newest {
                missing.extend(first.checked_sub(1));
            }
        }
        if self.groups.is_empty() && self.is_unwanted {
            missing.extend(0..2);
        }
        if self.groups.is_empty() && missing.is_empty() {
            return;
        }
        let known = self
            .groups
            .iter()
            .find_map(|(sequence, group)| Some((*sequence, group.timestamp()?)));
        let second = self.info.unwrap_or_default().timescale.units();
        let begin = |sequence: u64| match known {
            Some((known, at)) if sequence < known => {
                at.saturating_sub((known - sequence).saturating_mul(second))
            }
            Some((known, at)) => at.saturating_add((sequence - known).saturating_mul(second)),
            None => sequence.saturating_mul(second),
        };
        let frames = hints.frames.unwrap_or(1);
        for sequence in missing {
            let group = self.groups.entry(sequence).or_insert_with(|| Group {
                unseen: frames,
                end: Some((usize::MAX, End::Fin)),
                ..Group::default()
            });
            group.unseen = group.unseen.max(u64::from(group.frames.is_empty()));
        }
        for (sequence, group) in &mut self.groups {
            group.fill(begin(*sequence), frames);
        }
    }

    pub(crate) fn perform(self, track: &Track, recording: &Recording, plan: &mut Plan) {
        let create = Action::Create(track.clone(), self.info.unwrap_or_default());
        plan.before.push(create);
        let second = self.info.unwrap_or_default().timescale.units();
        for (sequence, group) in self.groups {
            let begin = sequence.saturating_mul(second);
            for (timestamp, frame) in (begin..).zip(group.frames) {
                let timestamp = frame.timestamp.unwrap_or(timestamp);
                let action = Action::Frame(track.clone(), sequence, timestamp, frame.payload);
                plan.shown(recording, frame.event, action);
            }
            if let Some((event, end)) = group.end {
                let action = Action::EndGroup(track.clone(), sequence, end);
                plan.shown(recording, event, action);
            }
        }
        if let Some((event, end)) = self.end {
            plan.shown(recording, event, Action::EndTrack(track.clone(), end));
        }
    }
}

impl Group {
    /// Writes frames in the place of those that nobody saw.
    fn fill(&mut self, begin: u64, frames: u64) {
        let unseen = match self.frames.is_empty() {
            // Seen is only that it has no frame from there on.
            true => self.unseen.min(frames),
            false => self.unseen,
        };
        let filler = Frame {
            timestamp: Some(self.timestamp().unwrap_or(begin)),
            payload: Bytes::from_static(b"unseen"),
            event: usize::MAX,
        };
        let seen = std::mem::take(&mut self.frames);
        let unseen = usize::try_from(unseen).unwrap_or_default();
        self.frames = std::iter::repeat_n(filler, unseen).chain(seen).collect();
        self.unseen = 0;
    }
}
