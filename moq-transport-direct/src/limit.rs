//! Log lines that a peer may cause as often as it likes.

use std::time::{Duration, Instant};

/// Lets one line of a cause through per period, and counts the others.
#[derive(Debug, Default)]
pub(super) struct LogLimit {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl LogLimit {
    /// How many lines were left out since the last one, if it is time for another.
    pub(super) fn say(&mut self, now: Instant) -> Option<u64> {
        let is_over = |said: Instant| now.saturating_duration_since(said) >= PERIOD;
        if self.said_at.is_none_or(is_over) {
            self.said_at = Some(now);
            return Some(std::mem::take(&mut self.unsaid));
        }
        self.unsaid += 1;
        None
    }
}

const PERIOD: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_period_tells_how_many_were_left_out() {
        let (mut limit, start) = (LogLimit::default(), Instant::now());
        assert_eq!(limit.say(start), Some(0));
        assert_eq!(limit.say(start), None);
        assert_eq!(limit.say(start + PERIOD / 2), None);
        assert_eq!(limit.say(start + PERIOD), Some(2));
        assert_eq!(limit.say(start + PERIOD * 2), Some(0));
    }
}
