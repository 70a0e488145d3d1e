//! How long a broadcast is waited for.

use std::future::pending;
use std::time::Duration;

use moq_session::BroadcastPath;
use tokio::time::{Instant, sleep_until};

use crate::exit::{Exit, Failure};

/// How long a broadcast is waited for.
#[derive(Debug)]
pub(super) struct Patience {
    timeout: Option<Duration>,
    /// When waiting ends; `None` for never.
    deadline: Option<Instant>,
    /// Nobody publishes the broadcast.
    is_waiting: bool,
    /// It was waited for before.
    has_waited: bool,
    /// It was found before.
    was_there: bool,
}

impl Patience {
    /// Waits as long as the timeout, without one for ever.
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        Self {
            timeout,
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            is_waiting: false,
            has_waited: false,
            was_there: false,
        }
    }

    /// Nobody publishes the broadcast; says whether that is so for the first time.
    pub(super) fn waits(&mut self) -> bool {
        self.is_waiting = true;
        !std::mem::replace(&mut self.has_waited, true)
    }

    /// The broadcast is there.
    pub(super) fn reached(&mut self) {
        self.is_waiting = false;
    }

    /// What led to the track is lost.
    pub(super) fn lost(&mut self) {
        self.was_there = true;
        self.is_waiting = false;
        self.deadline = self
            .timeout
            .map(|timeout| Instant::now() + timeout.max(COME_BACK));
    }

    /// Waits until it is of no use to wait any longer.
    pub(super) async fn over(&self) {
        match self.deadline.filter(|_| self.is_waiting) {
            Some(deadline) => sleep_until(deadline).await,
            None => pending().await,
        }
    }

    /// The broadcast was waited for in vain.
    pub(super) fn not_found(&self, path: &BroadcastPath) -> anyhow::Error {
        let failure = if self.was_there {
            let what = format!("`{path}` was not published again after it was lost");
            Failure::new(Exit::Failed, what)
        } else {
            let what = format!("nobody publishes `{path}`");
            let hint = "`moq ls URL` shows what is there; without --timeout it is waited for";
            Failure::new(Exit::NotFound, what).with_hint(hint)
        };
        failure.into()
    }
}

/// How long a broadcast that was there has at least to come back.
const COME_BACK: Duration = Duration::from_secs(10);
