//! Windows as a table, and what they say side by side.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;

use super::options::Subject;
use super::window::Window;

/// All windows, each with the number of its pair.
#[derive(Debug, Default)]
pub(super) struct Report {
    windows: Vec<(usize, Subject, Window)>,
}

impl Report {
    pub(super) fn add(&mut self, pair: usize, subject: Subject, window: Window) {
        self.windows.push((pair, subject, window));
    }

    pub(super) fn has_faults(&self) -> bool {
        self.windows
            .iter()
            .any(|(_, _, window)| window.fault().is_some())
    }

    pub(super) fn print(&self) -> anyhow::Result<()> {
        let mut text = HEAD.to_owned();
        for subject in ALL {
            text.extend(self.row(subject));
        }
        for (above, below) in RATIOS {
            text.extend(self.ratio_line(above, below));
        }
        if self
            .windows
            .iter()
            .any(|(_, _, window)| window.elsewhere > QUIET)
        {
            text.push_str("others used more than a tenth of a core: repeat on a quieter machine\n");
        }
        std::io::stdout()
            .write_all(text.as_bytes())
            .context("printing the table")
    }

    fn row(&self, subject: Subject) -> Option<String> {
        let of_subject = self.windows.iter().filter(|(_, of, _)| *of == subject);
        let all: Vec<&Window> = of_subject.map(|(_, _, window)| window).collect();
        let fault = all.iter().find_map(|window| window.fault());
        let valid = all.iter().filter(|window| window.fault().is_none());
        let valid: Vec<&Window> = valid.copied().collect();
        let over = |value: fn(&Window) -> f64| Spread::of(valid.iter().map(|window| value(window)));
        let Some(cost) = over(Window::micros_per_frame) else {
            return fault.map(|fault| format!("| {subject:6} | {fault} |\n"));
        };
        let sum = |value: fn(&Window) -> u64| all.iter().map(|window| value(window)).sum::<u64>();
        let mut row = String::new();
        write!(
            row,
            "| {subject:6} | {:.1} ({:.1}–{:.1}) | {:.2} | {:.2} | {}/{} | {:.1} | {:.0} | {:.0} |",
            cost.median,
            cost.min,
            cost.max,
            over(|window| window.p50.as_secs_f64() * 1e3)?.median,
            over(|window| window.p99.as_secs_f64() * 1e3)?.median,
            sum(|window| window.frames),
            sum(|window| window.expected_frames),
            over(|window| window.rss_kib as f64 / 1024.0)?.median,
            over(|window| window.generator * 100.0)?.median,
            over(|window| window.elsewhere * 100.0)?.max,
        )
        .ok()?;
        row.extend(
            fault.map(|fault| format!(" {} of {}: {fault}", all.len() - valid.len(), all.len())),
        );
        row.push('\n');
        Some(row)
    }

    fn ratio_line(&self, above: Subject, below: Subject) -> Option<String> {
        let of = |pair: usize, subject: Subject| {
            let mut all = self.windows.iter();
            let found = all.find(|(at, of, _)| (*at, *of) == (pair, subject));
            found
                .map(|(_, _, window)| window)
                .filter(|window| window.fault().is_none())
        };
        let pairs = self.windows.iter().map(|(pair, _, _)| *pair).max()?;
        let ratios = (0..=pairs).filter_map(|pair| {
            Some(of(pair, above)?.micros_per_frame() / of(pair, below)?.micros_per_frame())
        });
        let ratios: Vec<f64> = ratios.collect();
        let Spread { median, min, max } = Spread::of(ratios.iter().copied())?;
        let count = ratios.len();
        Some(format!(
            "{above} / {below}: {median:.2} ({min:.2}–{max:.2} over {count} pairs)\n"
        ))
    }
}

/// Where values lie.
#[derive(Debug, PartialEq)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 {
            upper
        } else {
            (values[middle - 1] + upper) / 2.0
        };
        Some(Self {
            median,
            min: *values.first()?,
            max: *values.last()?,
        })
    }
}

const ALL: [Subject; 3] = [Subject::Ours, Subject::FanOut, Subject::Peer];

const RATIOS: [(Subject, Subject); 3] = [
    (Subject::Ours, Subject::FanOut),
    (Subject::Ours, Subject::Peer),
    (Subject::Peer, Subject::FanOut),
];

/// Cores that others may use before the figures are in doubt.
const QUIET: f64 = 0.1;

const HEAD: &str = "\
| relay  | CPU µs/frame, median (min–max) | p50 ms | p99 ms | delivered | RSS MiB | generator % | others % |
|---|---|---|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn window(micros: u64, groups: u64) -> Window {
        Window {
            cpu: Duration::from_micros(micros),
            frames: 1,
            expected_frames: 1,
            groups,
            expected_groups: 1,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            rss_kib: 0,
            generator: 0.0,
            elsewhere: 0.0,
        }
    }

    #[test]
    fn ratios_pair_neighbours_and_skip_spoilt_windows() {
        let mut report = Report::default();
        for (pair, ours, bare, groups) in [
            (0, 30, 20, 1),
            (1, 50, 20, 1),
            (2, 90, 20, 0),
            (3, 40, 20, 1),
        ] {
            report.add(pair, Subject::Ours, window(ours, groups));
            report.add(pair, Subject::FanOut, window(bare, 1));
        }
        let line = report.ratio_line(Subject::Ours, Subject::FanOut).unwrap();
        assert_eq!(line, "ours / fanout: 2.00 (1.50–2.50 over 3 pairs)\n");
        assert!(report.ratio_line(Subject::Peer, Subject::FanOut).is_none());
        assert!(report.has_faults());
    }

    #[test]
    fn row_without_a_valid_window_shows_no_figures() {
        let mut report = Report::default();
        report.add(0, Subject::Peer, window(30, 0));
        let row = report.row(Subject::Peer).unwrap();
        assert!(row.contains("INVALID: groups lost") && !row.contains("30"));
        assert!(report.row(Subject::Ours).is_none());
    }

    #[test]
    fn median_of_an_even_count_lies_between() {
        let spread = Spread::of([3.0, 1.0, 2.0, 10.0].into_iter()).unwrap();
        assert_eq!(
            spread,
            Spread {
                median: 2.5,
                min: 1.0,
                max: 10.0
            }
        );
        assert_eq!(Spread::of(std::iter::empty()), None);
    }
}
