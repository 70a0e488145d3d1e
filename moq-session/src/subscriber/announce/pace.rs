//! How fast announcements are taken in.

use moq_model::platform::clock;
use moq_wire::AnnounceEvent;

use crate::context::Shared;
use crate::limiter::Bucket;
use crate::limits::Limit;

/// How fast announcements of one stream are taken in.
pub(super) struct Pace<'a> {
    context: &'a Shared,
    bucket: Bucket,
    /// How many of the initial set may come as fast as they can.
    initial: usize,
}

impl<'a> Pace<'a> {
    pub(super) fn new(context: &'a Shared) -> Self {
        let limits = &context.limiter.limits;
        Self {
            context,
            bucket: Bucket::new(limits.announce_rate),
            initial: limits.announces,
        }
    }

    /// Waits where announcements come too fast, outside of an initial set that is still `awaited`.
    pub(super) async fn keep(&mut self, event: &AnnounceEvent, awaited: Option<u64>) {
        if matches!(event, AnnounceEvent::End { .. }) {
            return;
        }
        if awaited.is_some_and(|left| left > 0) && self.initial > 0 {
            self.initial -= 1;
            return;
        }
        let wait = self.bucket.take(clock::now());
        if !wait.is_zero() {
            self.context.limiter.reach(Limit::AnnounceRate);
            clock::sleep(wait).await;
        }
    }
}
