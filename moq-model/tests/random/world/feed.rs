//! Tracks: made, told of and ended.

use std::task::{Context, Poll, Waker};

use moq_model::session::Request;
use moq_model::{Abort, GroupEnd, Track, TrackConsumer, WriteError};

use super::setting::cause;
use super::{Home, Outcome, TrackSlot, World, pick, pick_late, same};
use crate::reference;

const NAMES: [&str; 3] = ["a", "b", "c"];

impl World {
    pub(super) fn track(&self, index: usize) -> &reference::Track {
        &self.reference.tracks[index]
    }

    pub(super) fn track_mut(&mut self, index: usize) -> &mut reference::Track {
        &mut self.reference.tracks[index]
    }

    /// The track of this name that can be found in a broadcast.
    fn listed(&self, home: usize, name: &str) -> Option<usize> {
        let mut tracks = self.reference.tracks.iter();
        tracks.position(|track| track.is_listed && track.feeder == home && track.name == name)
    }

    pub(super) fn create(&mut self, [a, b, c, _]: [u64; 4]) -> Outcome {
        let Some(home) = pick(a, self.homes.len()) else {
            return Ok(());
        };
        let Home::Local(broadcast) = &self.homes[home] else {
            return self.ask([a, b, c, 0]);
        };
        let (name, info) = (NAMES[b as usize % 3], self.setting.info(c));
        let listed = self.listed(home, name);
        let mut track = Track::new(name);
        track.info = info;
        let created = broadcast.create(track);
        if listed.is_some_and(|held| self.track(held).end.is_none()) {
            return same("create", &created.err(), &Some(WriteError::Duplicate));
        }
        let producer = created.map_err(|error| format!("create: {error}"))?;
        if let Some(held) = listed {
            self.track_mut(held).is_listed = false;
        }
        let index = self.add(home, name, true);
        self.track_mut(index).info = Some(info);
        self.tracks[index].consumer = Some(producer.consume());
        self.tracks[index].local = Some(producer);
        self.note(|| format!("track {index} = create {name} {info:?}"));
        Ok(())
    }

    fn add(&mut self, home: usize, name: &str, is_local: bool) -> usize {
        let track = reference::Track::new(name, home, None, is_local);
        self.reference.tracks.push(track);
        self.tracks.push(TrackSlot::default());
        self.tracks.len() - 1
    }

    pub(super) fn ask(&mut self, [a, b, c, _]: [u64; 4]) -> Outcome {
        let home = pick(a, self.homes.len()).unwrap();
        let Home::Fed { broadcast, .. } = &self.homes[home] else {
            return Ok(());
        };
        let name = NAMES[b as usize % 3];
        let consumer = broadcast.track(name).map_err(|error| error.to_string())?;
        let index = self.asked(home, name, &consumer)?;
        if c % 8 > 0 {
            self.accept_with(index, c / 8);
        }
        Ok(())
    }

    /// The track that a broadcast was asked for: the one that is there, or a new one.
    pub(super) fn asked(
        &mut self,
        home: usize,
        name: &str,
        consumer: &TrackConsumer,
    ) -> Outcome<usize> {
        let listed = self.listed(home, name);
        let request = self.next_request(home);
        if let Some(index) = listed.filter(|&held| self.track(held).end.is_none()) {
            if request.is_some() {
                return Err(format!("{name} is asked for again"));
            }
            self.tracks[index].consumer = Some(consumer.clone());
            return Ok(index);
        }
        let Some(Request::Track(request)) = request else {
            return Err(format!("{name} is not asked for"));
        };
        if let Some(held) = listed {
            self.track_mut(held).is_listed = false;
        }
        let index = self.add(home, name, false);
        self.tracks[index].consumer = Some(consumer.clone());
        self.tracks[index].fed = Some(request.track);
        self.note(|| format!("track {index} = ask for {name}"));
        Ok(index)
    }

    pub(super) fn next_request(&mut self, home: usize) -> Option<Request> {
        let Home::Fed { queue, .. } = &mut self.homes[home] else {
            return None;
        };
        match queue.poll_next(&Context::from_waker(Waker::noop())) {
            Poll::Ready(request) => Some(request),
            Poll::Pending => None,
        }
    }

    pub(super) fn home_of(&self, track: usize) -> &Home {
        &self.homes[self.track(track).feeder]
    }

    /// A track that is still fed.
    pub(super) fn fed(&self, arg: u64) -> Option<usize> {
        let fed = |&index: &usize| self.tracks[index].fed.is_some();
        let all: Vec<_> = (0..self.tracks.len()).filter(fed).collect();
        pick_late(arg, all.len()).map(|at| all[at])
    }

    /// A track that still has somebody who writes or feeds it.
    pub(super) fn written(&self, arg: u64) -> Option<usize> {
        let is_written = |&index: &usize| {
            let slot = &self.tracks[index];
            slot.fed.is_some() || slot.local.is_some()
        };
        let all: Vec<_> = (0..self.tracks.len()).filter(is_written).collect();
        pick_late(arg, all.len()).map(|at| all[at])
    }

