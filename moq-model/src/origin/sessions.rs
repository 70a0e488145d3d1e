//! Which routes each session has told, and which of them have an alternative, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Waker};

use super::route::{HopId, SessionId};
use super::table::{Entry, NodeId, Table};
use crate::state::Waiter;

/// The sessions that have told a route or are watched, by their serials.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<u64, Told>);

/// What one session has told.
#[derive(Debug, Default)]
struct Told {
    /// The paths with a route of it.
    nodes: BTreeSet<NodeId>,
    routes: usize,
    /// How many of the routes have an alternative.
    contested: usize,
    is_watched: bool,
    waiter: Waiter,
}

impl Sessions {
    fn told(&mut self, session: SessionId) -> &mut Told {
        self.0.entry(session.serial()).or_default()
    }

    fn forget_idle(&mut self, session: SessionId) {
        let serial = session.serial();
        let told = self.0.get(&serial);
        if told.is_some_and(|told| told.routes == 0 && !told.is_watched) {
            self.0.remove(&serial);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Marks the routes of one path that have an alternative: one that leads to another publisher, by a
/// session that is not silent. Says whose marks have changed, and whether they are set.
pub(super) fn mark_contested(routes: &mut [Entry]) -> Vec<(SessionId, bool)> {
    fn first(entry: &Entry) -> Option<HopId> {
        entry.route.hops.first().copied()
    }
    let live = || routes.iter().filter(|entry| !entry.is_silent).map(first);
    let one = live().next();
    let other = live().find(|publisher| Some(publisher) != one.as_ref());
    let mut changed = Vec::new();
    for entry in routes {
        let own = first(entry);
        let mut others = one.iter().chain(&other);
        let is_contested = others.any(|publisher| *publisher != own);
        if is_contested != entry.is_contested {
            entry.is_contested = is_contested;
            changed.extend(entry.session.map(|session| (session, is_contested)));
        }
    }
    changed
}

impl Table {
    /// Counts a route in that was learned from a session.
    pub(super) fn count_in(&mut self, session: Option<SessionId>, node: NodeId) {
        if let Some(session) = session {
            let told = self.sessions.told(session);
            told.nodes.insert(node);
            told.routes += 1;
        }
    }

    /// Counts a route out that is gone from a path.
    pub(super) fn count_out(&mut self, gone: &Entry, node: NodeId) {
        let Some(session) = gone.session else { return };
        let mut left = self.nodes[node].routes.iter();
        let has_more = left.any(|entry| entry.session == Some(session));
        let told = self.sessions.told(session);
        told.routes -= 1;
        told.contested -= usize::from(gone.is_contested);
        if !has_more {
            told.nodes.remove(&node);
        }
        self.sessions.forget_idle(session);
    }

    /// Looks again which routes of a path have an alternative.
    pub(super) fn contest(&mut self, node: NodeId) {
        for (session, is_contested) in mark_contested(&mut self.nodes[node].routes) {
            let told = self.sessions.told(session);
            if is_contested {
                told.contested += 1;
                self.woken.extend(told.waiter.take());
            } else {
                told.contested -= 1;
            }
        }
    }

    /// How many routes were learned from a session.
    pub(super) fn count(&self, session: SessionId) -> usize {
        let told = self.sessions.0.get(&session.serial());
        told.map_or(0, |told| told.routes)
    }

    /// Whether a route of a session has an alternative.
    pub(super) fn is_contested(&self, session: SessionId) -> bool {
        let told = self.sessions.0.get(&session.serial());
        told.is_some_and(|told| told.contested > 0)
    }

    /// Has a task wait until a route of a session has an alternative.
    pub(super) fn await_contest(&mut self, session: SessionId, cx: &Context<'_>) -> Option<Waker> {
        self.sessions.told(session).waiter.register(cx)
    }

    pub(super) fn watch_session(&mut self, session: SessionId) {
        self.sessions.told(session).is_watched = true;
    }

    /// Ends watching; returns what is to be dropped once the lock is released.
    pub(super) fn unwatch_session(&mut self, session: SessionId) -> Waiter {
        let told = self.sessions.told(session);
        told.is_watched = false;
        let waiter = std::mem::take(&mut told.waiter);
        self.sessions.forget_idle(session);
        waiter
    }

    /// Makes what was learned from a session the last resort.
    pub(super) fn drain(&mut self, session: SessionId) {
        self.change_all(session, |entry| {
            entry.route.saturate();
            true
        });
    }

    /// Notes whether a session is silent. As long as it is, any other route is better than its own.
    pub(super) fn set_silent(&mut self, session: SessionId, is_silent: bool) {
        self.change_all(session, |entry| {
            std::mem::replace(&mut entry.is_silent, is_silent) != is_silent
        });
    }

    /// Changes the routes of a session, each of which says whether it is another one then.
    fn change_all(&mut self, session: SessionId, change: impl Fn(&mut Entry) -> bool) {
        let told = self.sessions.0.get(&session.serial());
        let nodes: Option<Vec<_>> = told.map(|told| told.nodes.iter().copied().collect());
        for id in nodes.unwrap_or_default() {
            let revision = self.next_serial();
            let routes = &mut self.nodes[id].routes;
            let of_session = routes.iter_mut();
            for entry in of_session.filter(|entry| entry.session == Some(session)) {
                if change(entry) {
                    entry.revision = revision;
                }
            }
            routes.sort_by(Entry::compare);
            self.contest(id);
            self.touch(id);
        }
    }
}
