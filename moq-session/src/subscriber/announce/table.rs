//! The routes that one Announce stream has told.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use moq_model::session::Source;
use moq_model::{BroadcastPath, HopId, Publication, Route};
use moq_wire::{AnnounceEvent, Path, varint};

use crate::context::Shared;
use crate::convert;
use crate::error::PeerFault;
use crate::limits::Limit;

/// The routes that one Announce stream has told.
pub(super) struct Table<'a> {
    context: &'a Shared,
    /// What the peer was asked for.
    prefix: &'a BroadcastPath,
    /// Who appends itself to each chain by ANNOUNCE_OK.
    pub(super) sender: Option<HopId>,
    /// By suffix; `None` for a route that is live and of no use here.
    routes: BTreeMap<Path, Option<Publication>>,
    /// Those of them that are not granted, in case they will be.
    refused: BTreeMap<Path, moq_wire::Route>,
    /// How many of the routes are counted against the limit.
    counted: usize,
    /// Another stream takes the place of this one, and counts the same announcements.
    is_outdated: bool,
    /// The peer has announced what it may not, which was logged.
    has_strayed: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(context: &'a Shared, prefix: &'a BroadcastPath) -> Self {
        let mut table = Self {
            context,
            prefix,
            sender: None,
            routes: BTreeMap::new(),
            refused: BTreeMap::new(),
            counted: 0,
            is_outdated: false,
            has_strayed: false,
        };
        table.admit();
        table
    }

    /// How many announcements are taken in, and the rest left out. What a client makes is its own fault,
    /// and too much of it ends its session instead.
    pub(super) fn room(&self) -> usize {
        let limiter = &self.context.limiter;
        if self.context.policy.ends_by_announcements() {
            return usize::MAX;
        }
        let all = limiter.live_announcements.load(Ordering::Relaxed);
        let left = limiter.limits.announces.saturating_sub(all);
        self.routes.len() + left
    }

    pub(super) fn apply(&mut self, event: AnnounceEvent) -> Result<(), PeerFault> {
        match event {
            AnnounceEvent::Start { suffix, route } | AnnounceEvent::Update { suffix, route } => {
                let publication = self.announce(&suffix, &route);
                self.refused.remove(&suffix);
                if !self.is_granted(&suffix) {
                    self.refused.insert(suffix.clone(), route);
                }
                // The new route is in place before the old one goes, so that nobody sees a gap.
                self.routes.insert(suffix, publication);
            }
            AnnounceEvent::End { suffix } => {
                self.refused.remove(&suffix);
                self.routes.remove(&suffix);
            }
        }
        self.count();
        self.check()
    }

    /// Takes in what is granted by now, and notes whether others are asked for the same.
    pub(super) fn admit(&mut self) {
        for (suffix, route) in std::mem::take(&mut self.refused) {
            if self.is_granted(&suffix) {
                let publication = self.announce(&suffix, &route);
                self.routes.insert(suffix, publication);
            } else {
                self.refused.insert(suffix, route);
            }
        }
        let asked = self
            .context
            .subscribing
            .asked_below(&self.context.grant.current(), self.context.version);
        self.is_outdated = !asked.contains(self.prefix);
        self.count();
    }

    /// Counts what is live, among the announcements of all streams of the session.
    fn count(&mut self) {
        let count = if self.is_outdated {
            0
        } else {
            self.routes.len()
        };
        let announced = &self.context.limiter.live_announcements;
        match count.checked_sub(self.counted) {
            Some(more) => announced.fetch_add(more, Ordering::Relaxed),
            None => announced.fetch_sub(self.counted - count, Ordering::Relaxed),
        };
        self.counted = count;
    }

    /// Whether a peer that is no relay has announced as much as it may.
    fn check(&self) -> Result<(), PeerFault> {
        let limiter = &self.context.limiter;
        let allowed = limiter.limits.announces;
        let is_over = limiter.live_announcements.load(Ordering::Relaxed) > allowed;
        match is_over && self.context.policy.ends_by_announcements() {
            true => Err(limiter.exceed(Limit::Announces, allowed)),
            false => Ok(()),
        }
    }

    fn path(&self, suffix: &Path) -> Option<BroadcastPath> {
        let below = self.prefix.join(&convert::path(suffix.clone()).ok()?);
        self.context.grant.root.join(&below.ok()?).ok()
    }

    fn is_granted(&self, suffix: &Path) -> bool {
        let path = self.path(suffix);
        path.is_none_or(|path| self.context.grant.may_publish(&path))
    }

    fn announce(&mut self, suffix: &Path, route: &moq_wire::Route) -> Option<Publication> {
        let path = self.path(suffix)?;
        if !self.context.grant.may_publish(&path) {
            if !std::mem::replace(&mut self.has_strayed, true) {
                let remote = self.context.info.remote;
                tracing::info!(?remote, %path, "not granted: this announcement is ignored, and others are");
            }
            return None;
        }
        let hops = self.chain(route.hops.iter().copied().map(convert::hop).collect())?;
        let (warm_cost, cold_cost) = self.price(route);
        let route = Route {
            hops,
            warm_cost,
            cold_cost,
        };
        let source = Source::Requests(self.context.subscribing.source.clone());
        Some(
            self.context
                .subscribe
                .announce(&path, route, source, Some(self.context.id)),
        )
    }

    /// The chain as it is stored here, or `None` for a route that would lead in a circle or has
    /// no room.
    fn chain(&self, mut hops: Vec<HopId>) -> Option<Vec<HopId>> {
        if let Some(sender) = self.sender {
            if !sender.is_anonymous() && hops.contains(&sender) {
                return None;
            }
            hops.push(sender);
        }
        let own = [self.context.hop, self.context.subscribe.hop()];
        if own.iter().any(|own| hops.contains(own)) {
            return None;
        }
        if hops.first().is_none_or(|hop| hop.is_anonymous()) {
            if hops.is_empty() {
                hops.push(HopId::ANONYMOUS);
            }
            hops.insert(0, self.context.subscribing.stamp);
        }
        (hops.len() <= HopId::MAX_CHAIN).then_some(hops)
    }

    /// The route's costs with the price of this link.
    fn price(&self, route: &moq_wire::Route) -> (u64, u64) {
        if self.context.is_leaving() {
            return (Route::MAX_COST, Route::MAX_COST);
        }
        if !self.context.version.features().typed_announce || !self.context.policy.is_hop() {
            return (route.warm_cost, route.cold_cost);
        }
        let link = self
            .context
            .peer
            .borrow()
            .as_ref()
            .and_then(|setup| setup.cost)
            .unwrap_or(1);
        let add = |cost: u64| cost.saturating_add(link).min(varint::MAX);
        (add(route.warm_cost), add(route.cold_cost))
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        self.is_outdated = true;
        self.count();
    }
}
