//! Groups that are written.

use std::task::Poll;

use moq_model::{Abort, GroupEnd, GroupProducer};

use super::setting::cause;
use super::waiter::Waiter;
use super::{Outcome, World, Writer, pick, pick_late, same};
use crate::reference::{Frame, Reference};

impl World {
    /// Does what takes bytes of the budget, unless somebody has to give way and the documentation
    /// does not say who: that is left out.
    fn pay<T>(&mut self, change: impl FnOnce(&mut Reference) -> T) -> Option<T> {
        let mut after = self.reference.clone();
        let result = change(&mut after);
        if after.is_ambiguous {
            self.count("left out, because nothing says who gives way");
            return None;
        }
        self.reference = after;
        Some(result)
    }

    pub(super) fn append(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        match self.written(a) {
            Some(index) if self.tracks[index].local.is_some() => self.begin_at(index, None),
            Some(index) => {
                let next = self.track(index).next_sequence();
                self.begin_at(index, Some(next))
            }
            None => Ok(()),
        }
    }

    pub(super) fn begin(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let Some(index) = self.written(a) else {
            return Ok(());
        };
        let sequence = (self.track(index).next_sequence() + 3).saturating_sub(b % 9);
        self.begin_at(index, Some(sequence))
    }

    fn begin_at(&mut self, index: usize, sequence: Option<u64>) -> Outcome {
        let Some(expected) = self.pay(|reference| reference.begin_group(index, sequence)) else {
            return Ok(());
        };
        let slot = &self.tracks[index];
        let begun = match (&slot.local, &slot.fed, sequence) {
            (Some(local), _, None) => local.append(),
            (Some(local), _, Some(sequence)) => local.create(sequence),
            (_, Some(fed), Some(sequence)) => fed.create(sequence),
            _ => return Ok(()),
        };
        let error = begun.as_ref().err().copied();
        self.note(|| format!("track {index} begin {sequence:?}: {expected:?}"));
        same("begin", &error, &expected.err())?;
        if let (Ok(producer), Ok(group)) = (begun, expected) {
            let expected = self.track(index).groups[group].sequence;
            same("sequence", &producer.sequence(), &expected)?;
            self.add_writer(index, group, producer);
        }
        Ok(())
    }

    pub(super) fn add_writer(&mut self, track: usize, group: usize, producer: GroupProducer) {
        self.writers.push(Writer {
            track,
            group,
            producer,
            unused: None,
            waiter: Waiter::default(),
        });
    }

    pub(super) fn datagram(&mut self, [a, b, c, d]: [u64; 4]) -> Outcome {
        let Some(index) = self.written(a) else {
            return Ok(());
        };
        let sequence = self.track(index).next_sequence() + d % 2;
        let time = self.next_time(index, b);
        let payload = self.setting.payload(c);
        let frame = Frame {
            time,
            len: payload.len(),
        };
        let expected = self.pay(|reference| {
            let group = reference.begin_group(index, Some(sequence))?;
            reference.tracks[index].groups[group].is_datagram = true;
            let appended = reference.append(index, group, frame);
            let end = appended.map_or(GroupEnd::Aborted(Abort::Internal), |()| GroupEnd::Finished);
            reference.tracks[index].end_group(group, end);
            appended
        });
        let Some(expected) = expected else {
            return Ok(());
        };
        self.note(|| format!("track {index} datagram {sequence} {frame:?}"));
        let slot = &self.tracks[index];
        let written = match (&slot.local, &slot.fed) {
            (Some(local), _) => local.create_datagram(sequence, time, payload),
            (_, Some(fed)) => fed.create_datagram(sequence, time, payload),
            _ => return Ok(()),
        };
        same("datagram", &written, &expected)
    }

    fn next_time(&self, track: usize, arg: u64) -> u64 {
        let track = self.track(track);
        let live = track.groups.iter().filter(|group| group.is_live());
        let newest = live
            .filter(|group| !group.frames.is_empty())
            .max_by_key(|group| group.sequence);
        let last = newest.and_then(|group| group.frames.last());
        self.setting
            .time(last.map_or(5_000, |frame| frame.time), arg, track.info)
    }

