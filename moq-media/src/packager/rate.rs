//! Frames and bits per second, as far as they can be told.

/// Measures a track.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    durations: Option<(u32, u32)>,
    count: u64,
    total: u64,
    /// Of the window that is open.
    bytes: u64,
    micros: i64,
    bitrate: Option<u64>,
}

impl Rate {
    /// Notes a sample: how long it lasts in ticks and in microseconds, and its bytes.
    pub(super) fn note(&mut self, ticks: u32, micros: i64, bytes: usize) {
        let (least, most) = self.durations.unwrap_or((ticks, ticks));
        self.durations = Some((least.min(ticks), most.max(ticks)));
        self.count += 1;
        self.total = self.total.saturating_add(ticks.into());
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.micros = self.micros.saturating_add(micros.max(0));
        if self.micros >= WINDOW {
            let micros = u128::try_from(self.micros).unwrap_or(1);
            let bits = u128::from(self.bytes) * 8 * 1_000_000 / micros;
            let bits = u64::try_from(bits).unwrap_or(u64::MAX);
            // Small rises are not worth a catalog.
            if self
                .bitrate
                .is_none_or(|known| bits > known.saturating_add(known / 8))
            {
                self.bitrate = Some(bits.div_ceil(STEP).saturating_mul(STEP));
            }
            (self.bytes, self.micros) = (0, 0);
        }
    }

    /// Samples per second, if they last equally long within a hundredth.
    pub(super) fn framerate(&self, scale: u32) -> Option<f64> {
        let (least, most) = self.durations?;
        let is_even = u64::from(most - least) * 100 <= u64::from(most);
        if !is_even || least == 0 || self.count < ENOUGH {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
        let exact = f64::from(scale) * self.count as f64 / self.total as f64;
        Some((exact * 1_000.0).round() / 1_000.0)
    }

    /// The most bits in a second or more, rounded up.
    pub(super) fn bitrate(&self) -> Option<u64> {
        self.bitrate
    }
}

/// In microseconds.
const WINDOW: i64 = 2_000_000;

/// In bits.
const STEP: u64 = 1_000;

/// Samples before a rate is told.
const ENOUGH: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_frames_have_a_rate_and_uneven_ones_none() {
        let mut rate = Rate::default();
        for _ in 0..60 {
            rate.note(1_001, 33_367, 1_000);
        }
        assert_eq!(rate.framerate(30_000), Some(29.97));
        assert_eq!(rate.bitrate(), Some(240_000));
        rate.note(2_002, 66_733, 1_000);
        assert_eq!(rate.framerate(30_000), None);
    }

    #[test]
    fn bit_rate_only_grows() {
        let mut rate = Rate::default();
        rate.note(1, WINDOW, 250_000);
        rate.note(1, WINDOW, 100_000);
        assert_eq!(rate.bitrate(), Some(1_000_000));
        rate.note(1, WINDOW, 260_000);
        assert_eq!(rate.bitrate(), Some(1_000_000));
        rate.note(1, WINDOW, 500_000);
        assert_eq!(rate.bitrate(), Some(2_000_000));
    }
}
