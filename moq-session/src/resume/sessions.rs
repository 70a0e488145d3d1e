//! The sessions to one peer, one after the other.

use tokio::sync::watch;

use crate::session::Session;

/// The sessions to one peer, one after the other. Clones follow them each for itself.
#[derive(Debug, Clone)]
pub struct Sessions(watch::Receiver<Option<Session>>);

impl Sessions {
    #[cfg(feature = "tokio")]
    pub(crate) fn new(sessions: watch::Receiver<Option<Session>>) -> Self {
        Self(sessions)
    }

    /// The session that is up at this moment.
    #[must_use]
    pub fn current(&self) -> Option<Session> {
        let current = self.0.borrow();
        current
            .as_ref()
            .filter(|session| session.is_open())
            .cloned()
    }

    /// Waits until a session is up, and returns it; `None` once there will be none any more.
    ///
    /// Cancel safe.
    pub async fn up(&mut self) -> Option<Session> {
        let is_up = |session: &Option<Session>| session.as_ref().is_some_and(Session::is_open);
        self.0.wait_for(is_up).await.ok()?.clone()
    }
}
