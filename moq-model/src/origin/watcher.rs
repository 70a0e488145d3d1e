//! Who follows announcements, and what each was told, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::announced::AnnouncedEvent;
use super::log::Position;
use super::route::SplitHorizon;
use super::table::{NodeId, Table};
use crate::path::BroadcastPath;
use crate::state::Waiter;

/// Somebody who follows the announcements below a prefix.
#[derive(Debug)]
pub(super) struct Watcher {
    prefix: BroadcastPath,
    /// What was there when it began and it has not looked at yet, the last first.
    initial: Vec<NodeId>,
    /// The first change that it has not looked at.
    cursor: Position,
    /// The revisions of the routes that it was told.
    pub(super) known: BTreeMap<NodeId, u64>,
    pub(super) waiter: Waiter,
    /// Routes of silent sessions are told, as the last resort; else they are gone.
    pub(super) is_told_silent: bool,
    /// It follows on behalf of a peer.
    is_peer: bool,
}

impl Watcher {
    pub(super) fn is_concerned(&self, path: &BroadcastPath) -> bool {
        path.has_prefix(&self.prefix) || self.prefix.has_prefix(path)
    }
}

impl Table {
    /// Begins to follow: everything below the prefix, and what covers it, is to be looked at.
    pub(super) fn watch(&mut self, prefix: &BroadcastPath, is_peer: bool) -> usize {
        let mut initial = Vec::new();
        let mut above = prefix.parent();
        while let Some(path) = above {
            above = path.parent();
            initial.extend(self.index.get(&path));
        }
        initial.reverse();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let below = self
            .index
            .range::<BroadcastPath, _>(from)
            .take_while(|(path, _)| path.as_str().starts_with(prefix.as_str()))
            .filter(|(path, _)| path.has_prefix(prefix));
        initial.extend(below.map(|(_, &node)| node));
        initial.reverse();
        self.watchers.insert(Watcher {
            prefix: prefix.clone(),
            initial,
            cursor: self.log.end(),
            known: BTreeMap::new(),
            waiter: Waiter::default(),
            is_told_silent: true,
            is_peer,
        })
    }

    /// The prefixes that peers have asked for, each once.
    pub(super) fn asked(&self) -> Vec<BroadcastPath> {
        let peers = self.watchers.iter().filter(|(_, watcher)| watcher.is_peer);
        let asked: BTreeSet<_> = peers.map(|(_, watcher)| watcher.prefix.clone()).collect();
        asked.into_iter().collect()
    }

    /// Ends following; returns what is to be dropped once the lock is released.
    pub(super) fn unwatch(&mut self, slot: usize) -> Option<Watcher> {
        let watcher = self.watchers.try_remove(slot)?;
        for &node in watcher.known.keys() {
            self.nodes[node].informed -= 1;
            self.forget_gone(node);
        }
        Some(watcher)
    }

    /// What a watcher is told next on behalf of `peer`, if anything has changed for that.
    pub(super) fn next_event(
        &mut self,
        slot: usize,
        peer: &SplitHorizon,
    ) -> Option<AnnouncedEvent> {
        loop {
            let node = self.next_node(slot)?;
            if let Some(event) = self.look(slot, node, peer) {
                return Some(event);
            }
        }
    }

    /// The next path that a watcher has to look at.
    fn next_node(&mut self, slot: usize) -> Option<NodeId> {
        let watcher = &mut self.watchers[slot];
        while let Some(id) = watcher.initial.pop() {
            // Where the path is gone, another one may be in its place by now.
            let node = self.nodes.get(id);
            if node.is_some_and(|node| watcher.is_concerned(&node.path)) {
                return Some(id);
            }
        }
        watcher.initial = Vec::new();
        for (position, id) in self.log.since(watcher.cursor) {
            watcher.cursor = position + 1;
            let node = self.nodes.get(id).filter(|node| node.changed == position);
            if node.is_some_and(|node| watcher.is_concerned(&node.path)) {
                return Some(id);
            }
        }
        None
    }

    /// Compares what a watcher was told of a path with what there is.
    fn look(&mut self, slot: usize, id: NodeId, peer: &SplitHorizon) -> Option<AnnouncedEvent> {
        let watcher = &mut self.watchers[slot];
        let (known, is_told_silent) = (&mut watcher.known, watcher.is_told_silent);
        let node = &mut self.nodes[id];
        let best = node.best(peer);
        let best = best.filter(|entry| is_told_silent || !entry.is_silent);
        let best = best.map(|entry| (entry.revision, entry.told()));
        let path = node.path.clone();
        match best {
            Some((revision, route)) => match known.insert(id, revision) {
                Some(before) if before == revision => None,
                Some(_) => Some(AnnouncedEvent::Update(path, route)),
                None => {
                    node.informed += 1;
                    Some(AnnouncedEvent::Start(path, route))
                }
            },
            None => {
                known.remove(&id)?;
                node.informed -= 1;
                self.forget_gone(id);
                Some(AnnouncedEvent::End(path))
            }
        }
    }
}
