//! Groups that are fetched: asked for, answered, refused and given up.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moq_model::session::Request;
use moq_model::{Fetch, ReadError};

use super::{Outcome, World, pick_late, same};
use crate::reference::Fetched;

impl World {
    pub(super) fn fetch(&mut self, [a, b, c, d]: [u64; 4]) -> Outcome {
        let Some(index) = self.consumed(a) else {
            return Ok(());
        };
        let next = self.track(index).next_sequence();
        let mut fetch = Fetch::new((next + 1).saturating_sub(b % 6));
        if c % 3 == 0 {
            fetch = fetch.with_first_frame(c / 3 % 3);
        }
        if d % 3 == 0 {
            fetch = fetch.with_end_frame(d / 3 % 4);
        }
        if self.track(index).info.is_none() {
            return self.fetch_unaccepted(index, fetch);
        }
        let mut after = self.reference.clone();
        let expected = after.fetch(index, &fetch);
        if after.is_ambiguous {
            return Ok(());
        }
        self.reference = after;
        self.note(|| format!("track {index} fetch {fetch:?}: {expected:?}"));
        let consumer = self.tracks[index].consumer.clone().unwrap();
        let polled = pin!(consumer.fetch(fetch)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(fetched) = polled else {
            return Err("a fetch waits".to_owned());
        };
        let (group, is_new) = match expected {
            Fetched::NotFound => {
                let error = ReadError::NoGroup(fetch.group);
                return same("fetch", &fetched.err(), &Some(error));
            }
            Fetched::Joined(group) => (group, false),
            Fetched::Asked(group) => (group, true),
        };
        let consumer = fetched.map_err(|error| format!("fetch: {error}"))?;
        let cursor = self.track_mut(index).join(group, &fetch);
        self.add_consumer(index, cursor, consumer);
        match self.next_request(self.track(index).feeder) {
            Some(Request::Fetch(request)) if is_new => {
                self.count("groups fetched");
                let unused = Box::pin(request.unused());
                self.add_writer(index, group, request.group);
                self.writers.last_mut().unwrap().unused = Some(unused);
                Ok(())
            }
            None if !is_new => Ok(()),
            request => Err(format!("a fetch makes {request:?}")),
        }
    }

    /// Nothing is fetched before the properties are known.
    fn fetch_unaccepted(&self, index: usize, fetch: Fetch) -> Outcome {
        let end = self.track(index).end;
        if matches!(end, Some((None, _))) {
            return Ok(());
        }
        let consumer = self.tracks[index].consumer.clone().unwrap();
        let polled = pin!(consumer.fetch(fetch)).poll(&mut Context::from_waker(Waker::noop()));
        let expected = end.and_then(|(cause, _)| cause).map(ReadError::Aborted);
        match (polled, expected) {
            (Poll::Pending, None) => Ok(()),
            (Poll::Ready(Err(error)), Some(expected)) if error == expected => Ok(()),
            (polled, expected) => Err(format!("fetch: {polled:?} instead of {expected:?}")),
        }
    }

    /// A track that can be read.
    pub(super) fn consumed(&self, arg: u64) -> Option<usize> {
        let is_there = |&index: &usize| self.tracks[index].consumer.is_some();
        let all: Vec<_> = (0..self.tracks.len()).filter(is_there).collect();
        pick_late(arg, all.len()).map(|at| all[at])
    }
}
