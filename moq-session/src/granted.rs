//! What the peer of a session may do, as that changes.

use std::sync::Arc;

use moq_model::BroadcastPath;
use moq_model::platform::clock::{self, Instant};
use moq_wire::code;
use tokio::sync::watch;

use crate::error::GrantError;
use crate::grant::Grant;
use crate::session::Session;

/// What the peer may do at this moment.
#[derive(Debug)]
pub(crate) struct Granted {
    /// Every path of the session lies below it. It stays the same.
    pub(crate) root: BroadcastPath,
    grant: watch::Sender<Arc<Grant>>,
}

/// Follows a grant. Each follower sees a change once.
#[derive(Debug)]
pub(crate) struct Changes(watch::Receiver<Arc<Grant>>);

impl Granted {
    pub(crate) fn new(grant: Grant) -> Self {
        Self {
            root: grant.root.clone(),
            grant: watch::Sender::new(Arc::new(grant)),
        }
    }

    pub(crate) fn may_publish(&self, path: &BroadcastPath) -> bool {
        self.grant.borrow().may_publish(path)
    }

    pub(crate) fn may_subscribe(&self, path: &BroadcastPath) -> bool {
        self.grant.borrow().may_subscribe(path)
    }

    pub(crate) fn changes(&self) -> Changes {
        Changes(self.grant.subscribe())
    }
}

impl Changes {
    /// The grant that was seen last.
    pub(crate) fn current(&mut self) -> Arc<Grant> {
        self.0.borrow_and_update().clone()
    }

    /// Waits until there is another grant. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until the grant runs out, however often it is renewed before. Cancel safe.
    pub(crate) async fn expired(&mut self) {
        loop {
            let until = self.current().until;
            tokio::select! {
                biased;
                () = self.changed() => {}
                () = reached(until) => return,
            }
        }
    }
}

/// Waits until a time, for ever without one.
async fn reached(until: Option<Instant>) {
    match until {
        Some(until) => clock::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

impl Session {
    /// Replaces what the peer is granted, by the same or more: it may last longer or shorter, and allow
    /// further paths.
    ///
    /// What is allowed in addition is told and taken in at once, as far as it was announced before.
    ///
    /// # Errors
    /// [`GrantError::Narrower`] if it has another root or another identity, or does not cover what was
    /// granted before. The session is closed as unauthorized then, since what was begun under the former
    /// grant can't be told apart.
    pub fn renew(&self, grant: Grant) -> Result<(), GrantError> {
        let granted = &self.shared().grant.grant;
        let is_wider = granted.send_if_modified(|current| {
            let is_wider = grant.covers(current);
            if is_wider {
                *current = Arc::new(grant);
            }
            is_wider
        });
        if is_wider {
            return Ok(());
        }
        self.close(code::session::UNAUTHORIZED, "the grant is narrower");
        Err(GrantError::Narrower)
    }

    /// Takes the peer's grant back: closes the session as unauthorized.
    pub fn revoke(&self) {
        self.close(code::session::UNAUTHORIZED, "revoked");
    }
}
