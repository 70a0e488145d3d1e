//! Reading one group without a subscription.

use std::sync::Arc;

use super::shared::TrackShared;
use super::state::TrackState;
use crate::budget::Charge;
use crate::group::{Fetched, Group, GroupConsumer, GroupProducer, Kind};
use crate::request::FetchRequest;

/// One group of a track, or some of its frames. Draft: FETCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetch {
    /// The group's sequence.
    pub group: u64,
    /// The number of the first frame wanted.
    pub frame_start: u64,
    /// The number of the first frame that is no longer wanted; `None` for all there will be.
    pub frame_end: Option<u64>,
    /// Among the fetches and subscriptions of a session; higher is sent first.
    pub priority: u8,
}

impl Fetch {
    /// All frames of a group.
    #[must_use]
    pub fn new(group: u64) -> Self {
        Self {
            group,
            frame_start: 0,
            frame_end: None,
            priority: 127,
        }
    }

    /// Begins at the frame of this number, counted from 0.
    #[must_use]
    pub fn from(mut self, frame: u64) -> Self {
        self.frame_start = frame;
        self
    }

    /// Ends before the frame of this number.
    #[must_use]
    pub fn until(mut self, frame: u64) -> Self {
        self.frame_end = Some(frame);
        self
    }

    /// Ranks this fetch within its session.
    #[must_use]
    pub fn with_priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Whether a group that was fetched as `held` has what is wanted now.
    fn is_covered_by(&self, held: &Fetched) -> bool {
        let reaches = |until| self.frame_end.is_some_and(|end| end <= until);
        held.first <= self.frame_start && held.until.is_none_or(reaches)
    }
}

/// A group, and the reader's slot in it.
type Attached = (Arc<Group>, usize);

impl TrackState {
    /// A group that is held, or that has begun.
    fn held(&self, sequence: u64) -> Option<&Arc<Group>> {
        let held = self.groups.get(&sequence).map(|entry| &entry.group);
        held.or_else(|| self.unborn.get(&sequence))
    }

    /// Joins a group that is complete so far: here, or on its way because somebody fetched it.
    fn join_whole(&self, fetch: &Fetch) -> Option<Attached> {
        let join = |group: Arc<Group>| {
            let slot = group.attach_if_whole()?;
            Some((group, slot))
        };
        if let Some(joined) = self.held(fetch.group).cloned().and_then(join) {
            return Some(joined);
        }
        let fetched = self.fetched.get(&fetch.group)?.iter();
        let fetched = fetched.filter_map(std::sync::Weak::upgrade);
        let mut fetched = fetched.filter(|group| match &group.kind {
            Kind::Fetched(held) => fetch.is_covered_by(held),
            Kind::Live | Kind::Datagram => false,
        });
        fetched.find_map(join)
    }

    /// Joins a group as it is.
    fn join(&self, fetch: &Fetch) -> Option<Attached> {
        let group = self.held(fetch.group)?.clone();
        let slot = group.attach();
        Some((group, slot))
    }

    /// Lets others share a group that is fetched; those that nobody has any more are forgotten.
    fn share(&mut self, group: &Arc<Group>) {
        self.fetched.retain(|_, groups| {
            groups.retain(|group| group.strong_count() > 0);
            !groups.is_empty()
        });
        let groups = self.fetched.entry(group.sequence).or_default();
        groups.push(Arc::downgrade(group));
    }
}

impl TrackShared {
    /// A group that is here, or on its way from whoever feeds the track.
    pub(super) fn fetch(self: &Arc<Self>, fetch: &Fetch) -> Option<GroupConsumer> {
        let mut state = self.lock();
        let consumer = |(group, slot)| GroupConsumer::fetched(self.clone(), group, slot, fetch);
        let Some(upstream) = &self.upstream else {
            return state.join(fetch).map(consumer);
        };
        if let Some(joined) = state.join_whole(fetch) {
            return Some(consumer(joined));
        }
        let kind = Kind::Fetched(Fetched {
            first: fetch.frame_start,
            until: fetch.frame_end,
            charge: Charge::new(self.budget.clone()),
        });
        let group = Group::new(fetch.group, kind);
        state.share(&group);
        let slot = group.attach();
        drop(state);
        upstream.fetch(|broadcast| FetchRequest {
            broadcast,
            track: self.name.clone(),
            fetch: *fetch,
            group: GroupProducer::new(self.clone(), group.clone()),
        });
        Some(consumer((group, slot)))
    }
}
