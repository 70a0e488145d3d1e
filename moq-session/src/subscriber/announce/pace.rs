//! How fast announcements are taken in.

use std::sync::atomic::{AtomicUsize, Ordering};

use moq_wire::AnnounceEvent;

use crate::context::Shared;

/// How many announcements of initial sets came as fast as they could, on all streams of a session that
/// have not ended.
#[derive(Debug, Default)]
pub(in crate::subscriber) struct Hurried(AtomicUsize);

/// How fast announcements of one stream are taken in. All streams of a session share the rate.
pub(super) struct Pace<'a> {
    context: &'a Shared,
    /// How many of the stream's initial set came as fast as they could.
    hurried: usize,
}

impl<'a> Pace<'a> {
    pub(super) fn new(context: &'a Shared) -> Self {
        Self {
            context,
            hurried: 0,
        }
    }

    /// Waits where announcements come too fast, outside of an initial set that is still `awaited`.
    pub(super) async fn keep(&mut self, event: &AnnounceEvent, awaited: Option<u64>) {
        if matches!(event, AnnounceEvent::End { .. }) {
            return;
        }
        if awaited.is_some_and(|left| left > 0) && self.may_hurry() {
            return;
        }
        self.context.limiter.announced().await;
    }

    /// Whether one more of an initial set may come as fast as it can: there may be as many as may be live.
    fn may_hurry(&mut self) -> bool {
        let most = self.context.limiter.limits.announces;
        let Hurried(all) = &self.context.subscribing.hurried;
        let counted = all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < most).then_some(count + 1)
        });
        self.hurried += usize::from(counted.is_ok());
        counted.is_ok()
    }
}

impl Drop for Pace<'_> {
    fn drop(&mut self) {
        let Hurried(all) = &self.context.subscribing.hurried;
        all.fetch_sub(self.hurried, Ordering::Relaxed);
    }
}
