//! What came of the frames that were due.

use std::time::Duration;

use hdrhistogram::Histogram;
use moq_session::{Abort, GroupEnd};

/// How much of something had to come, and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) expected: u64,
    pub(super) delivered: u64,
    /// Given up for its age, as was asked for.
    pub(super) skipped: u64,
}

impl Account {
    /// What neither came nor was given up for its age.
    pub(super) fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.delivered + self.skipped)
    }

    /// Whether nothing more can come.
    pub(super) fn is_settled(&self) -> bool {
        self.lost() == 0
    }
}

/// What all subscriptions together received of the measured groups.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) frames: Account,
    pub(super) groups: Account,
    /// Frames that came later than was allowed.
    pub(super) late: u64,
    pub(super) bytes: u64,
    pub(super) latency: Latency,
    /// Since the last [`Self::take_second`].
    second: Second,
}

/// What came within a second.
#[derive(Debug)]
pub(super) struct Second {
    pub(super) frames: u64,
    pub(super) groups: u64,
    pub(super) latency: Latency,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            frames: Account::default(),
            groups: Account::default(),
            late: 0,
            bytes: 0,
            latency: Latency::new(),
            second: Second::new(),
        }
    }

    /// A subscription is going to receive so many groups.
    pub(super) fn expect(&mut self, groups: u64, group_frames: u64) {
        self.groups.expected += groups;
        self.frames.expected += groups * group_frames;
    }

    /// A frame came, so long after it was due.
    pub(super) fn frame(&mut self, bytes: usize, latency: Duration, late: Duration) {
        self.frames.delivered += 1;
        self.bytes += bytes as u64;
        self.late += u64::from(latency > late);
        self.second.frames += 1;
        self.second.latency.add(latency);
    }

    /// A group ended after `frames` of the frames that it should have.
    pub(super) fn group(&mut self, frames: u64, group_frames: u64, end: GroupEnd) {
        match end {
            GroupEnd::Finished if frames == group_frames => {
                self.groups.delivered += 1;
                self.second.groups += 1;
            }
            GroupEnd::Aborted(Abort::Expired | Abort::TooFarBehind) => {
                self.groups.skipped += 1;
                self.frames.skipped += group_frames.saturating_sub(frames);
            }
            _ => {}
        }
    }

    /// What came since it was last asked.
    pub(super) fn take_second(&mut self) -> Second {
        let second = std::mem::replace(&mut self.second, Second::new());
        self.latency.merge(&second.latency);
        second
    }
}

impl Second {
    fn new() -> Self {
        Self {
            frames: 0,
            groups: 0,
            latency: Latency::new(),
        }
    }
}

/// A histogram of durations, in microseconds with three digits, up to an hour.
#[derive(Debug, Clone)]
pub(super) struct Latency(Histogram<u64>);

impl Latency {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_MICROS, 3);
        Self(histogram.expect("the bounds are constant and in order"))
    }

    pub(super) fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(MAX_MICROS);
        self.0.saturating_record(micros);
    }

    fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("histograms of the same bounds");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latency that so much of all, from 0 to 1, does not exceed.
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(quantile))
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }
}

const MAX_MICROS: u64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_millis(500);

    #[test]
    fn whole_groups_settle_the_account() {
        let mut tally = Tally::new();
        tally.expect(2, 3);
        for millis in [1, 2, 600, 1, 1, 1] {
            tally.frame(100, Duration::from_millis(millis), LATE);
        }
        tally.group(3, 3, GroupEnd::Finished);
        assert_eq!((tally.groups.lost(), tally.frames.lost()), (1, 0));
        tally.group(3, 3, GroupEnd::Finished);
        assert!(tally.groups.is_settled() && tally.frames.is_settled());
        assert_eq!((tally.late, tally.bytes), (1, 600));
    }

    #[test]
    fn what_was_given_up_for_its_age_is_not_lost() {
        let mut tally = Tally::new();
        tally.expect(3, 4);
        tally.frame(8, Duration::ZERO, LATE);
        tally.group(1, 4, GroupEnd::Aborted(Abort::TooFarBehind));
        tally.group(0, 4, GroupEnd::Aborted(Abort::Expired));
        assert_eq!((tally.groups.skipped, tally.frames.skipped), (2, 7));
        assert_eq!((tally.groups.lost(), tally.frames.lost()), (1, 4));
    }

    #[test]
    fn a_group_that_ends_early_or_badly_is_lost() {
        let mut tally = Tally::new();
        tally.expect(3, 4);
        tally.group(3, 4, GroupEnd::Finished);
        tally.group(4, 4, GroupEnd::Aborted(Abort::Internal));
        tally.group(0, 4, GroupEnd::Aborted(Abort::Evicted));
        assert_eq!(tally.groups.lost(), 3);
    }

    #[test]
    fn seconds_add_up_to_the_whole() {
        let mut tally = Tally::new();
        for millis in 1..=100 {
            tally.frame(8, Duration::from_millis(millis), LATE);
            if millis % 40 == 0 {
                assert_eq!(tally.take_second().frames, 40);
            }
        }
        assert_eq!(tally.take_second().frames, 20);
        let p50 = tally.latency.quantile(0.5).as_millis();
        assert!((49..=51).contains(&p50), "{p50}");
        assert_eq!(tally.latency.max().as_millis(), 100);
        assert!(tally.take_second().latency.is_empty());
    }
}
