//! Which announcements a peer is told of, and how.

use std::collections::BTreeMap;

use moq_model::{AnnouncedEvent, BroadcastPath, HopId, Route};
use moq_wire::{AnnounceEvent, Path};

use crate::context::Shared;
use crate::convert;
use crate::grant::Grant;

/// What one Announce stream has told, and has to tell.
pub(super) struct Listing<'a> {
    context: &'a Shared,
    pub(super) prefix: BroadcastPath,
    include_hidden: bool,
    /// Routes at the prefix or above it. They all are the empty suffix, so only the longest is told.
    covering: BTreeMap<BroadcastPath, Route>,
    /// The hops of what was told, by suffix; only where the draft can't replace a route.
    told: BTreeMap<Path, Box<[HopId]>>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(context: &'a Shared, prefix: BroadcastPath, include_hidden: bool) -> Self {
        Self {
            context,
            prefix,
            include_hidden: include_hidden || context.policy.hears_hidden(),
            covering: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Whether the peer was not told of a path under a former grant.
    pub(super) fn is_newly_allowed(&self, path: &BroadcastPath, before: &Grant) -> bool {
        let is_below = path.has_prefix(&self.prefix) && *path != self.prefix;
        let asked = if is_below { path } else { &self.prefix };
        !before.may_subscribe(asked)
    }

    /// What the peer is told of a change.
    pub(super) fn apply(&mut self, event: AnnouncedEvent) -> Vec<AnnounceEvent> {
        let (path, route) = match event {
            AnnouncedEvent::Start(path, route) => (path, Some((route, true))),
            AnnouncedEvent::Update(path, route) => (path, Some((route, false))),
            AnnouncedEvent::End(path) => (path, None),
            _ => return Vec::new(),
        };
        match path.strip_prefix(&self.prefix) {
            Some(suffix) if !suffix.is_root() => self.below(&path, route),
            _ => self.cover(path, route.map(|(route, _)| route)),
        }
    }

    /// What the peer is told of a path below the prefix, if it may hear of that.
    pub(super) fn suffix(&self, path: &BroadcastPath) -> Option<Path> {
        let suffix = path.strip_prefix(&self.prefix)?;
        let is_shown = !suffix.is_hidden() || self.include_hidden;
        if suffix.is_root() || !is_shown || !self.context.grant.may_subscribe(path) {
            return None;
        }
        convert::wire_path(suffix).ok()
    }

    /// The suffix of a route below the prefix that the peer is told at first, if it is.
    pub(super) fn lists(&self, path: &BroadcastPath, route: &Route) -> Option<Path> {
        self.suffix(path).filter(|_| self.has_room(route))
    }

    /// The start for the route that covers the whole prefix in the beginning.
    pub(super) fn covered(&mut self) -> Option<AnnounceEvent> {
        let (_, route) = self.covering.last_key_value()?;
        let route = route.clone();
        self.start(Path::default(), route)
    }

    fn below(&mut self, path: &BroadcastPath, route: Option<(Route, bool)>) -> Vec<AnnounceEvent> {
        let Some(suffix) = self.suffix(path) else {
            return Vec::new();
        };
        match route {
            Some((route, true)) => self.start(suffix, route).into_iter().collect(),
            Some((route, false)) => self.replace(suffix, route),
            None => vec![self.end(suffix)],
        }
    }

    /// Applies a change at or above the prefix.
    fn cover(&mut self, path: BroadcastPath, route: Option<Route>) -> Vec<AnnounceEvent> {
        if !self.context.grant.may_subscribe(&self.prefix) {
            return Vec::new();
        }
        let before = self
            .covering
            .last_key_value()
            .map(|(path, route)| (path.clone(), route.clone()));
        match route {
            Some(route) => self.covering.insert(path, route),
            None => self.covering.remove(&path),
        };
        let suffix = Path::default();
        let after = self.covering.last_key_value();
        let after = after.map(|(path, route)| (path.clone(), route.clone()));
        match (before, after) {
            (None, Some((_, route))) => self.start(suffix, route).into_iter().collect(),
            (Some(before), Some(after)) if before != after => self.replace(suffix, after.1),
            (Some(_), None) => vec![self.end(suffix)],
            _ => Vec::new(),
        }
    }

    fn start(&mut self, suffix: Path, route: Route) -> Option<AnnounceEvent> {
        let told = (!self.can_replace()).then(|| self.remembered(&route));
        let route = self.route(route)?;
        if let Some(told) = told {
            self.told.insert(suffix.clone(), told);
        }
        Some(AnnounceEvent::Start { suffix, route })
    }

    fn end(&mut self, suffix: Path) -> AnnounceEvent {
        self.told.remove(&suffix);
        AnnounceEvent::End { suffix }
    }

    /// Replaces a route. Where the draft can't, the peer keeps the one it has as long as that is no
    /// lie, by a start that is withheld if the peer was told before.
    fn replace(&mut self, suffix: Path, route: Route) -> Vec<AnnounceEvent> {
        if self.can_replace() {
            return vec![match self.route(route) {
                Some(route) => AnnounceEvent::Update { suffix, route },
                None => AnnounceEvent::End { suffix },
            }];
        }
        let told = self.told.get(&suffix).cloned();
        let may_stand = told
            .as_ref()
            .is_some_and(|told| self.may_stand_for(told, &route));
        let Some(start) = self.start(suffix.clone(), route) else {
            return vec![self.end(suffix)];
        };
        match told {
            None => vec![start],
            Some(told) if may_stand => {
                self.told.insert(suffix, told);
                vec![start]
            }
            Some(_) => vec![AnnounceEvent::End { suffix }, start],
        }
    }

    /// What is to be known later of a chain that was told: where hops have no names, who publishes.
    fn remembered(&self, route: &Route) -> Box<[HopId]> {
        let count = match self.context.version.features().hops.has_ids() {
            true => route.hops.len(),
            false => route.hops.len().min(1),
        };
        route.hops[..count].into()
    }

    /// Whether a peer that was told of one chain may take it for this route: it leads to the same
    /// publisher, and through nobody who has to recognise itself in it to break a circle.
    fn may_stand_for(&self, told: &[HopId], route: &Route) -> bool {
        let has_ids = self.context.version.features().hops.has_ids();
        told.first() == route.hops.first()
            && (!has_ids || route.hops.iter().all(|hop| told.contains(hop)))
    }

    /// Whether the draft has a word for another route. Before routes were told at all, a repetition
    /// was one, which some subscribers take for a violation.
    fn can_replace(&self) -> bool {
        let features = self.context.version.features();
        features.typed_announce || (features.announce_replace && features.hops.has_count())
    }

    /// The route as the draft wants it, or `None` if there is no room for the peer in its chain.
    pub(super) fn route(&self, mut route: Route) -> Option<moq_wire::Route> {
        if !self.has_room(&route) {
            return None;
        }
        if self.context.policy.is_hop() && self.context.version.features().sender_in_chain {
            route.hops.push(self.context.hop);
        }
        Some(convert::wire_route(route))
    }

    /// Whether there is room for the peer in the chain of a route.
    fn has_room(&self, route: &Route) -> bool {
        !self.context.policy.is_hop() || route.hops.len() < HopId::MAX_CHAIN
    }
}
