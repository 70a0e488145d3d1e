//! Ticks per second.

use std::num::NonZeroU32;

/// How many ticks of a track make a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(NonZeroU32);

impl Scale {
    /// One tick per microsecond.
    pub const MICROS: Self = Self(NonZeroU32::new(1_000_000).expect("a million is not zero"));

    /// A scale of `ticks` per second; `None` for 0.
    #[must_use]
    pub fn new(ticks: u32) -> Option<Self> {
        NonZeroU32::new(ticks).map(Self)
    }

    /// Ticks per second.
    #[must_use]
    pub fn ticks(self) -> u32 {
        self.0.get()
    }

    /// A time in microseconds, to the nearest, saturating.
    ///
    /// To be called with a time since the track's zero, never with a duration that is then added
    /// up: so roundings do not add up either.
    #[must_use]
    pub fn micros(self, ticks: i64) -> i64 {
        convert(ticks, self, Self::MICROS)
    }

    /// A time of microseconds in ticks, to the nearest, saturating.
    #[must_use]
    pub fn from_micros(self, micros: i64) -> i64 {
        convert(micros, Self::MICROS, self)
    }

    /// Whether a time is less than 285 years from zero and has less than 2^60 ticks. What is further
    /// away is damage. What is closer can be added to and converted.
    pub(crate) fn is_plausible(self, ticks: i64) -> bool {
        ticks.unsigned_abs() < MOST_TICKS && self.micros(ticks).unsigned_abs() < MOST_MICROS
    }

    /// The greatest scale whose ticks are whole ticks of both.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        let (mut a, mut b) = (self.ticks(), other.ticks());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self::new(a).unwrap_or(self)
    }
}

fn convert(ticks: i64, from: Scale, to: Scale) -> i64 {
    let (from, to) = (i128::from(from.ticks()), i128::from(to.ticks()));
    let doubled = i128::from(ticks) * to * 2 + from;
    let rounded = doubled.div_euclid(from * 2);
    let limited = rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(limited).unwrap_or(i64::MAX)
}

/// Microseconds that scripts can still count.
const MOST_MICROS: u64 = 1 << 53;

/// Ticks that are safe to add to.
const MOST_TICKS: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(ticks: u32) -> Scale {
        Scale::new(ticks).unwrap()
    }

    #[test]
    fn absolute_ticks_do_not_drift() {
        let ntsc = scale(30_000);
        assert_eq!(ntsc.micros(1_001), 33_367);
        assert_eq!(ntsc.micros(2 * 1_001), 66_733);
        assert_eq!(ntsc.micros(1_001 * 30_000 * 24), 24 * 1_001_000_000);
        let cd = scale(44_100);
        assert_eq!(cd.micros(1_024), 23_220);
        assert_eq!(cd.micros(44_100 * 86_400), 86_400_000_000);
        assert_eq!(cd.micros(-1_024), -23_220);
    }

    #[test]
    fn conversion_saturates() {
        assert_eq!(scale(1).micros(i64::MAX), i64::MAX);
        assert_eq!(scale(1).micros(i64::MIN), i64::MIN);
        assert_eq!(Scale::new(0), None);
    }

    #[test]
    fn common_scale_is_exact_in_both() {
        assert_eq!(scale(15_360).common(scale(48_000)), scale(1_920));
        assert_eq!(scale(44_100).common(scale(30_000)), scale(300));
        assert_eq!(scale(90_001).common(scale(90_000)), scale(1));
    }

    #[test]
    fn times_far_beyond_any_recording_are_not_plausible() {
        let plausible = |scale: u32, ticks| Scale::new(scale).unwrap().is_plausible(ticks);
        assert!(plausible(1_000_000, (1 << 53) - 1));
        assert!(!plausible(1_000_000, 1 << 53));
        assert!(!plausible(1_000_000, -(1 << 53)));
        assert!(!plausible(1, 1 << 40));
        assert!(
            !plausible(u32::MAX, 1 << 60),
            "nine years, but too many ticks"
        );
        assert!(!plausible(1, i64::MIN));
    }
}
