//! From the broadcast's time to the clock.

use std::time::Duration;

use tokio::time::Instant;

/// Says when what is due in the broadcast's time is due by the clock.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// A moment of the broadcast's time, and when it was.
    base: Option<(Duration, Instant)>,
}

impl Pacer {
    /// When `due` comes. The first time that is asked, the broadcast's time stands at `start`, where it
    /// began, or else at `due`.
    pub(super) fn at(&mut self, due: Duration, start: Option<Duration>, now: Instant) -> Instant {
        let base = self.base.unwrap_or_else(|| (start.unwrap_or(due), now));
        self.base = Some(base);
        let (base, at) = base;
        at.checked_add(due.saturating_sub(base)).unwrap_or(at)
    }

    /// Up to where the broadcast's time has come.
    pub(super) fn reached(&self, now: Instant) -> Duration {
        let reached = |(base, at)| now.saturating_duration_since(at).saturating_add(base);
        self.base.map_or(Duration::ZERO, reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_that_begins_late_is_not_waited_for() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let hours = Duration::from_secs(7_200);
        let second = Duration::from_secs(1);
        assert_eq!(pacer.at(hours, None, now), now);
        assert_eq!(pacer.at(hours + second, Some(hours), now), now + second);
        assert_eq!(pacer.reached(now + second), hours + second);
    }

    #[test]
    fn what_follows_a_frame_at_zero_keeps_its_distance() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let frame = Duration::from_millis(40);
        assert_eq!(pacer.at(frame, Some(Duration::ZERO), now), now + frame);
        assert_eq!(pacer.reached(now), Duration::ZERO);
    }
}
