//! How unevenly frames come, as players want to know it.

/// The largest of frame duration, reorder span and fragment span seen so far, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Jitter {
    micros: i64,
}

impl Jitter {
    /// Notes a span in microseconds.
    pub fn note(&mut self, micros: i64) {
        // Beyond a minute a span says that the input is broken, not that players should wait.
        self.micros = self.micros.max(micros.min(MOST));
    }

    /// In milliseconds, rounded up; never 0 and never less than it was.
    #[must_use]
    pub fn millis(&self) -> u64 {
        let millis = self.micros.max(1).saturating_add(999) / 1_000;
        u64::try_from(millis).unwrap_or(1)
    }
}

const MOST: i64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_rounds_up_and_never_falls() {
        let mut jitter = Jitter::default();
        assert_eq!(jitter.millis(), 1);
        jitter.note(33_367);
        assert_eq!(jitter.millis(), 34);
        jitter.note(20_000);
        jitter.note(-5);
        assert_eq!(jitter.millis(), 34);
        jitter.note(i64::MAX);
        assert_eq!(jitter.millis(), 60_000);
    }
}