    pub(super) fn accept(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.fed(a) {
            self.accept_with(index, b);
        }
        Ok(())
    }

    fn accept_with(&mut self, index: usize, arg: u64) {
        let info = self.setting.info(arg);
        if let Some(feed) = &self.tracks[index].fed {
            self.log.push(format!("track {index} accept {info:?}"));
            feed.accept(info);
            self.track_mut(index).accept(info);
        }
    }

    pub(super) fn finish_track(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.written(a) {
            self.note(|| format!("track {index} finish"));
            let slot = &mut self.tracks[index];
            if let Some(local) = slot.local.take() {
                local.finish();
            }
            if let Some(fed) = slot.fed.take() {
                fed.finish();
            }
            self.note_end(index, None);
        }
        Ok(())
    }

    pub(super) fn abort_track(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.written(a) {
            self.abort_with(index, cause(b));
        }
        Ok(())
    }

    fn abort_with(&mut self, index: usize, cause: Abort) {
        self.note(|| format!("track {index} abort {cause:?}"));
        let slot = &mut self.tracks[index];
        if let Some(local) = slot.local.take() {
            local.abort(cause);
        }
        if let Some(fed) = slot.fed.take() {
            fed.abort(cause);
        }
        self.note_end(index, Some(cause));
    }

    pub(super) fn drop_track(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.written(a) {
            self.note(|| format!("track {index} drop its producer"));
            let slot = &mut self.tracks[index];
            drop((slot.local.take(), slot.fed.take()));
            self.note_end(index, Some(Abort::Internal));
        }
        Ok(())
    }

    /// The last producer has gone.
    fn note_end(&mut self, index: usize, cause: Option<Abort>) {
        let now = self.reference.now;
        let track = self.track_mut(index);
        track.finish_or_abort(cause, now);
        track.is_listed &= track.is_local;
    }

    /// What a session's death does: what is on its way is given up, then the track.
    pub(super) fn lose_session(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let Some(index) = self.written(a) else {
            return Ok(());
        };
        self.note(|| format!("track {index} loses its session"));
        let all = std::mem::take(&mut self.writers);
        let (lost, left): (Vec<_>, _) = all.into_iter().partition(|each| each.track == index);
        self.writers = left;
        for writer in lost {
            writer.producer.abort(Abort::SessionClosed);
            let end = GroupEnd::Aborted(Abort::SessionClosed);
            self.track_mut(index).end_group(writer.group, end);
        }
        if b % 3 > 0 {
            self.abort_with(index, Abort::SessionClosed);
        }
        Ok(())
    }

    pub(super) fn end_unused(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        let Some(index) = self.fed(a) else {
            return Ok(());
        };
        self.note(|| format!("track {index} end if unused"));
        let is_over = self.tracks[index].fed.as_ref().unwrap().end_unused();
        let now = self.reference.now;
        let track = self.track_mut(index);
        if !track.is_read() && track.end.is_none() {
            track.is_unused = true;
            track.finish_or_abort(Some(Abort::Cancelled), now);
        }
        same("end_unused", &is_over, &track.end.is_some())
    }

    pub(super) fn set_start(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.fed(a) {
            let next = self.track(index).next_sequence();
            let first = if b.is_multiple_of(2) {
                0
            } else {
                next.saturating_sub(b / 2 % 5)
            };
            self.note(|| format!("track {index} set_start {first}"));
            self.tracks[index].fed.as_ref().unwrap().set_start(first);
            self.track_mut(index).set_start(first);
        }
        Ok(())
    }

    pub(super) fn set_end(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = self.fed(a) {
            let end = self.track(index).next_sequence() + b % 4;
            self.note(|| format!("track {index} set_end {end}"));
            self.tracks[index].fed.as_ref().unwrap().set_end(end);
            self.track_mut(index).told_end = Some(end);
        }
        Ok(())
    }

    pub(super) fn drop_groups(&mut self, [a, b, c, d]: [u64; 4]) -> Outcome {
        if let Some(index) = self.fed(a) {
            let start = (self.track(index).next_sequence() + 2).saturating_sub(b % 8);
            let end = if b / 8 % 6 == 0 {
                u64::MAX
            } else {
                start + c % 5
            };
            let cause = cause(d);
            self.note(|| format!("track {index} drop_groups {start}..{end} {cause:?}"));
            let feed = self.tracks[index].fed.as_ref().unwrap();
            feed.drop_groups(start..end, cause);
            self.track_mut(index).drop_groups(start, end, cause);
        }
        Ok(())
    }

    pub(super) fn drop_handle(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(index) = pick(a, self.tracks.len()) {
            self.note(|| format!("track {index} drop the consumer"));
            self.tracks[index].consumer = None;
        }
        Ok(())
    }
}
