//! Rates.

use std::time::Duration;

use moq_model::platform::clock::Instant;

use crate::limits::Rate;

/// Holds something to a rate.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When all that happened so far would have happened at the rate.
    until: Option<Instant>,
    /// The longest time to wait.
    most: Duration,
}

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            until: None,
            most: Duration::MAX,
        }
    }

    /// Nobody waits for longer than this, whatever has happened.
    pub(crate) fn with_most(mut self, most: Duration) -> Self {
        self.most = most;
        self
    }

    /// Takes note of one more time; says how long that is too early.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        let from = self.until.map_or(now, |until| until.max(now));
        let latest = self.allowance().saturating_add(self.most);
        let ahead = from.saturating_duration_since(now) + self.rate.interval;
        self.until = Some(now + ahead.min(latest));
        self.debt(now)
    }

    /// How long to wait until all that happened was not too often.
    pub(crate) fn debt(&self, now: Instant) -> Duration {
        let ahead = self
            .until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        ahead.saturating_sub(self.allowance())
    }

    /// How long that takes at the rate which may happen at once.
    fn allowance(&self) -> Duration {
        self.rate.interval * self.rate.burst
    }
}

#[cfg(test)]
mod tests {
    use moq_model::platform::clock;

    use super::*;

    #[test]
    fn a_burst_is_on_time_and_one_more_waits_for_the_interval() {
        let rate = Rate::new(3, Duration::from_millis(10));
        let mut bucket = Bucket::new(rate);
        let start = clock::now();
        let waits: Vec<_> = (0..4).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 10]);
        assert_eq!(
            bucket.debt(start + Duration::from_millis(10)),
            Duration::ZERO
        );
        let later = start + Duration::from_secs(1);
        assert_eq!(bucket.take(later), Duration::ZERO, "the past is forgiven");
    }

    #[test]
    fn nobody_waits_for_longer_than_the_most() {
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::new(Rate::new(3, Duration::from_millis(10))).with_most(second);
        let start = clock::now();
        let last = (0..10_000).map(|_| bucket.take(start)).last();
        assert_eq!(last, Some(second));
        assert_eq!(bucket.debt(start + second), Duration::ZERO);
    }
}
