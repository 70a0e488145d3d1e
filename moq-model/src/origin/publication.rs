//! What a publisher holds, and how far it is known that others noticed.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::handle::Shared;
use super::table::{Entry, Notice};
use crate::clock;
use crate::path::BroadcastPath;
use crate::state::lock;

/// Keeps a broadcast announced; dropping it retracts the announcement.
#[derive(Debug)]
#[must_use = "dropping the publication retracts it"]
pub struct Publication {
    pub(super) shared: Arc<Shared>,
    pub(super) path: BroadcastPath,
    pub(super) id: u64,
}

/// Nobody noticed a broadcast in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unnoticed {
    /// No peer asked for announcements that this one belongs to, or none took it.
    #[error("no peer asked for announcements at this path within {0:?}; is there a session?")]
    Untold(Duration),
    /// No peer asked for a track of the broadcast.
    #[error("no peer asked for a track of the broadcast within {0:?}")]
    Unrequested(Duration),
}

impl Publication {
    /// The announced path.
    #[must_use]
    pub fn path(&self) -> &BroadcastPath {
        &self.path
    }

    /// Waits until a peer that asked for announcements at this path was sent this one.
    ///
    /// The transport has the bytes then; that the peer acts on them only [`Self::requested`] shows.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Unnoticed::Untold`] after `limit`.
    pub async fn told(&mut self, limit: Duration) -> Result<(), Unnoticed> {
        let told = poll_fn(|cx| self.poll_noticed(cx, |notice| notice.is_told));
        let told = clock::timeout(limit, told).await;
        told.map_err(|_| Unnoticed::Untold(limit))
    }

    /// Waits until a peer has asked for a track of the broadcast, be it one that there is not.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Unnoticed::Unrequested`] after `limit`.
    pub async fn requested(&mut self, limit: Duration) -> Result<(), Unnoticed> {
        let requested = poll_fn(|cx| self.poll_noticed(cx, |notice| notice.is_requested));
        let requested = clock::timeout(limit, requested).await;
        requested.map_err(|_| Unnoticed::Unrequested(limit))
    }

    fn poll_noticed(&self, cx: &Context<'_>, condition: fn(&Notice) -> bool) -> Poll<()> {
        let mut table = lock(&self.shared.table);
        match table.notice(&self.path, |entry: &Entry| entry.id == self.id) {
            Some(notice) if !condition(notice) => {
                notice.waiter.register(cx);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        let entry = lock(&self.shared.table).remove(&self.path, self.id);
        drop(entry);
    }
}
