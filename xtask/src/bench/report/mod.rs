//! What was measured, as a page and as JSON.

mod json;
mod rows;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::metric::{Metric, What};
use super::stats::Spread;
use super::subject::Subject;
use super::window::Window;
use rows::{HEAD, METRICS, WINDOWS, interval};

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What stands at the top of the page: names and values.
    setting: Vec<(&'static str, String)>,
    metrics: Vec<Metric>,
    windows: Vec<Measured>,
    /// What a reader has to know, in the order in which it turned out.
    notes: Vec<String>,
    /// Something could not be measured.
    is_incomplete: bool,
}

/// A window that was measured, whether it counts or not.
#[derive(Debug)]
struct Measured {
    workload: &'static str,
    subject: Subject,
    window: Window,
    /// Why it does not count, if so.
    fault: Option<String>,
}

impl Report {
    pub(super) fn new(setting: Vec<(&'static str, String)>) -> Self {
        Self {
            setting,
            ..Self::default()
        }
    }

    /// Adds a figure of a subject in a round.
    pub(super) fn add(&mut self, what: What, round: usize, subject: Subject, value: f64) {
        let known = self.metrics.iter_mut().find(|known| known.what == what);
        if let Some(known) = known {
            return known.add(round, subject, value);
        }
        let mut metric = Metric::new(what);
        metric.add(round, subject, value);
        self.metrics.push(metric);
    }

    /// Keeps a window for the table of windows.
    pub(super) fn keep(
        &mut self,
        workload: &'static str,
        subject: Subject,
        window: Window,
        fault: Option<String>,
    ) {
        self.windows.push(Measured {
            workload,
            subject,
            window,
            fault,
        });
    }

    /// Tells the reader something.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Tells the reader what could not be measured.
    pub(super) fn note_missing(&mut self, note: String) {
        self.is_incomplete = true;
        self.notes.push(note);
    }

    /// Whether equal programs seem to cost the same, where that was measured. All workloads count
    /// together: those of one are too few to tell a difference from a busy machine.
    fn control(&self) -> Option<(Spread, bool)> {
        let costs = self.metrics.iter();
        let costs = costs.filter(|metric| metric.what.id.ends_with(" cpu"));
        let with = |below| {
            let costs = costs.clone();
            let ratios = costs.flat_map(|metric| metric.ratios(Subject::Control, below));
            Spread::interval(&ratios.collect::<Vec<_>>())
        };
        let ratio = with(Subject::Peer).or_else(|| with(Subject::Ours))?;
        Some((ratio, (ratio.median - 1.0).abs() <= CONTROL))
    }

    /// Why the figures are not to be published, if so.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self.control() {
            Some((_, false)) => Some("the same program differs too much from itself"),
            _ if self.is_incomplete => Some("something could not be measured, see the notes"),
            _ => None,
        }
    }

    /// The page.
    pub(super) fn markdown(&self) -> String {
        let mut page = HEAD.to_owned();
        page.push_str("| | |\n|---|---|\n");
        for (name, value) in &self.setting {
            // Writing into a string cannot fail.
            let _ = writeln!(page, "| {name} | {value} |");
        }
        if let Some((ratio, is_equal)) = self.control() {
            let verdict = if is_equal { "within" } else { "NOT within" };
            let _ = writeln!(
                page,
                "| the same program twice | {}, {verdict} 1 ± {CONTROL} |",
                interval(&ratio)
            );
        }
        page.push_str(METRICS);
        for metric in &self.metrics {
            page.push_str(&rows::row(metric));
        }
        page.push_str(WINDOWS);
        self.push_windows(&mut page);
        if !self.notes.is_empty() {
            page.push_str("\n## Notes\n\n");
            for note in &self.notes {
                let _ = writeln!(page, "- {note}");
            }
        }
        page
    }

    fn push_windows(&self, page: &mut String) {
        let mut workloads: Vec<_> = self.windows.iter().map(|kept| kept.workload).collect();
        workloads.dedup();
        for workload in workloads {
            for subject in Subject::ALL {
                let of = |kept: &&Measured| (kept.workload, kept.subject) == (workload, subject);
                let kept: Vec<&Measured> = self.windows.iter().filter(of).collect();
                if !kept.is_empty() {
                    page.push_str(&rows::windows_row(workload, subject, &kept));
                }
            }
        }
    }

    /// All figures, for programs.
    pub(super) fn json(&self) -> Value {
        let setting = self.setting.iter();
        let setting = setting.map(|(name, value)| ((*name).to_owned(), json!(value)));
        json!({
            "setting": setting.collect::<serde_json::Map<_, _>>(),
            "control": self.control().map(|(ratio, _)| json::spread(&ratio)),
            "metrics": self.metrics.iter().map(json::metric).collect::<Vec<_>>(),
            "windows": self.windows.iter().map(json::measured).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// How far the same program may differ from itself.
const CONTROL: f64 = 0.05;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cost() -> What {
        What::new("w2 cpu", "CPU per delivered frame", "µs").with_gate(0.4)
    }

    #[test]
    fn page_shows_every_metric_and_every_window() {
        let mut report = Report::default();
        for (round, ours, peer) in [(0, 30.0, 100.0), (1, 33.0, 100.0), (2, 36.0, 100.0)] {
            report.add(cost(), round, Subject::Ours, ours);
            report.add(cost(), round, Subject::Peer, peer);
        }
        let window = || Window::whole(Duration::from_millis(30));
        report.keep("w2", Subject::Ours, window(), None);
        report.keep("w2", Subject::Ours, window(), Some("groups lost".into()));
        let page = report.markdown();
        let row = "| w2 cpu | CPU per delivered frame | µs | 33.0 | | 100 | | 0.33 (0.30–0.36, n 3) | ≤ 0.4 ✓ |";
        assert!(page.contains(row), "{page}");
        let row = "| w2 | ours | 1 of 2 | 1000 of 1000 | 0 | 0 | 0.0 | groups lost |";
        assert!(page.contains(row), "{page}");
        let json = report.json();
        assert_eq!(
            json["metrics"][0]["figures"]["ours"],
            json!([30.0, 33.0, 36.0])
        );
        assert_eq!(json["metrics"][0]["passes"], true);
        assert_eq!(json["windows"][1]["fault"], "groups lost");
    }

    #[test]
    fn a_program_that_differs_from_itself_spoils_everything() {
        for (control, is_equal) in [(104.0, true), (106.0, false)] {
            let mut report = Report::default();
            report.add(cost(), 0, Subject::Peer, 100.0);
            assert_eq!(report.fault(), None);
            report.add(cost(), 0, Subject::Control, control);
            assert_eq!(report.fault().is_none(), is_equal);
            // Another workload is a ratio more, another metric none.
            let other = What::new("w3 cpu", "CPU per delivered frame", "µs");
            let latency = What::new("w3 p50", "latency, from due to whole", "ms");
            for what in [other, latency] {
                report.add(what.clone(), 0, Subject::Peer, 100.0);
                report.add(what, 0, Subject::Control, 90.0);
            }
            assert_eq!(report.control().unwrap().0.count, 2);
            assert_eq!(report.control().unwrap().0.median, (control + 90.0) / 200.0);
        }
    }
}
