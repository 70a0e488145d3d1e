//! Routes by path, and who watches them, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use slab::Slab;

use super::route::{Peer, Route, Source};
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
    pub(super) session: Option<u64>,
    pub(super) notice: Notice,
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
    fn tell(&mut self) {
        self.is_told = true;
        self.waiter.wake();
    }

    pub(super) fn request(&mut self) {
        self.is_requested = true;
        self.waiter.wake();
    }
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Best route first; never an empty list.
    routes: BTreeMap<BroadcastPath, Vec<Entry>>,
    pub(super) watchers: Slab<Watcher>,
    /// Sources that have not told all they have yet.
    syncing: usize,
    serial: u64,
}

/// Somebody who follows the announcements below a prefix.
#[derive(Debug)]
pub(super) struct Watcher {
    prefix: BroadcastPath,
    /// Paths to look at again.
    pub(super) dirty: BTreeSet<BroadcastPath>,
    /// The revisions of the routes that it was told, by path.
    pub(super) known: BTreeMap<BroadcastPath, u64>,
    pub(super) waiter: Waiter,
}

impl Table {
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn insert(&mut self, path: &BroadcastPath, entry: Entry) {
        let routes = self.routes.entry(path.clone()).or_default();
        // Among equals the newest wins: a publisher that restarted comes before its remains.
        let at = routes.partition_point(|held| held.route.compare(&entry.route).is_lt());
        routes.insert(at, entry);
        self.touch(path);
    }

    pub(super) fn remove(&mut self, path: &BroadcastPath, id: u64) -> Option<Entry> {
        let routes = self.routes.get_mut(path)?;
        let at = routes.iter().position(|entry| entry.id == id)?;
        let entry = routes.remove(at);
        if routes.is_empty() {
            self.routes.remove(path);
        }
        self.touch(path);
        Some(entry)
    }

    /// Makes what was learned from a session the last resort.
    pub(super) fn drain(&mut self, session: u64) {
        let of_session = |entry: &Entry| entry.session == Some(session);
        let drained = self.routes.iter();
        let drained = drained.filter(|(_, routes)| routes.iter().any(of_session));
        let drained: Vec<_> = drained.map(|(path, _)| path.clone()).collect();
        for path in drained {
            let revision = self.next_serial();
            if let Some(routes) = self.routes.get_mut(&path) {
                for entry in routes.iter_mut().filter(|entry| of_session(entry)) {
                    entry.route.saturate();
                    entry.revision = revision;
                }
                routes.sort_by(|a, b| a.route.compare(&b.route));
            }
            self.touch(&path);
        }
    }

    /// How many routes were learned from a session.
    pub(super) fn count(&self, session: u64) -> usize {
        let routes = self.routes.values().flatten();
        routes
            .filter(|entry| entry.session == Some(session))
            .count()
    }

    pub(super) fn begin_sync(&mut self) {
        self.syncing += 1;
    }

    pub(super) fn end_sync(&mut self) {
        self.syncing -= 1;
        if self.syncing == 0 {
            for (_, watcher) in &mut self.watchers {
                watcher.waiter.wake();
            }
        }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.syncing == 0
    }

    fn touch(&mut self, path: &BroadcastPath) {
        let exists = self.routes.contains_key(path);
        for (_, watcher) in &mut self.watchers {
            if !path.has_prefix(&watcher.prefix) && !watcher.prefix.has_prefix(path) {
                continue;
            }
            if exists || watcher.known.contains_key(path) {
                watcher.dirty.insert(path.clone());
                watcher.waiter.wake();
            } else {
                // It came and went unseen: whoever looks seldom keeps no list of such paths.
                watcher.dirty.remove(path);
            }
        }
    }

    /// The best route at exactly `path` that `peer` may use.
    pub(super) fn best(&self, path: &BroadcastPath, peer: &Peer) -> Option<&Entry> {
        self.routes
            .get(path)?
            .iter()
            .find(|entry| peer.may_use(&entry.route, entry.session))
    }

    /// What is known of the first route at `path` that is the one.
    pub(super) fn notice(
        &mut self,
        path: &BroadcastPath,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Option<&mut Notice> {
        let routes = self.routes.get_mut(path)?;
        let entry = routes.iter_mut().find(|entry| is_it(entry))?;
        Some(&mut entry.notice)
    }

    /// Notes that the route which a watcher was told last for a path went out to its peer.
    pub(super) fn note_told(&mut self, slot: usize, path: &BroadcastPath) {
        let Some(&revision) = self.watchers[slot].known.get(path) else {
            return;
        };
        if let Some(notice) = self.notice(path, |entry| entry.revision == revision) {
            notice.tell();
        }
    }

    /// The best route of the longest announced prefix of `path`.
    pub(super) fn resolve(
        &self,
        path: &BroadcastPath,
        peer: &Peer,
    ) -> Option<(BroadcastPath, &Entry)> {
        let mut prefix = path.clone();
        loop {
            if let Some(entry) = self.best(&prefix, peer) {
                return Some((prefix, entry));
            }
            prefix = prefix.parent()?;
        }
    }

    /// Begins to follow: everything below the prefix, and what covers it, is to be looked at.
    pub(super) fn watch(&mut self, prefix: &BroadcastPath) -> usize {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let below = self
            .routes
            .range::<BroadcastPath, _>(from)
            .map(|(path, _)| path);
        let mut dirty: BTreeSet<_> = below
            .take_while(|path| path.as_str().starts_with(prefix.as_str()))
            .filter(|path| path.has_prefix(prefix))
            .cloned()
            .collect();
        let mut above = prefix.parent();
        while let Some(path) = above {
            above = path.parent();
            if self.routes.contains_key(&path) {
                dirty.insert(path);
            }
        }
        self.watchers.insert(Watcher {
            prefix: prefix.clone(),
            dirty,
            known: BTreeMap::new(),
            waiter: Waiter::default(),
        })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.watchers.is_empty()
    }
}
