//! What a connection that is kept does about failures.

use std::time::Duration;

use moq_model::platform::random;

/// How a [`Reconnect`](super::Reconnect) goes about failures.
///
/// What is final for one kind of connection its dialer says: [`Dial::is_terminal`](super::Dial::is_terminal),
/// [`Dial::is_final`](super::Dial::is_final), and [`Dial::renew`](super::Dial::renew) for what a fresh
/// credential helps against.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconnectPolicy {
    /// What a failure means before a first session was up.
    pub first_failure: FirstFailure,
    /// How long to wait after the first failure in a row; doubled with each further one, and drawn
    /// between half of that and all of it.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// A session that lived this long begins with the shortest wait again.
    pub stable_after: Duration,
    /// How many dials in a row may bring no session that lived for [`Self::stable_after`]; `None` for
    /// any number. Those of a move count as well: after the last one, the session that is to be left
    /// stays until it ends.
    pub attempts: Option<u32>,
}

/// What a failure means before a first session was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FirstFailure {
    /// It is the end: a wrong address is more likely than a fault.
    #[default]
    Final,
    /// It is retried like any other.
    Retried,
}

impl ReconnectPolicy {
    /// Sets what a failure means before a first session was up.
    #[must_use]
    pub fn with_first_failure(mut self, first_failure: FirstFailure) -> Self {
        self.first_failure = first_failure;
        self
    }

    /// Sets the wait after the first failure in a row, and the longest one.
    #[must_use]
    pub fn with_waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest;
        self
    }

    /// Sets how long a session has to live for the waits to begin anew.
    #[must_use]
    pub fn with_stable_after(mut self, stable_after: Duration) -> Self {
        self.stable_after = stable_after;
        self
    }

    /// Gives up after so many dials in a row.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Whether there is no attempt after this one, counted from 1.
    pub(super) fn is_last(&self, attempt: u32) -> bool {
        self.attempts.is_some_and(|attempts| attempt >= attempts)
    }

    /// The wait after so many failures in a row; half of the first one after none.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let longest = (self.first_wait / 2)
            .saturating_mul(1 << failures.min(16))
            .min(self.longest_wait);
        let jitter = random::number() % 512;
        longest / 2 + longest / 1_024 * u32::try_from(jitter).unwrap_or_default()
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self {
            first_failure: FirstFailure::default(),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(3),
            stable_after: Duration::from_secs(1),
            attempts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let second = Duration::from_secs(1);
        let policy = ReconnectPolicy::default().with_waits(second, 5 * second);
        for (attempt, longest) in [
            (1, second),
            (2, 2 * second),
            (3, 4 * second),
            (4, 5 * second),
        ] {
            for _ in 0..100 {
                let wait = policy.wait(attempt);
                assert!(
                    (longest / 2..=longest).contains(&wait),
                    "{attempt}: {wait:?}"
                );
            }
        }
        assert!(policy.wait(u32::MAX) <= 5 * second);
    }
}
