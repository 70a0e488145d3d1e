//! What an Announce stream tells, and the parts of it that all drafts share.

use crate::error::EncodeError;
use crate::id::HopId;
use crate::limits::MAX_HOPS;
use crate::path::Path;

/// A change to the set of announced broadcasts. Suffixes are relative to the requested prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an announcement comes, changes and goes"
)]
pub enum AnnounceEvent {
    /// A path is announced that was not.
    Start {
        /// What is announced, with everything beneath it.
        suffix: Path,
        /// How it is reached.
        route: Route,
    },
    /// An announced path has another route.
    Update {
        /// What is announced.
        suffix: Path,
        /// Replaces the route before it.
        route: Route,
    },
    /// A path is no longer announced.
    End {
        /// What was announced.
        suffix: Path,
    },
}

impl AnnounceEvent {
    /// What the event is about.
    #[must_use]
    pub fn suffix(&self) -> &Path {
        match self {
            Self::Start { suffix, .. } | Self::Update { suffix, .. } | Self::End { suffix } => {
                suffix
            }
        }
    }
}

/// How an announced path is reached.
///
/// The chain is as it stands on the wire: whether its last entry is the sender, or the receiver has
/// to append that, is said by [`Features::sender_in_chain`](crate::Features::sender_in_chain).
/// Drafts without costs write none, and read a warm cost of 0 and the largest possible cold cost.
/// Drafts with only a count of hops read that many anonymous ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// From the original publisher to the sender, at most 32, none repeated unless anonymous.
    pub hops: Vec<HopId>,
    /// What one more subscriber would cost.
    pub warm_cost: u64,
    /// What one more subscriber would cost if nothing were cached.
    pub cold_cost: u64,
}

impl Route {
    /// Whether the chain may stand on the wire.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        if self.hops.len() > MAX_HOPS {
            return Err(EncodeError::TooManyHops);
        }
        repeated(&self.hops).map_or(Ok(()), |hop| Err(EncodeError::RepeatedHop(hop.0)))
    }
}

/// The first hop that is named a second time.
pub(super) fn repeated(hops: &[HopId]) -> Option<HopId> {
    let mut entries = hops.iter().enumerate();
    let again = entries.find(|&(at, hop)| !hop.is_anonymous() && hops[..at].contains(hop));
    again.map(|(_, &hop)| hop)
}

/// Types of announce messages where they have one.
pub(super) const START: u64 = 0x0;
pub(super) const END: u64 = 0x1;
pub(super) const UPDATE: u64 = 0x2;

/// Statuses of announce messages where they have no type.
pub(super) const ENDED: u8 = 0;
pub(super) const ACTIVE: u8 = 1;
pub(super) const RESTART: u8 = 2;
