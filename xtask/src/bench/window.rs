//! When frames are due, what came of them, and what it cost.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::workload::Load;

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

    /// When a publisher is to send a frame, counted from the first: they take turns, and each frame
    /// is late by another part of a millisecond. In step with the tick of the system's clock,
    /// `/proc/stat` would find the same things running at each.
    pub(super) fn due_of(&self, publisher: u64, group: u64, frame: u64) -> Duration {
        let turn = publisher * 1_000_000_000 / (self.load.fps * self.load.publishers);
        let number = publisher << 32 | (group * self.load.group_frames + frame);
        // The multiples of the golden ratio are spread evenly.
        let part = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let late = (part * 1_000_000) >> 32;
        self.due(group, frame) + Duration::from_nanos(turn + late)
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
    /// Share of the machine's time that its host kept for others.
    pub(super) steal: f64,
}

impl Window {
    pub(super) fn micros_per_frame(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.frames.max(1) as f64
    }

    /// Why the figures must not be used, if so.
    pub(super) fn fault(&self, is_noisy: bool) -> Option<Fault> {
        let missing = self.expected_frames.abs_diff(self.frames);
        if missing * 200 > self.expected_frames {
            Some(Fault::Frames)
        } else if self.groups != self.expected_groups {
            Some(Fault::Groups)
        } else if is_noisy {
            None
        } else if self.elsewhere > MOST_ELSEWHERE {
            Some(Fault::Elsewhere)
        } else if self.steal > MOST_STEAL {
            Some(Fault::Steal)
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
    /// Other programs used more than a tenth of a core.
    Elsewhere,
    /// The host kept more than 2 % of the time.
    Steal,
}

impl Fault {
    /// Whether the load was too high, and not only the machine too busy.
    pub(super) fn is_loss(self) -> bool {
        matches!(self, Self::Frames | Self::Groups)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frames => "frames lost",
            Self::Groups => "groups lost",
            Self::Elsewhere => "others used the machine",
            Self::Steal => "the host was busy",
        })
    }
}

const WARM_UP_SECONDS: u64 = 2;

/// In cores.
const MOST_ELSEWHERE: f64 = 0.1;

const MOST_STEAL: f64 = 0.02;

#[cfg(test)]
impl Window {
    /// A window in which everything arrived, at this cost in CPU time.
    pub(super) fn whole(cpu: Duration) -> Self {
        Self {
            cpu,
            frames: 1000,
            expected_frames: 1000,
            groups: 10,
            expected_groups: 10,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            rss_kib: 0,
            generator: 0.0,
            elsewhere: 0.0,
            steal: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window::whole(Duration::from_millis(30))
    }

    #[test]
    fn measured_time_begins_and_ends_with_a_group() {
        let plan = Plan::new(Load {
            publishers: 4,
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
        let turn = Duration::from_micros(12_500);
        let late = [0, 1].map(|group| plan.due_of(3, group, 0) - plan.due(group, 0) - turn);
        assert!(late.iter().max() < Some(&Duration::from_millis(1)));
        assert_ne!(late[0], late[1]);
    }

    #[test]
    fn losses_spoil_a_window_on_any_machine() {
        let with = |frames, groups| Window {
            frames,
            groups,
            ..window()
        };
        for (window, fault) in [
            (window(), None),
            (with(995, 10), None),
            (with(994, 10), Some(Fault::Frames)),
            (with(1000, 9), Some(Fault::Groups)),
        ] {
            assert_eq!(window.fault(false), fault);
            assert_eq!(window.fault(true), fault);
        }
    }

    #[test]
    fn neighbours_spoil_a_window_unless_that_is_accepted() {
        let (mut busy, mut stolen) = (window(), window());
        (busy.elsewhere, stolen.steal) = (0.2, 0.03);
        assert_eq!(busy.fault(false), Some(Fault::Elsewhere));
        assert_eq!(stolen.fault(false), Some(Fault::Steal));
        assert_eq!((busy.fault(true), stolen.fault(true)), (None, None));
        assert!(!Fault::Elsewhere.is_loss() && Fault::Groups.is_loss());
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
