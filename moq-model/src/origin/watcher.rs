//! Who follows announcements, and what each was told, as plain data.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::announced::AnnouncedEvent;
use super::log::Position;
use super::route::{Route, SplitHorizon};
use super::table::{NodeId, Table};
use crate::path::BroadcastPath;
use crate::state::Waiter;

/// Somebody who follows the announcements below a prefix.
#[derive(Debug)]
pub(super) struct Watcher {
    prefix: BroadcastPath,
    /// How far it has looked at what was there when it began.
    walk: Walk,
    /// The last page of [`Table::survey`], which is not decided upon.
    page: Vec<NodeId>,
    /// Paths that it has to be told of as started, whatever becomes of them.
    promised: VecDeque<NodeId>,
    /// The first change that it has not looked at.
    cursor: Position,
    /// The revisions of the routes that it was told, [`PROMISED`] for those that it is still to be told.
    pub(super) known: BTreeMap<NodeId, u64>,
    pub(super) waiter: Waiter,
}

/// A walk through the paths of a table, which holds no copy of them.
#[derive(Debug)]
enum Walk {
    /// The prefix and the paths above it that are still to be looked at, the last first.
    Above(Vec<BroadcastPath>),
    /// The paths below the prefix, behind this one.
    Below(BroadcastPath),
    Over,
}

/// What a watcher has to be told next.
#[derive(Debug)]
pub(super) enum Step {
    Event(AnnouncedEvent),
    /// Nothing so far: there is more to look at than is looked at in one go.
    More,
    Idle,
}

impl Watcher {
    pub(super) fn is_concerned(&self, path: &BroadcastPath) -> bool {
        path.has_prefix(&self.prefix) || self.prefix.has_prefix(path)
    }
}

