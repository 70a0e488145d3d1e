//! When frames are due, what came of them, and what it cost.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::options::Load;

/// Which groups are sent, which of them are measured, and when each frame is due.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) load: Load,
    /// The groups that are measured; those before them are warm-up.
    pub(super) measured: Range<u64>,
    epoch: Instant,
}

impl Plan {
    pub(super) fn new(load: Load) -> Self {
        let groups = |seconds: u64| (seconds * load.fps).div_ceil(load.group_frames).max(1);
        let warm_up = groups(WARM_UP_SECONDS);
        Self {
            load,
            measured: warm_up..warm_up + groups(load.seconds),
            epoch: Instant::now(),
        }
    }

    /// When a frame is due, counted from the first.
    pub(super) fn due(&self, group: u64, frame: u64) -> Duration {
        let frames = group * self.load.group_frames + frame;
        Duration::from_nanos(frames * 1_000_000_000 / self.load.fps)
    }

    /// A moment as it is written into a frame.
    pub(super) fn stamp(&self, at: Instant) -> u64 {
        u64::try_from((at - self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn expected_groups(&self) -> u64 {
        (self.measured.end - self.measured.start) * self.load.subscribers
    }

    pub(super) fn expected_frames(&self) -> u64 {
        self.expected_groups() * self.load.group_frames
    }
}

/// What all subscribers together received of the measured groups.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) frames: u64,
    /// Groups that arrived with all their frames and a proper end.
    pub(super) groups: u64,
    /// From the moment a frame was due to the moment it was whole.
    latencies: Vec<u32>,
}

impl Tally {
    pub(super) fn add_frame(&mut self, latency_ns: u64) {
        self.frames += 1;
        self.latencies
            .push(u32::try_from(latency_ns / 1000).unwrap_or(u32::MAX));
    }

    /// Latencies at these shares of all frames.
    pub(super) fn percentiles<const N: usize>(&mut self, shares: [f64; N]) -> [Duration; N] {
        self.latencies.sort_unstable();
        shares.map(|share| {
            let index = (self.latencies.len() as f64 * share) as usize;
            let last = self.latencies.len().saturating_sub(1);
            let micros = self
                .latencies
                .get(index.min(last))
                .copied()
                .unwrap_or_default();
            Duration::from_micros(micros.into())
        })
    }
}

/// One measurement of one subject.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// CPU time of the subject.
    pub(super) cpu: Duration,
    pub(super) frames: u64,
    pub(super) expected_frames: u64,
    pub(super) groups: u64,
    pub(super) expected_groups: u64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Resident memory of the subject.
    pub(super) rss_kib: u64,
    /// Share of its core that the generator used.
    pub(super) generator: f64,
    /// Cores that neither subject nor generator used, but somebody else.
    pub(super) elsewhere: f64,
}

impl Window {
    pub(super) fn micros_per_frame(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.frames.max(1) as f64
    }

    /// Why the figures must not be used, if so.
    pub(super) fn fault(&self) -> Option<Fault> {
        let missing = self.expected_frames.abs_diff(self.frames);
        if missing * 200 > self.expected_frames {
            Some(Fault::Frames)
        } else if self.groups != self.expected_groups {
            Some(Fault::Groups)
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More than 0.5 % of the frames did not arrive.
    Frames,
    /// A group did not arrive whole.
    Groups,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frames => "INVALID: frames lost",
            Self::Groups => "INVALID: groups lost",
        })
    }
}

const WARM_UP_SECONDS: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window {
            cpu: Duration::from_millis(30),
            frames: 1000,
            expected_frames: 1000,
            groups: 10,
            expected_groups: 10,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            rss_kib: 0,
            generator: 0.0,
            elsewhere: 0.0,
        }
    }

    #[test]
    fn measured_time_begins_and_ends_with_a_group() {
        let plan = Plan::new(Load {
            subscribers: 5,
            fps: 60,
            frame_bytes: 8,
            group_frames: 25,
            seconds: 3,
        });
        assert_eq!(plan.measured, 5..13);
        assert_eq!(plan.expected_frames(), 8 * 25 * 5);
        assert_eq!(plan.due(0, 60), Duration::from_secs(1));
        assert_eq!(plan.due(12, 0), Duration::from_secs(5));
    }

    #[test]
    fn losses_spoil_a_window() {
        assert_eq!(window().fault(), None);
        assert_eq!(
            Window {
                frames: 995,
                ..window()
            }
            .fault(),
            None
        );
        assert_eq!(
            Window {
                frames: 994,
                ..window()
            }
            .fault(),
            Some(Fault::Frames)
        );
        assert_eq!(
            Window {
                groups: 9,
                ..window()
            }
            .fault(),
            Some(Fault::Groups)
        );
    }

    #[test]
    fn cost_is_spread_over_the_frames() {
        assert!((window().micros_per_frame() - 30.0).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_latencies_that_occurred() {
        let mut tally = Tally::default();
        for micros in (1..=100).rev() {
            tally.add_frame(micros * 1000);
        }
        let found = tally.percentiles([0.5, 0.99, 1.0]);
        assert_eq!(found.map(|latency| latency.as_micros()), [51, 100, 100]);
        assert_eq!(Tally::default().percentiles([0.5]), [Duration::ZERO]);
    }
}
