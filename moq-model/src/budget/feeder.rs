//! Who fills a budget.

use std::sync::Arc;

use super::Budget;
use crate::state::lock;

/// Whoever brings tracks into a budget: a peer, or a broadcast of this process. Clones are the same
/// feeder.
///
/// When a budget has no room, the feeder that holds the most gives way, however many tracks it has.
#[derive(Debug, Clone)]
pub struct Feeder(Arc<FeederInner>);

#[derive(Debug)]
pub(super) struct FeederInner {
    budget: Budget,
    key: usize,
    name: Option<Arc<str>>,
}

impl Feeder {
    pub(super) fn new(budget: &Budget, key: usize, name: Option<Arc<str>>) -> Self {
        Self(Arc::new(FeederInner {
            budget: budget.clone(),
            key,
            name,
        }))
    }

    pub(super) fn from_inner(inner: Arc<FeederInner>) -> Self {
        Self(inner)
    }

    pub(super) fn inner(&self) -> &Arc<FeederInner> {
        &self.0
    }

    /// The budget that it fills.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    pub(super) fn key(&self) -> usize {
        self.0.key
    }
}

impl Drop for FeederInner {
    fn drop(&mut self) {
        let mut ledger = lock(&self.budget.0.ledger);
        ledger.remove_feeder(self.key);
        if let Some(name) = &self.name
            && ledger
                .names
                .get(name)
                .is_some_and(|held| held.strong_count() == 0)
        {
            ledger.names.remove(name);
        }
    }
}
