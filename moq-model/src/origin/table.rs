//! Routes by path, as plain data.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::task::Waker;

use slab::Slab;

use super::log::{Log, Position};
use super::route::{Route, SessionId, Source, SplitHorizon};
use super::sessions::Sessions;
use super::watcher::Watcher;
use crate::path::BroadcastPath;
use crate::state::Waiter;

/// One announced route.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// Changes with the route.
    pub(super) revision: u64,
    pub(super) route: Route,
    pub(super) source: Source,
    /// The session that it was learned from.
    pub(super) session: Option<SessionId>,
    /// The session is silent.
    pub(super) is_silent: bool,
    /// Another publisher can be reached at the same path.
    pub(super) is_contested: bool,
    pub(super) notice: Notice,
}

impl Entry {
    /// Orders the routes of a path, the better one first. Among equals the newest wins: a publisher
    /// that restarted comes before its remains.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let routes = || self.route.compare(&other.route);
        let silence = self.is_silent.cmp(&other.is_silent);
        silence.then_with(routes).then(other.id.cmp(&self.id))
    }

    /// The route as it is told: one of a silent session is the last resort.
    pub(super) fn told(&self) -> Route {
        let mut route = self.route.clone();
        if self.is_silent {
            route.saturate();
        }
        route
    }
}

/// How far it is known that peers noticed a route.
#[derive(Debug, Default)]
pub(super) struct Notice {
    /// The announcement went out to a peer.
    pub(super) is_told: bool,
    /// A peer asked for what the route leads to.
    pub(super) is_requested: bool,
    /// Who holds the publication.
    pub(super) waiter: Waiter,
}

impl Notice {
    fn tell(&mut self) -> Option<Waker> {
        self.is_told = true;
        self.waiter.take()
    }

    fn request(&mut self) -> Option<Waker> {
        self.is_requested = true;
        self.waiter.take()
    }
}

/// Names a path in the table; used again after the path is forgotten.
pub(super) type NodeId = usize;

/// A path that is announced, or whose end some watcher was not told of yet.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) path: BroadcastPath,
    /// Best route first.
    pub(super) routes: Vec<Entry>,
    /// The last change.
    pub(super) changed: Position,
    /// How many watchers were told that it is there.
    pub(super) informed: usize,
}

impl Node {
    /// The best route that `peer` may use.
    pub(super) fn best(&self, peer: &SplitHorizon) -> Option<&Entry> {
        let mut routes = self.routes.iter();
        routes.find(|entry| peer.may_use(&entry.route, entry.session))
    }
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) index: BTreeMap<BroadcastPath, NodeId>,
    pub(super) nodes: Slab<Node>,
    pub(super) log: Log,
    pub(super) watchers: Slab<Watcher>,
    pub(super) sessions: Sessions,
    /// Tasks to wake once the lock is released.
    pub(super) woken: Vec<Waker>,
    /// Sources that have not told all they have yet.
    syncing: usize,
    serial: u64,
}

impl Table {
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn insert(&mut self, path: &BroadcastPath, entry: Entry) {
        let add = || {
            self.nodes.insert(Node {
                path: path.clone(),
                routes: Vec::new(),
                changed: 0,
                informed: 0,
            })
        };
        let id = *self.index.entry(path.clone()).or_insert_with(add);
        self.count_in(entry.session, id);
        let routes = &mut self.nodes[id].routes;
        let at = routes.partition_point(|held| held.compare(&entry).is_lt());
        if routes.is_empty() {
            // Most paths have no other one.
            routes.reserve_exact(1);
        }
        routes.insert(at, entry);
        self.contest(id);
        self.touch(id);
    }

    pub(super) fn remove(&mut self, path: &BroadcastPath, id: u64) -> Option<Entry> {
        let node = *self.index.get(path)?;
        let routes = &mut self.nodes[node].routes;
        let at = routes.iter().position(|entry| entry.id == id)?;
        let entry = routes.remove(at);
        self.count_out(&entry, node);
        self.contest(node);
        self.touch(node);
        self.forget_gone(node);
        Some(entry)
    }

    /// Forgets a path without a route, once every watcher was told of its end.
    pub(super) fn forget_gone(&mut self, id: NodeId) {
        let node = &self.nodes[id];
        if node.routes.is_empty() && node.informed == 0 {
            let node = self.nodes.remove(id);
            self.index.remove(&node.path);
        }
    }

    pub(super) fn begin_sync(&mut self) {
        self.syncing += 1;
    }

    pub(super) fn end_sync(&mut self) {
        self.syncing -= 1;
        if self.syncing == 0 {
            let watchers = &mut self.watchers;
            let woken = watchers.iter_mut().filter_map(|(_, w)| w.waiter.take());
            self.woken.extend(woken);
        }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.syncing == 0
    }

    /// Has watchers look at a path again.
    pub(super) fn touch(&mut self, id: NodeId) {
        if self.log.len() > 2 * self.nodes.len() + SPARE {
            let nodes = &self.nodes;
            self.log
                .compact(|position, id| nodes.get(id).is_some_and(|node| node.changed == position));
        }
        let node = &mut self.nodes[id];
        node.changed = self.log.append(id);
        // It came and went unseen.
        if node.routes.is_empty() && node.informed == 0 {
            return;
        }
        for (_, watcher) in &mut self.watchers {
            if watcher.is_concerned(&node.path) {
                self.woken.extend(watcher.waiter.take());
            }
        }
    }

    fn node(&self, path: &BroadcastPath) -> Option<&Node> {
        self.index.get(path).map(|&id| &self.nodes[id])
    }

    /// What is known of the first route at `path` that is the one.
    pub(super) fn notice(
        &mut self,
        path: &BroadcastPath,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Option<&mut Notice> {
        let node = &mut self.nodes[*self.index.get(path)?];
        let entry = node.routes.iter_mut().find(|entry| is_it(entry))?;
        Some(&mut entry.notice)
    }

    /// Notes that the route which a watcher was told last for a path went out to its peer.
    pub(super) fn note_told(&mut self, slot: usize, path: &BroadcastPath) {
        let known = &self.watchers[slot].known;
        let revision = self.index.get(path).and_then(|id| known.get(id).copied());
        let Some(revision) = revision else { return };
        let notice = self.notice(path, |entry| entry.revision == revision);
        let woken = notice.and_then(Notice::tell);
        self.woken.extend(woken);
    }

    /// Notes that a peer asked for what the route `id` at `path` leads to.
    pub(super) fn note_requested(&mut self, path: &BroadcastPath, id: u64) {
        let notice = self.notice(path, |entry| entry.id == id);
        let woken = notice.and_then(Notice::request);
        self.woken.extend(woken);
    }

    /// The tasks to wake once the lock is released.
    pub(super) fn take_woken(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.woken)
    }

    /// The best route of the longest announced prefix of `path`.
    pub(super) fn resolve(
        &self,
        path: &BroadcastPath,
        peer: &SplitHorizon,
    ) -> Option<(BroadcastPath, &Entry)> {
        let mut prefix = path.clone();
        loop {
            if let Some(entry) = self.node(&prefix).and_then(|node| node.best(peer)) {
                return Some((prefix, entry));
            }
            prefix = prefix.parent()?;
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let is_unknown = self.index.is_empty() && self.nodes.is_empty();
        is_unknown && self.watchers.is_empty() && self.sessions.is_empty()
    }
}

/// Void entries that the log may have besides as many as there are paths.
const SPARE: usize = 64;
