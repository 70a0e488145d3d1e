//! Reading one group without a subscription.

use std::sync::Arc;

use super::shared::TrackShared;
use super::state::{Cursor, GROUP_CHARGE, GroupId};
use crate::clock;
use crate::error::{ReadError, WriteError};
use crate::group::{GroupConsumer, GroupProducer};
use crate::request::FetchRequest;

/// One group of a track, or some of its frames. Draft: FETCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetch {
    /// The group's sequence.
    pub group: u64,
    /// The number of the first frame that is wanted, counted from 0.
    pub first_frame: u64,
    /// The number after that of the last frame that is wanted; `None` for all there will be.
    pub end_frame: Option<u64>,
    /// Among the fetches and subscriptions of a session; higher is sent first.
    pub priority: u8,
}

impl Fetch {
    /// All frames of a group.
    #[must_use]
    pub fn new(group: u64) -> Self {
        Self {
            group,
            first_frame: 0,
            end_frame: None,
            priority: 127,
        }
    }

    /// Begins at the frame of this number, counted from 0.
    #[must_use]
    pub fn with_first_frame(mut self, frame: u64) -> Self {
        self.first_frame = frame;
        self
    }

    /// Ends before the frame of this number.
    #[must_use]
    pub fn with_end_frame(mut self, frame: u64) -> Self {
        self.end_frame = Some(frame);
        self
    }

    /// Ranks this fetch within its session.
    #[must_use]
    pub fn with_priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Whether a group that was fetched from `first` up to `end` has what is wanted now.
    pub(super) fn is_covered_by(&self, first: u64, end: Option<u64>) -> bool {
        let reaches = |end| self.end_frame.is_some_and(|wanted| wanted <= end);
        first <= self.first_frame && end.is_none_or(reaches)
    }
}

impl TrackShared {
    /// A group that is here, or on its way from whoever feeds the track.
    pub(super) fn fetch(self: &Arc<Self>, fetch: &Fetch) -> Result<GroupConsumer, ReadError> {
        let Some(upstream) = &self.upstream else {
            let held = self.read(|state, _| state.join_held(fetch));
            let (id, cursor) = held.ok_or(ReadError::NoGroup(fetch.group))?;
            return Ok(GroupConsumer::fetched(
                self.clone(),
                id,
                fetch.group,
                cursor,
            ));
        };
        let joined = self.join_or_begin(fetch);
        let (id, cursor, is_new) = joined.ok_or(ReadError::NoRoom(fetch.group))?;
        let consumer = GroupConsumer::fetched(self.clone(), id, fetch.group, cursor);
        if !is_new {
            return Ok(consumer);
        }
        upstream.fetch(|broadcast| FetchRequest {
            broadcast,
            track: self.name.clone(),
            fetch: *fetch,
            group: GroupProducer::new(self.clone(), id, fetch.group),
        });
        Ok(consumer)
    }

    /// Joins a group that is complete so far, or makes one that is to be asked for; says whether it
    /// is new. `None` if the budget has no room for it.
    fn join_or_begin(&self, fetch: &Fetch) -> Option<(GroupId, Cursor, bool)> {
        if let Some((id, cursor)) = self.read(|state, _| state.join_whole(fetch)) {
            return Some((id, cursor, false));
        }
        let now = clock::now();
        let joined = self.pay(
            GROUP_CHARGE,
            |_| Ok(()),
            |state, _| match state.join_whole(fetch) {
                Some((id, cursor)) => Ok(Err((id, cursor, false))),
                None => {
                    let begun = state.begin_fetch(fetch, now).ok_or(WriteError::Dropped)?;
                    Ok(Ok((begun.0, begun.1, true)))
                }
            },
        );
        match joined.ok()? {
            Ok(begun) => Some(begun),
            Err(joined) => {
                self.give_back(GROUP_CHARGE);
                Some(joined)
            }
        }
    }
}
