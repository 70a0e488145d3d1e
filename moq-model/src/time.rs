//! Media time.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// How many units of a track's timestamps make a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timescale(NonZeroU64);

impl Timescale {
    /// One unit per millisecond.
    pub const MILLIS: Self = Self(NonZeroU64::new(1_000).expect("1000 is not zero"));

    /// A timescale of `units` per second; `None` for 0.
    #[must_use]
    pub fn new(units: u64) -> Option<Self> {
        NonZeroU64::new(units).map(Self)
    }

    /// Units per second.
    #[must_use]
    pub fn units(self) -> u64 {
        self.0.get()
    }

    /// A duration in units, fractions cut off, saturating.
    #[must_use]
    pub fn from_duration(self, duration: Duration) -> u64 {
        let units = duration.as_nanos().saturating_mul(u128::from(self.units())) / 1_000_000_000;
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// A number of units as a duration, saturating.
    #[must_use]
    pub fn to_duration(self, units: u64) -> Duration {
        let nanos = u128::from(units).saturating_mul(1_000_000_000) / u128::from(self.units());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Default for Timescale {
    fn default() -> Self {
        Self::MILLIS
    }
}

impl fmt::Display for Timescale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_units_agree() {
        let scale = Timescale::new(90_000).unwrap();
        assert_eq!(scale.from_duration(Duration::from_millis(1_500)), 135_000);
        assert_eq!(scale.to_duration(135_000), Duration::from_millis(1_500));
        assert_eq!(scale.from_duration(Duration::MAX), u64::MAX);
    }
}
