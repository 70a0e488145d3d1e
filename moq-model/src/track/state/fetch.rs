//! Groups that are read without a subscription.

use super::arena::GroupId;
use super::effects::{Effects, Notify};
use super::phase::Kind;
use super::{Cursor, TrackState};
use crate::clock::Instant;
use crate::error::{Abort, GroupEnd};
use crate::track::fetch::Fetch;

impl<W: Notify> TrackState<W> {
    /// Joins a group that is complete so far: held, or on its way because somebody fetched it.
    pub(crate) fn join_whole(&mut self, fetch: &Fetch) -> Option<(GroupId, Cursor)> {
        let held = self.groups.held_at(fetch.group);
        let is_whole = |id| {
            self.groups
                .get(id)
                .is_some_and(|group| group.phase().is_whole())
        };
        if let Some(id) = held.filter(|&id| is_whole(id)) {
            return self.join(id, fetch);
        }
        let covers = |kind| match kind {
            Kind::Fetched { first, end } => fetch.is_covered_by(first, end),
            Kind::Live | Kind::Datagram => false,
        };
        let mut fetched = self.groups.fetched_at(fetch.group);
        let id = fetched.find(|&id| {
            let kind = self.groups.get(id).map(|group| group.kind());
            is_whole(id) && kind.is_some_and(covers)
        });
        drop(fetched);
        self.join(id?, fetch)
    }

    /// Joins a group that is held, as it is.
    pub(crate) fn join_held(&mut self, fetch: &Fetch) -> Option<(GroupId, Cursor)> {
        let id = self.groups.held_at(fetch.group)?;
        self.join(id, fetch)
    }

    /// Adds a group for the frames that are asked for, and joins it. It is charged for.
    pub(crate) fn begin_fetch(&mut self, fetch: &Fetch, now: Instant) -> Option<(GroupId, Cursor)> {
        let kind = Kind::Fetched {
            first: fetch.first_frame,
            end: fetch.end_frame,
        };
        let id = self.groups.add_fetched(fetch.group, kind, now);
        self.join(id, fetch)
    }

    fn join(&mut self, id: GroupId, fetch: &Fetch) -> Option<(GroupId, Cursor)> {
        let group = self.groups.get_mut(id)?;
        let first = match group.kind() {
            Kind::Fetched { first, .. } => first,
            Kind::Live | Kind::Datagram => 0,
        };
        let held = |frame: u64| usize::try_from(frame.saturating_sub(first)).unwrap_or(usize::MAX);
        let cursor = Cursor {
            slot: group.attach(),
            next: held(fetch.first_frame),
            end: fetch.end_frame.map(held),
            is_fetch: true,
        };
        Some((id, cursor))
    }

    /// Gives a group up that nobody reads; says whether it has ended. Nobody joins it from then on.
    pub(crate) fn end_group_unused(
        &mut self,
        id: GroupId,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> bool {
        let is_unused = self.groups.get(id).is_some_and(|group| !group.is_read());
        if is_unused {
            let end = GroupEnd::Aborted(Abort::Cancelled);
            self.end_group(id, end, fx);
        }
        self.is_group_closed(id, waiter, fx)
    }
}
