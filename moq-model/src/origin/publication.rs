//! What a publisher holds, and how far it is known that others noticed.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::handle::Shared;
use super::table::{Entry, Notice};
use crate::clock;
use crate::path::BroadcastPath;

/// Keeps a broadcast announced; dropping it retracts the announcement.
#[derive(Debug)]
#[must_use = "dropping the publication retracts it"]
pub struct Publication {
    pub(super) shared: Arc<Shared>,
    pub(super) path: BroadcastPath,
    pub(super) id: u64,
}

/// Nobody noticed a broadcast in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unnoticed {
    /// The announcement was sent to no peer: none asked for announcements at this path, or its
    /// transport did not take it. The limit that was waited for.
    #[error("no peer asked for announcements at this path within {0:?}; is there a session?")]
    Unannounced(Duration),
    /// Peers asked for announcements, but below other prefixes only. Those, in order.
    #[error("peers asked for announcements only below {}", Prefixes(asked))]
    Elsewhere {
        /// What was asked for.
        asked: Vec<BroadcastPath>,
    },
    /// Peers asked for announcements above a segment of the path that begins with a dot, which hides it
    /// from them. What they asked for, in order.
    ///
    /// Draft: Hidden names.
    #[error(
        "a segment that begins with a dot hides it from peers that asked below {}",
        Prefixes(asked)
    )]
    Hidden {
        /// What was asked for.
        asked: Vec<BroadcastPath>,
    },
    /// No peer asked for a track of the broadcast. The limit that was waited for.
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
    /// After `limit`: [`Unnoticed::Elsewhere`] if peers have asked, but for nothing that covers this path,
    /// [`Unnoticed::Hidden`] if a segment with a dot hides it, else [`Unnoticed::Unannounced`].
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer.
    pub async fn told(&mut self, limit: Duration) -> Result<(), Unnoticed> {
        let told = poll_fn(|cx| self.poll_noticed(cx, |notice| notice.is_told));
        let told = clock::timeout(limit, told).await;
        told.map_err(|_| self.untold(limit))
    }

    /// Why no peer was told of it.
    fn untold(&self, limit: Duration) -> Unnoticed {
        let asked = self.shared.change(|table| table.asked());
        let covering = asked
            .iter()
            .filter_map(|prefix| match prefix.has_prefix(&self.path) {
                true => Some(BroadcastPath::root()),
                false => self.path.strip_prefix(prefix),
            });
        let (hidden, shown): (Vec<_>, Vec<_>) = covering.partition(BroadcastPath::is_hidden);
        match (asked.is_empty() || !shown.is_empty(), hidden.is_empty()) {
            (true, _) => Unnoticed::Unannounced(limit),
            (false, true) => Unnoticed::Elsewhere { asked },
            (false, false) => Unnoticed::Hidden { asked },
        }
    }

    /// Waits until a peer has asked for a track of the broadcast, be it one that there is not.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Unnoticed::Unrequested`] after `limit`.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer.
    pub async fn requested(&mut self, limit: Duration) -> Result<(), Unnoticed> {
        let requested = poll_fn(|cx| self.poll_noticed(cx, |notice| notice.is_requested));
        let requested = clock::timeout(limit, requested).await;
        requested.map_err(|_| Unnoticed::Unrequested(limit))
    }

    fn poll_noticed(&self, cx: &Context<'_>, condition: fn(&Notice) -> bool) -> Poll<()> {
        let noticed = self.shared.change(|table| {
            let notice = table.notice(&self.path, |entry: &Entry| entry.id == self.id);
            let unnoticed = notice.filter(|notice| !condition(notice));
            unnoticed.map(|notice| notice.waiter.register(cx))
        });
        noticed.map_or(Poll::Ready(()), |_stale| Poll::Pending)
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        // What it leads to is dropped once the lock is released.
        self.shared
            .change(|table| table.remove(&self.path, self.id));
    }
}

/// Prefixes for people, the root by a word.
struct Prefixes<'a>(&'a [BroadcastPath]);

impl fmt::Display for Prefixes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, prefix) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            match prefix.is_root() {
                true => write!(f, "{comma}the root")?,
                false => write!(f, "{comma}`{prefix}`")?,
            }
        }
        Ok(())
    }
}
