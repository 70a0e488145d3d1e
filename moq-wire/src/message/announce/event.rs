//! What an Announce stream tells, and the parts of it that all drafts share.

use crate::id::HopId;
use crate::path::Path;

/// A change to the set of announced broadcasts. Suffixes are relative to the requested prefix.
///
/// Draft: ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
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

/// One message of an Announce stream, or one entry of the list that it starts with.
///
/// Draft: ANNOUNCE_INIT and ANNOUNCE, or ANNOUNCE_START, ANNOUNCE_UPDATE and ANNOUNCE_END.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a message changes the set or it does not"
)]
pub enum AnnounceItem {
    /// The set changes.
    Event(AnnounceEvent),
    /// Nothing is said: the type of the message is unknown, what it ends is not live, or the list is
    /// empty.
    Silent,
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
///
/// Draft: ANNOUNCE or ANNOUNCE_START.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// From the original publisher to the sender, at most 32, none repeated unless anonymous.
    pub hops: Vec<HopId>,
    /// What one more subscriber would cost, in units of the relays' own choice, at most 62 bits.
    pub warm_cost: u64,
    /// What one more subscriber would cost if nothing were cached, in the same units.
    pub cold_cost: u64,
}

/// Types of announce messages where they have one.
pub(super) const START: u64 = 0x0;
pub(super) const END: u64 = 0x1;
pub(super) const UPDATE: u64 = 0x2;

/// Statuses of announce messages where they have no type.
pub(super) const ENDED: u8 = 0;
pub(super) const ACTIVE: u8 = 1;
pub(super) const RESTART: u8 = 2;
