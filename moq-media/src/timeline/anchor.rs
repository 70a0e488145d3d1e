//! From the input's time to the broadcast's.

use std::time::Duration;

use super::scale::Scale;

/// One constant that all tracks of a broadcast add to their times.
///
/// The constant is a whole number of ticks in every track's scale, so that tracks keep their times
/// to each other and within themselves exactly. It changes when the input's time breaks.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// Of all tracks; the constant is a whole number of its ticks.
    grid: Scale,
    offset: i64,
    /// Where the broadcast is, in microseconds of its own time: the end of what was published.
    end: i64,
    /// When that was, by the caller's clock.
    at: Duration,
    is_set: bool,
}

impl Anchor {
    /// An anchor for tracks of these scales, at which nothing was published.
    #[must_use]
    pub fn new(scales: impl IntoIterator<Item = Scale>) -> Self {
        Self {
            grid: grid(scales),
            offset: 0,
            end: 0,
            at: Duration::ZERO,
            is_set: false,
        }
    }

    /// The time breaks: the next [`start`](Self::start) chooses a new constant, for tracks of these
    /// scales.
    pub fn reset(&mut self, scales: impl IntoIterator<Item = Scale>) {
        self.grid = grid(scales);
        self.is_set = false;
    }

    /// Whether the constant is chosen.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.is_set
    }

    /// Chooses the constant, from the earliest time that can come in any track, in microseconds.
    ///
    /// The input's times are kept where they can be: only times below zero are moved up. After a
    /// break, time goes on where the broadcast was, plus what has passed since by the caller's
    /// clock.
    pub fn start(&mut self, earliest: i64, now: Duration) {
        let passed = now.saturating_sub(self.at).as_micros();
        let passed = i64::try_from(passed).unwrap_or(0);
        let shift = if self.end == 0 {
            earliest.saturating_neg().max(0)
        } else {
            self.end.saturating_add(passed).saturating_sub(earliest)
        };
        let (shift, grid) = (i128::from(shift), i128::from(self.grid.ticks()));
        let up = -(-shift * grid).div_euclid(1_000_000);
        self.offset = i64::try_from(up).unwrap_or(0);
        self.is_set = true;
    }

    /// Chooses the constant that moves `earliest`, in microseconds, to zero or just above it.
    pub fn rebase(&mut self, earliest: i64) {
        let (earliest, grid) = (i128::from(earliest), i128::from(self.grid.ticks()));
        let down = -(earliest * grid).div_euclid(1_000_000);
        self.offset = i64::try_from(down).unwrap_or(0);
        self.is_set = true;
    }

    /// The time goes back to `earliest`, in microseconds: it goes on at the end of what there is.
    pub fn restart(&mut self, earliest: i64) {
        let shift = self.end.saturating_sub(earliest);
        self.rebase(shift.saturating_neg());
    }

    /// A track's time in the broadcast, in its own ticks, saturating.
    #[must_use]
    pub fn place(&self, scale: Scale, ticks: i64) -> i64 {
        let factor = i64::from(scale.ticks() / self.grid.ticks());
        ticks.saturating_add(self.offset.saturating_mul(factor))
    }

    /// Notes that the broadcast reaches up to `end`, in microseconds of its own time.
    pub fn reached(&mut self, end: i64, now: Duration) {
        if end > self.end {
            self.end = end;
            self.at = now;
        }
    }

    /// Up to where the broadcast reaches, in microseconds of its own time.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.end
    }
}

/// The scale whose ticks are whole ticks of all; one tick a second if there are none.
fn grid(scales: impl IntoIterator<Item = Scale>) -> Scale {
    let common = scales.into_iter().reduce(Scale::common);
    common.unwrap_or(Scale::MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: u32 = 15_360;
    const AUDIO: u32 = 44_100;

    fn scales() -> [Scale; 2] {
        [VIDEO, AUDIO].map(|ticks| Scale::new(ticks).unwrap())
    }

    #[test]
    fn times_from_zero_on_are_kept() {
        let mut anchor = Anchor::new(scales());
        anchor.start(7_200_000_000, Duration::ZERO);
        assert_eq!(anchor.place(scales()[0], 123), 123);
    }

    #[test]
    fn negative_times_move_all_tracks_by_one_exact_constant() {
        let mut anchor = Anchor::new(scales());
        anchor.start(-66_667, Duration::ZERO);
        let [video, audio] = scales();
        let (moved_video, moved_audio) = (anchor.place(video, 0), anchor.place(audio, 0));
        assert!(anchor.place(video, -1_024) >= 0);
        let (video, audio) = (i64::from(VIDEO), i64::from(AUDIO));
        assert_eq!(moved_video * audio, moved_audio * video);
        assert!(moved_video < video, "no more than needed");
    }

    #[test]
    fn late_start_moves_to_zero_exactly() {
        let mut anchor = Anchor::new(scales());
        anchor.rebase(7_200_000_123);
        let [video, audio] = scales();
        let place =
            |scale: Scale| scale.micros(anchor.place(scale, scale.from_micros(7_200_000_123)));
        assert!((0..20_000).contains(&place(video)), "{}", place(video));
        assert!((place(video) - place(audio)).abs() < 100);
    }

    #[test]
    fn time_goes_on_after_a_break_and_never_back() {
        let mut anchor = Anchor::new(scales());
        anchor.start(0, Duration::ZERO);
        anchor.reached(5_000_000, Duration::from_secs(5));
        anchor.reached(4_000_000, Duration::from_secs(6));
        anchor.reset(scales());
        anchor.start(0, Duration::from_secs(8));
        let micros = scales()[0].micros(anchor.place(scales()[0], 0));
        assert!((8_000_000..8_020_000).contains(&micros), "{micros}");
    }

    #[test]
    fn file_without_a_clock_goes_on_at_its_end() {
        let mut anchor = Anchor::new(scales());
        anchor.start(0, Duration::ZERO);
        anchor.reached(5_000_000, Duration::ZERO);
        anchor.reset(scales());
        anchor.start(3_000_000, Duration::ZERO);
        let micros = scales()[1].micros(anchor.place(scales()[1], 3 * i64::from(AUDIO)));
        assert!((5_000_000..5_020_000).contains(&micros), "{micros}");
    }
}
