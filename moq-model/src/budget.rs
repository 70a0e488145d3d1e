//! How many bytes may be held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number of bytes that the tracks which share it may hold together.
///
/// Clones share the budget. A track that finds it exceeded drops its own oldest groups, never its
/// newest one.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    /// 256 MiB.
    pub const DEFAULT_BYTES: u64 = 256 << 20;

    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Inner {
            limit,
            used: AtomicU64::new(0),
        }))
    }

    /// The bytes held now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The bytes allowed.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.used() > self.0.limit
    }

    pub(crate) fn charge(&self, bytes: u64) {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn release(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes of a budget that are given back with this.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Budget,
    bytes: AtomicU64,
}

impl Charge {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            bytes: AtomicU64::new(0),
        }
    }

    /// Takes more bytes, unless that would exceed the budget.
    pub(crate) fn grow(&self, bytes: u64) -> bool {
        self.budget.charge(bytes);
        if self.budget.is_exceeded() {
            self.budget.release(bytes);
            return false;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.release(self.bytes.load(Ordering::Relaxed));
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BYTES)
    }
}
