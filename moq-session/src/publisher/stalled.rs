//! How many group streams take nothing of what they have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many streams of a session may be stalled before its subscriptions get no more than [`FEW`] each.
const MANY: usize = 64;
/// So many streams of a subscription may be stalled whatever others have: the newest group does not wait
/// for one that is stuck.
const FEW: usize = 3;

/// The stalled streams of a subscription, and those of its whole session.
///
/// A peer may grant streams, and no bytes on them. Each would hold its group, and what is encoded of it,
/// outside of the track's budget.
#[derive(Debug)]
pub(super) struct Stalled {
    here: AtomicUsize,
    session: Arc<AtomicUsize>,
}

impl Stalled {
    /// For one more subscription of a session.
    pub(super) fn new(session: Arc<AtomicUsize>) -> Arc<Self> {
        let here = AtomicUsize::new(0);
        Arc::new(Self { here, session })
    }

    /// Whether further groups of the subscription stay in the track until one of its streams goes on.
    pub(super) fn is_full(&self) -> bool {
        self.here.load(Ordering::Relaxed) >= FEW && self.session.load(Ordering::Relaxed) >= MANY
    }
}

/// One stream, as far as it is stalled.
#[derive(Debug)]
pub(super) struct Stall {
    counts: Arc<Stalled>,
    is_counted: bool,
}

impl Stall {
    pub(super) fn new(counts: Arc<Stalled>) -> Self {
        Self {
            counts,
            is_counted: false,
        }
    }

    /// Says whether the stream is stalled now.
    pub(super) fn set(&mut self, is_stalled: bool) {
        if std::mem::replace(&mut self.is_counted, is_stalled) == is_stalled {
            return;
        }
        for count in [&self.counts.here, &*self.counts.session] {
            match is_stalled {
                true => count.fetch_add(1, Ordering::Relaxed),
                false => count.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stall(counts: &Arc<Stalled>, count: usize) -> Vec<Stall> {
        let mut stalls: Vec<_> = (0..count).map(|_| Stall::new(counts.clone())).collect();
        stalls.iter_mut().for_each(|stall| stall.set(true));
        stalls
    }

    #[test]
    fn a_few_are_allowed_beside_many_of_others() {
        let session = Arc::default();
        let (one, other) = (Stalled::new(Arc::clone(&session)), Stalled::new(session));
        let mut of_one = stall(&one, MANY - FEW);
        assert!(!one.is_full());
        let of_other = stall(&other, FEW - 1);
        assert!(!one.is_full() && !other.is_full());
        of_one.extend(stall(&one, 1));
        assert!(one.is_full());
        assert!(!other.is_full(), "it has fewer than its own share");
        let more = stall(&other, 1);
        assert!(other.is_full());
        drop((of_other, more));
        assert!(!one.is_full() && !other.is_full());
    }

    #[test]
    fn a_stream_counts_once() {
        let counts = Stalled::new(Arc::default());
        let mut stall = Stall::new(counts.clone());
        stall.set(true);
        stall.set(true);
        assert_eq!(counts.here.load(Ordering::Relaxed), 1);
        stall.set(false);
        drop(stall);
        assert_eq!(counts.session.load(Ordering::Relaxed), 0);
    }
}
