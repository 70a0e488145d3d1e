//! Decode times for frames that carry only a presentation time.

use std::collections::VecDeque;

/// Gives each frame a decode time that rises strictly and is not above its presentation time, as
/// MP4 readers want it.
///
/// With `depth` frames of reordering, the frame `k` is decoded no later than the `k − depth`
/// smallest presentation time so far, because every frame that is shown before that one has been
/// decoded. This holds at any frame rate, even or not, and needs no frame of the future.
#[derive(Debug, Clone)]
pub struct DecodeOrder {
    /// How many frames may be decoded before one that is shown earlier.
    depth: usize,
    /// Presentation times that no decode time was taken from yet, in order.
    waiting: VecDeque<i64>,
    is_primed: bool,
    last: Option<i64>,
    /// What a frame takes, as far as is known, for the first decode times.
    duration: i64,
}

impl DecodeOrder {
    /// For streams that reorder by up to `depth` frames of about `duration` ticks.
    #[must_use]
    pub fn new(depth: usize, duration: i64) -> Self {
        Self {
            depth: depth.min(MAX_DEPTH),
            waiting: VecDeque::new(),
            is_primed: false,
            last: None,
            duration: duration.max(1),
        }
    }

    /// How far the first decode time lies before the first presentation time, in ticks.
    #[must_use]
    pub fn lead(&self) -> i64 {
        i64::try_from(self.depth)
            .unwrap_or(0)
            .saturating_mul(self.duration)
    }

    /// The decode time of the next frame in decode order, which is presented at `pts`.
    ///
    /// A stream that reorders by more than `depth` gets a decode time above `pts`: the rise is
    /// kept, the bound is not.
    pub fn next(&mut self, pts: i64) -> i64 {
        if !self.is_primed {
            self.is_primed = true;
            let depth = i64::try_from(self.depth).unwrap_or(0);
            let before = (1..=depth)
                .rev()
                .map(|at| pts.saturating_sub(at.saturating_mul(self.duration)));
            self.waiting = before.collect();
        }
        let at = self.waiting.partition_point(|waiting| *waiting <= pts);
        self.waiting.insert(at, pts);
        let candidate = self.waiting.pop_front().unwrap_or(pts);
        let after = self.last.map_or(i64::MIN, |last| last.saturating_add(1));
        let dts = candidate.max(after);
        self.last = Some(dts);
        dts
    }

    /// The input lacks frames: what waits belongs to the past. Decode times rise all the same.
    pub fn cut(&mut self) {
        self.is_primed = false;
    }
}

/// What H.264 and H.265 allow at most.
const MAX_DEPTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_times(depth: usize, pts: &[i64]) -> Vec<i64> {
        let mut order = DecodeOrder::new(depth, 40);
        pts.iter().map(|pts| order.next(*pts)).collect()
    }

    #[test]
    fn without_reordering_both_times_agree() {
        assert_eq!(decode_times(0, &[0, 40, 90, 300]), [0, 40, 90, 300]);
    }

    #[test]
    fn b_frames_are_decoded_before_they_are_shown() {
        let pts = [0, 160, 80, 40, 120, 320, 240, 200, 280, 360];
        let dts = decode_times(2, &pts);
        assert_eq!(dts, [-80, -40, 0, 40, 80, 120, 160, 200, 240, 280]);
        assert!(pts.iter().zip(&dts).all(|(pts, dts)| dts <= pts));
    }

    #[test]
    fn uneven_times_stay_in_order() {
        let pts = [0, 500, 33, 41, 3_000, 700, 1_000];
        let dts = decode_times(2, &pts);
        assert!(dts.windows(2).all(|pair| pair[0] < pair[1]), "{dts:?}");
        assert!(pts.iter().zip(&dts).all(|(pts, dts)| dts <= pts), "{dts:?}");
    }

    #[test]
    fn gap_lets_nothing_of_the_past_through() {
        let mut order = DecodeOrder::new(2, 40);
        for pts in [0, 120, 40, 80] {
            order.next(pts);
        }
        order.cut();
        assert_eq!(order.next(10_000), 9_920);
        assert_eq!(order.next(10_120), 9_960);
        order.cut();
        assert_eq!(order.next(9_900), 9_961, "never back");
    }

    #[test]
    fn more_reordering_than_known_still_rises() {
        let dts = decode_times(0, &[0, 160, 80, 40, 120, 320]);
        assert!(dts.windows(2).all(|pair| pair[0] < pair[1]), "{dts:?}");
    }
}