    /// Some frames of one group.
    pub(super) fn frame(&mut self, [a, b, c, d]: [u64; 4]) -> Outcome {
        let Some(at) = pick_late(a, self.writers.len()) else {
            return Ok(());
        };
        for n in 0..=d % 3 {
            if !self.frame_of(at, b + n * 7, c + n)? {
                self.end_writer(at, GroupEnd::Aborted(Abort::Internal), drop);
                break;
            }
        }
        Ok(())
    }

    /// Says whether the group may have more.
    fn frame_of(&mut self, at: usize, b: u64, c: u64) -> Outcome<bool> {
        let (track, group) = (self.writers[at].track, self.writers[at].group);
        let time = self.next_time(track, b);
        let payload = self.setting.payload(c);
        let frame = Frame {
            time,
            len: payload.len(),
        };
        let Some(expected) = self.pay(|reference| reference.append(track, group, frame)) else {
            return Ok(true);
        };
        let sequence = self.track(track).groups[group].sequence;
        self.note(|| format!("track {track} group {sequence} {frame:?}: {expected:?}"));
        self.count(match expected {
            Ok(()) => "frames written",
            Err(_) => "frames refused",
        });
        let appended = self.writers[at].producer.append_at(time, payload);
        same("append", &appended, &expected)?;
        Ok(expected.is_ok() || b.is_multiple_of(3))
    }

    pub(super) fn arrive(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let Some(at) = pick(a, self.writers.len()) else {
            return Ok(());
        };
        let (track, group) = (self.writers[at].track, self.writers[at].group);
        let bytes = b % 400;
        let Some(expected) = self.pay(|reference| reference.arrive(track, group, bytes)) else {
            return Ok(());
        };
        self.note(|| format!("track {track} group #{group} arrive {bytes}: {expected:?}"));
        let arrived = self.writers[at].producer.arrive(bytes);
        same("arrive", &arrived, &expected)
    }

    pub(super) fn finish_group(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.writers.len()) {
            self.end_writer(at, GroupEnd::Finished, |producer| producer.finish());
        }
        Ok(())
    }

    pub(super) fn abort_group(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.writers.len()) {
            let cause = cause(b);
            self.end_writer(at, GroupEnd::Aborted(cause), |producer| {
                producer.abort(cause)
            });
        }
        Ok(())
    }

    pub(super) fn drop_group(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.writers.len()) {
            self.end_writer(at, GroupEnd::Aborted(Abort::Internal), drop);
        }
        Ok(())
    }

    fn end_writer(&mut self, at: usize, end: GroupEnd, call: impl FnOnce(GroupProducer)) {
        let writer = self.writers.swap_remove(at);
        let (track, group) = (writer.track, writer.group);
        let sequence = self.track(track).groups[group].sequence;
        self.note(|| format!("track {track} group {sequence} ends: {end:?}"));
        self.track_mut(track).end_group(group, end);
        call(writer.producer);
    }

    /// Waits for a group to take no more frames.
    pub(super) fn watch_group(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        let Some(at) = pick(a, self.writers.len()) else {
            return Ok(());
        };
        let writer = &mut self.writers[at];
        let track = &mut self.reference.tracks[writer.track];
        let polled = if let Some(unused) = &mut writer.unused {
            let polled = writer.waiter.poll(|cx| unused.as_mut().poll(cx));
            // A group that nobody reads is given up.
            if track.groups[writer.group].handles == 0 {
                let end = GroupEnd::Aborted(Abort::Cancelled);
                track.end_group(writer.group, end);
            }
            polled
        } else {
            writer.waiter.poll(|cx| writer.producer.poll_closed(cx))
        };
        let is_over = track.groups[writer.group].is_over();
        same("closed", &polled.is_ready(), &is_over)?;
        if is_over {
            writer.unused = None;
        }
        if polled == Poll::Pending {
            self.count("waits for a group's end");
        }
        Ok(())
    }
}
