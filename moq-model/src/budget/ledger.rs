//! Who holds how much of a budget, as plain data.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use slab::Slab;

use super::account::Balance;
use super::feeder::FeederInner;
use crate::clock::Instant;
use crate::track::{Tier, TrackShared};

/// The tracks that share a budget, by the feeder that they belong to.
///
/// What a track holds changes with each frame, its place here only when somebody has to give way:
/// until then it is in the list of those that changed, once.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    feeders: Slab<Feeder>,
    /// Feeders by what they hold.
    order: BTreeSet<(u64, usize)>,
    accounts: Slab<Account>,
    /// Accounts whose place is out of date.
    changed: Vec<usize>,
    /// Tracks that have ended, by when they are let go of.
    releases: BTreeSet<(Instant, usize)>,
    pub(super) names: HashMap<Arc<str>, Weak<FeederInner>>,
}

#[derive(Debug, Default)]
struct Feeder {
    held: u64,
    /// Its tracks, by what goes first and by about what they hold.
    order: BTreeSet<(Tier, u32, usize)>,
}

#[derive(Debug)]
struct Account {
    feeder: usize,
    track: Weak<TrackShared>,
    balance: Arc<Balance>,
    /// What the order goes by.
    tier: Tier,
    held: u64,
    release: Option<Instant>,
}

impl Ledger {
    pub(super) fn add_feeder(&mut self) -> usize {
        let key = self.feeders.insert(Feeder::default());
        self.order.insert((0, key));
        key
    }

    pub(super) fn remove_feeder(&mut self, key: usize) {
        if let Some(feeder) = self.feeders.try_remove(key) {
            self.order.remove(&(feeder.held, key));
        }
    }

    pub(super) fn open(
        &mut self,
        feeder: usize,
        track: Weak<TrackShared>,
        balance: Arc<Balance>,
    ) -> usize {
        self.accounts.insert(Account {
            feeder,
            track,
            balance,
            tier: Tier::Nothing,
            held: 0,
            release: None,
        })
    }

    pub(super) fn close(&mut self, key: usize) {
        self.set_release(key, None);
        let Some(account) = self.accounts.try_remove(key) else {
            return;
        };
        if let Some(feeder) = self.feeders.get_mut(account.feeder) {
            feeder
                .order
                .remove(&(account.tier, rank(account.held), key));
        }
        self.add_held(account.feeder, 0u64.wrapping_sub(account.held));
    }

    /// Notes that an account's place is out of date.
    pub(super) fn note_changed(&mut self, key: usize) {
        self.changed.push(key);
        // Accounts that are closed leave their keys behind.
        if self.changed.len() > 2 * self.accounts.len().max(LEAST_CHANGED) {
            self.settle();
        }
    }

    /// Brings all places up to date.
    fn settle(&mut self) {
        let mut changed = std::mem::take(&mut self.changed);
        for key in changed.drain(..) {
            self.settle_one(key);
        }
        self.changed = changed;
    }

    fn settle_one(&mut self, key: usize) {
        let Some(account) = self.accounts.get_mut(key) else {
            return;
        };
        let (tier, held) = account.balance.read();
        let before = (account.tier, rank(account.held), key);
        let (index, grown) = (account.feeder, held.wrapping_sub(account.held));
        (account.tier, account.held) = (tier, held);
        let after = (tier, rank(held), key);
        if before != after
            && let Some(feeder) = self.feeders.get_mut(index)
        {
            feeder.order.remove(&before);
            if tier > Tier::Nothing {
                feeder.order.insert(after);
            }
        }
        self.add_held(index, grown);
    }

    /// Adds to what a feeder holds, modulo 2^64.
    fn add_held(&mut self, key: usize, grown: u64) {
        if let Some(feeder) = self.feeders.get_mut(key)
            && grown != 0
        {
            self.order.remove(&(feeder.held, key));
            feeder.held = feeder.held.wrapping_add(grown);
            self.order.insert((feeder.held, key));
        }
    }

    /// The track that gives way when `feeder` wants `wanted` bytes more: of the feeder that holds
    /// the most, the track that holds the most, of those first that have more than a newest group.
    ///
    /// Together the feeders hold more than the limit then, so the one that holds the most has more
    /// than its share of it.
    pub(super) fn greediest(
        &mut self,
        feeder: usize,
        wanted: u64,
        limit: u64,
    ) -> Option<Weak<TrackShared>> {
        self.settle();
        let own = self.feeders.get(feeder).map_or(0, |feeder| feeder.held);
        let own = (own.saturating_add(wanted), feeder);
        let candidates = self.order.iter().rev().copied();
        let most = candidates.take(1).chain([own]).max()?.1;
        let order = |key: usize| self.feeders.get(key)?.order.last().copied();
        // A feeder may have nothing that could give way: what it holds is on its way in. Then others
        // do, but not with the newest group of one that has no more than its share.
        let share = limit / self.feeders.len().max(1) as u64;
        let greediest = order(most).or_else(|| {
            let mut others = self.order.iter().rev();
            others.find_map(|&(held, key)| {
                order(key).filter(|&(tier, ..)| tier > Tier::Newest || held > share)
            })
        });
        let (_, _, key) = greediest?;
        self.accounts.get(key).map(|account| account.track.clone())
    }

    /// Notes when a track is let go of.
    pub(super) fn set_release(&mut self, key: usize, at: Option<Instant>) {
        let Some(account) = self.accounts.get_mut(key) else {
            return;
        };
        if let Some(before) = std::mem::replace(&mut account.release, at) {
            self.releases.remove(&(before, key));
        }
        if let Some(at) = at {
            self.releases.insert((at, key));
        }
    }

    /// When the next track is let go of.
    pub(super) fn next_release(&self) -> Option<Instant> {
        self.releases.first().map(|&(at, _)| at)
    }

    /// A track that is to be let go of by now; not again.
    pub(super) fn take_release(&mut self, now: Instant) -> Option<Weak<TrackShared>> {
        let &(_, key) = self.releases.first().filter(|&&(at, _)| at <= now)?;
        self.set_release(key, None);
        self.accounts.get(key).map(|account| account.track.clone())
    }
}

/// Accounts that may be out of date in any case.
const LEAST_CHANGED: usize = 32;

/// A number of bytes to about a sixty-fourth, so that small changes move nobody.
fn rank(bytes: u64) -> u32 {
    const DIGITS: u32 = 6;
    let exponent = bytes.max(1).ilog2();
    let mantissa = (bytes << (63 - exponent)) >> (63 - DIGITS) & ((1 << DIGITS) - 1);
    (exponent << DIGITS) + u32::try_from(mantissa).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_grow_with_the_bytes_and_tell_a_fiftieth_apart() {
        let mut bytes = 1;
        while bytes < 1 << 40 {
            assert!(rank(bytes) <= rank(bytes + 1));
            if bytes > 64 {
                assert!(rank(bytes) < rank(bytes + bytes / 50 + 1), "{bytes}");
            }
            bytes += bytes / 7 + 1;
        }
        assert!(rank(u64::MAX) >= rank(u64::MAX - 1));
    }
}
