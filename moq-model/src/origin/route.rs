//! Ways to a broadcast, and which of them is better.

use std::cmp::Ordering;
use std::fmt;

use crate::broadcast::BroadcastConsumer;
use crate::random;
use crate::request::RequestSource;

/// Names a relay or an endpoint; 0 names nobody in particular. Draft: Hop ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HopId(pub u64);

impl HopId {
    /// Nobody in particular.
    pub const ANONYMOUS: Self = Self(0);
    /// Chains do not grow beyond this.
    pub const MAX_CHAIN: usize = 32;

    /// A fresh id below 2^53, never 0, so that a JavaScript number can hold it.
    #[must_use]
    pub fn random() -> Self {
        Self((random::number() >> 11).max(1))
    }

    /// Whether this is nobody in particular.
    #[must_use]
    pub fn is_anonymous(self) -> bool {
        self == Self::ANONYMOUS
    }
}

impl fmt::Display for HopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// The hops and the price to a broadcast. Draft: ANNOUNCE_START.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// From the original publisher towards here, not including here.
    pub hops: Vec<HopId>,
    /// What one more subscriber costs now.
    pub warm_cost: u64,
    /// What it would cost if nothing were cached.
    pub cold_cost: u64,
}

impl Route {
    /// The highest cost there is: a route with it is the last resort.
    pub const MAX_COST: u64 = (1 << 62) - 1;

    /// A route without hops that any other one is better than, as far as costs are told.
    pub const LAST_RESORT: Self = Self {
        hops: Vec::new(),
        warm_cost: Self::MAX_COST,
        cold_cost: Self::MAX_COST,
    };

    /// What a publisher gives its own broadcasts: no hops, no cost.
    #[must_use]
    pub fn local() -> Self {
        Self::default()
    }

    pub(super) fn saturate(&mut self) {
        self.warm_cost = Self::MAX_COST;
        self.cold_cost = Self::MAX_COST;
    }

    fn is_identified(&self) -> bool {
        self.hops.iter().all(|hop| !hop.is_anonymous())
    }

    /// Orders routes of one path, the better one first: identified chains, then the lowest cost,
    /// then the fewest hops (none is local).
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        other
            .is_identified()
            .cmp(&self.is_identified())
            .then_with(|| self.warm_cost.cmp(&other.warm_cost))
            .then_with(|| self.cold_cost.cmp(&other.cold_cost))
            .then_with(|| self.hops.len().cmp(&other.hops.len()))
    }
}

/// Where a route leads.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Source {
    /// To one broadcast, at exactly the announced path.
    Broadcast(BroadcastConsumer),
    /// To whatever a peer has at the path and beneath it.
    Requests(RequestSource),
}

/// Names a session among those of one origin. Another origin uses the same names for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId {
    serial: u64,
    is_sibling: bool,
}

impl SessionId {
    pub(super) fn new(serial: u64) -> Self {
        Self {
            serial,
            is_sibling: false,
        }
    }

    /// Marks the session as a link to another worker of this relay.
    ///
    /// All workers are linked with each other, so what one of them told is not told to another one:
    /// that heard it from the first.
    #[must_use]
    pub fn with_sibling(self) -> Self {
        Self {
            is_sibling: true,
            ..self
        }
    }

    /// Whether what was learned from this session may be told to the other one.
    fn may_reach(self, other: Self) -> bool {
        self != other && !(self.is_sibling && other.is_sibling)
    }
}

/// Which routes a peer is not offered: those that lead through the peer itself. The default leaves
/// out none.
///
/// Draft: loop detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitHorizon {
    /// The session with the peer: what was learned from it is not told to it.
    pub session: Option<SessionId>,
    /// The id that the peer declared: routes with this hop are left out, unless it is anonymous.
    pub hop: HopId,
}

impl SplitHorizon {
    pub(super) fn may_use(&self, route: &Route, session: Option<SessionId>) -> bool {
        let is_told = match (session, self.session) {
            (Some(from), Some(to)) => from.may_reach(to),
            _ => true,
        };
        is_told && (self.hop.is_anonymous() || !route.hops.contains(&self.hop))
    }
}
