//! Counts of what is answered at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::Shared;
use crate::error::PeerFault;
use crate::limits::Limit;
use crate::limits::Limits;

/// How many requests of each kind are answered.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    announces: AtomicUsize,
    tracks: AtomicUsize,
    probes: AtomicUsize,
    told: AtomicUsize,
}

/// The kinds of requests that have a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Announces,
    Tracks,
    Probes,
}

impl Kind {
    fn limit(self, limits: &Limits) -> (Limit, usize) {
        match self {
            Self::Announces => (Limit::AnnounceRequests, limits.announce_requests),
            Self::Tracks => (Limit::Tracks, limits.tracks),
            Self::Probes => (Limit::Probes, limits.probes),
        }
    }
}

impl Slots {
    fn count(&self, kind: Kind) -> &AtomicUsize {
        match kind {
            Kind::Announces => &self.announces,
            Kind::Tracks => &self.tracks,
            Kind::Probes => &self.probes,
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Slot {
    shared: Arc<Shared>,
    kind: Kind,
}

impl Slot {
    /// Counts one more request until the slot is dropped.
    ///
    /// # Errors
    /// [`PeerFault::Exceeded`] where there are as many as are allowed.
    pub(crate) fn take(shared: &Arc<Shared>, kind: Kind) -> Result<Self, PeerFault> {
        let limiter = &shared.limiter;
        let (limit, allowed) = kind.limit(&limiter.limits);
        let count = limiter.slots.count(kind);
        let counted = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < allowed).then_some(count + 1)
        });
        match counted {
            Ok(_) => Ok(Self {
                shared: shared.clone(),
                kind,
            }),
            Err(_) => Err(limiter.exceed(limit, allowed)),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let count = self.shared.limiter.slots.count(self.kind);
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The announcements that one request was told, among those of all.
#[derive(Debug)]
pub(crate) struct Told {
    shared: Arc<Shared>,
    count: usize,
}

impl Told {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            count: 0,
        }
    }

    /// Says how many there are now.
    pub(crate) fn set(&mut self, count: usize) {
        let told = &self.shared.limiter.slots.told;
        match count.checked_sub(self.count) {
            Some(more) => told.fetch_add(more, Ordering::Relaxed),
            None => told.fetch_sub(self.count - count, Ordering::Relaxed),
        };
        self.count = count;
    }

    /// Whether all requests together may have been told as much; one alone may.
    ///
    /// # Errors
    /// [`PeerFault::Exceeded`] where that is too much.
    pub(crate) fn check(&self) -> Result<(), PeerFault> {
        let limiter = &self.shared.limiter;
        let all = limiter.slots.told.load(Ordering::Relaxed);
        let allowed = limiter.limits.told;
        if all <= allowed || all == self.count {
            return Ok(());
        }
        Err(limiter.exceed(Limit::Told, allowed))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.set(0);
    }
}
