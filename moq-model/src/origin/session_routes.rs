//! What was learned from one session, as a whole.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::handle::Shared;
use super::route::{SessionId, SplitHorizon};
use crate::path::BroadcastPath;

/// The routes that one session has told. Its session looks here whether it is in the way of others.
#[derive(Debug)]
pub struct SessionRoutes {
    shared: Arc<Shared>,
    session: SessionId,
}

impl SessionRoutes {
    pub(super) fn new(shared: Arc<Shared>, session: SessionId) -> Self {
        shared.change(|table| table.watch_session(session));
        Self { shared, session }
    }

    /// Whether one of the paths has an alternative: another publisher, by its first hop, over a session
    /// that is not silent.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        self.shared.change(|table| table.is_contested(self.session))
    }

    /// Waits until [`Self::is_contested`]. One task may wait at a time.
    ///
    /// Cancel safe.
    pub async fn contested(&self) {
        poll_fn(|cx| self.poll_contested(cx)).await;
    }

    fn poll_contested(&self, cx: &Context<'_>) -> Poll<()> {
        let stale = self.shared.change(|table| {
            let is_contested = table.is_contested(self.session);
            (!is_contested).then(|| table.await_contest(self.session, cx))
        });
        stale.map_or(Poll::Ready(()), |_stale| Poll::Pending)
    }

    /// Makes the routes the last resort, if others can take over; says whether they are.
    ///
    /// Of two sessions that fall silent at once, the one whose turn comes first gives way.
    #[must_use]
    pub fn give_way(&self) -> bool {
        self.shared.change(|table| {
            let is_contested = table.is_contested(self.session);
            if is_contested {
                table.set_silent(self.session, true);
            }
            is_contested
        })
    }

    /// Makes the routes what they were before they gave way.
    pub fn come_back(&self) {
        self.shared
            .change(|table| table.set_silent(self.session, false));
    }

    /// Whether somebody who asks for `path` is led to another session.
    #[must_use]
    pub fn is_passed_over(&self, path: &BroadcastPath) -> bool {
        self.shared.change(|table| {
            let found = table.resolve(path, &SplitHorizon::default());
            found.is_some_and(|(_, entry)| entry.session != Some(self.session))
        })
    }
}

impl Drop for SessionRoutes {
    fn drop(&mut self) {
        // The waiter is dropped once the lock is released.
        self.shared
            .change(|table| table.unwatch_session(self.session));
    }
}