impl Table {
    /// Begins to follow: everything below the prefix, and what covers it, is to be looked at.
    pub(super) fn watch(&mut self, prefix: &BroadcastPath) -> usize {
        let above = std::iter::successors(Some(prefix.clone()), BroadcastPath::parent);
        self.watchers.insert(Watcher {
            prefix: prefix.clone(),
            walk: Walk::Above(above.collect()),
            page: Vec::new(),
            promised: VecDeque::new(),
            cursor: self.log.end(),
            known: BTreeMap::new(),
            waiter: Waiter::default(),
        })
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
    pub(super) fn next_event(&mut self, slot: usize, peer: &SplitHorizon) -> Step {
        if let Some(id) = self.watchers[slot].promised.pop_front() {
            return Step::Event(self.keep_promise(slot, id, peer));
        }
        let mut left = STEPS;
        while left > 0 {
            match self.next_node(slot, &mut left) {
                Some(id) => {
                    if let Some(event) = self.look(slot, id, peer) {
                        return Step::Event(event);
                    }
                }
                None if left > 0 => return Step::Idle,
                None => {}
            }
        }
        Step::More
    }

    /// As [`Self::next_event`], of the prefix and the paths above it only, which are few.
    pub(super) fn next_covering(
        &mut self,
        slot: usize,
        peer: &SplitHorizon,
    ) -> Option<AnnouncedEvent> {
        while matches!(self.watchers[slot].walk, Walk::Above(_)) {
            if let Some(Some(id)) = self.next_in_walk(slot)
                && let Some(event) = self.look(slot, id, peer)
            {
                return Some(event);
            }
        }
        None
    }

    /// The next page of what was there in the beginning, which [`Self::promise`] decides upon; `None`
    /// after the last one.
    pub(super) fn survey(
        &mut self,
        slot: usize,
        peer: &SplitHorizon,
    ) -> Option<Vec<(BroadcastPath, Route)>> {
        let mut page = Vec::new();
        for _ in 0..STEPS {
            let Some(found) = self.next_in_walk(slot) else {
                break;
            };
            let Some(id) = found else { continue };
            let node = &mut self.nodes[id];
            let Some(route) = node.best(peer).map(|entry| entry.route.clone()) else {
                continue;
            };
            page.push((node.path.clone(), route));
            // It stays until it is decided upon, even if it is retracted meanwhile.
            let watcher = &mut self.watchers[slot];
            if watcher.known.insert(id, PROMISED).is_none() {
                node.informed += 1;
            }
            watcher.page.push(id);
        }
        let is_over = matches!(self.watchers[slot].walk, Walk::Over);
        (!page.is_empty() || !is_over).then_some(page)
    }

    /// Decides which paths of the last page are told as started, in their order. The others are told
    /// once they change.
    pub(super) fn promise(&mut self, slot: usize, listed: &[bool]) {
        let page = std::mem::take(&mut self.watchers[slot].page);
        let mut listed = listed.iter().copied();
        for id in page {
            let watcher = &mut self.watchers[slot];
            if listed.next().unwrap_or_default() {
                watcher.promised.push_back(id);
            } else if watcher.known.remove(&id).is_some() {
                self.nodes[id].informed -= 1;
                self.forget_gone(id);
            }
        }
    }

    /// Tells of a path that was promised. If its route is gone, the last resort stands in for it, and
    /// the log has its end.
    fn keep_promise(&mut self, slot: usize, id: NodeId, peer: &SplitHorizon) -> AnnouncedEvent {
        let (node, watcher) = (&self.nodes[id], &mut self.watchers[slot]);
        if watcher.promised.is_empty() {
            watcher.promised = VecDeque::new();
        }
        let best = node.best(peer);
        let (revision, route) = match best {
            Some(entry) => (entry.revision, entry.route.clone()),
            None => (PROMISED, Route::LAST_RESORT),
        };
        watcher.known.insert(id, revision);
        AnnouncedEvent::Start(node.path.clone(), route)
    }

    /// The next path that a watcher has to look at; `None` if there is none, or nothing `left` to do.
    fn next_node(&mut self, slot: usize, left: &mut usize) -> Option<NodeId> {
        while let Some(found) = self.next_in_walk(slot) {
            *left -= 1;
            if found.is_some() || *left == 0 {
                return found;
            }
        }
        let watcher = &mut self.watchers[slot];
        for (position, id) in self.log.since(watcher.cursor) {
            watcher.cursor = position + 1;
            *left -= 1;
            let node = self.nodes.get(id).filter(|node| node.changed == position);
            if node.is_some_and(|node| watcher.is_concerned(&node.path)) {
                return Some(id);
            }
            if *left == 0 {
                return None;
            }
        }
        None
    }

    /// One step through what was there in the beginning; `None` at its end. Above the prefix, a step may
    /// find nothing.
    fn next_in_walk(&mut self, slot: usize) -> Option<Option<NodeId>> {
        let watcher = &mut self.watchers[slot];
        match &mut watcher.walk {
            Walk::Above(paths) => {
                let path = paths.pop()?;
                if paths.is_empty() {
                    watcher.walk = Walk::Below(watcher.prefix.clone());
                }
                Some(self.index.get(&path).copied())
            }
            Walk::Below(last) => {
                let behind = (Bound::Excluded(&*last), Bound::Unbounded);
                let next = self.index.range::<BroadcastPath, _>(behind).next();
                // Paths that begin with the text of the prefix stand together, those below it among them.
                let next =
                    next.filter(|(path, _)| path.as_str().starts_with(watcher.prefix.as_str()));
                let Some((path, &id)) = next else {
                    watcher.walk = Walk::Over;
                    return None;
                };
                *last = path.clone();
                Some(path.has_prefix(&watcher.prefix).then_some(id))
            }
            Walk::Over => None,
        }
    }

    /// Compares what a watcher was told of a path with what there is.
    fn look(&mut self, slot: usize, id: NodeId, peer: &SplitHorizon) -> Option<AnnouncedEvent> {
        let (node, known) = (&mut self.nodes[id], &mut self.watchers[slot].known);
        let best = node.best(peer);
        let best = best.map(|entry| (entry.revision, entry.route.clone()));
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

/// No revision of a route.
const PROMISED: u64 = 0;
/// So many paths are looked at in one go.
const STEPS: usize = 256;
