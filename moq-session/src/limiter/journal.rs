//! What the log was told of limits.

use std::collections::BTreeMap;
use std::time::Duration;

use moq_model::platform::clock::Instant;

use crate::limits::Limit;

/// Keeps a peer that floods this end from flooding the log.
#[derive(Debug, Default)]
pub(super) struct Journal(BTreeMap<Limit, Entry>);

#[derive(Debug)]
struct Entry {
    /// When the log was told last.
    told: Instant,
    /// How often the limit was reached since.
    untold: u64,
}

impl Journal {
    /// Notes that a limit was reached. Says how often since the log was told last, if it is to be told.
    pub(super) fn note(&mut self, limit: Limit, now: Instant) -> Option<u64> {
        let Some(entry) = self.0.get_mut(&limit) else {
            let (told, untold) = (now, 0);
            self.0.insert(limit, Entry { told, untold });
            return Some(1);
        };
        entry.untold += 1;
        if now.saturating_duration_since(entry.told) < PAUSE {
            return None;
        }
        entry.told = now;
        Some(std::mem::take(&mut entry.untold))
    }
}

/// The time between two lines on one limit.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use moq_model::platform::clock;

    use super::*;

    #[test]
    fn a_limit_has_one_line_a_second() {
        let mut journal = Journal::default();
        let start = clock::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(journal.note(Limit::Probes, at(0)), Some(1));
        assert_eq!(journal.note(Limit::Probes, at(1)), None);
        assert_eq!(journal.note(Limit::Tracks, at(1)), Some(1));
        assert_eq!(journal.note(Limit::Probes, at(999)), None);
        assert_eq!(journal.note(Limit::Probes, at(1_000)), Some(3));
    }
}
