//! What was measured, as a page and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::metric::{Metric, What};
use super::options::Subject;
use super::stats::Spread;
use super::window::Window;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What stands at the top of the page: names and values.
    setting: Vec<(&'static str, String)>,
    metrics: Vec<Metric>,
    windows: Vec<Measured>,
    /// What a reader has to know, in the order in which it turned out.
    pub(super) notes: Vec<String>,
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

    /// Whether equal programs seem to be equal, where that was measured.
    fn control(&self) -> Option<(Spread, bool)> {
        let with = |below| {
            let mut ratios = self.metrics.iter();
            ratios.find_map(|metric| metric.ratio(Subject::Control, below))
        };
        let ratio = with(Subject::Peer).or_else(|| with(Subject::Ours))?;
        Some((ratio, (ratio.median - 1.0).abs() <= CONTROL))
    }

    /// Whether a figure is wanting: a window that never counted, or a control that failed.
    pub(super) fn is_valid(&self) -> bool {
        self.control().is_none_or(|(_, is_equal)| is_equal)
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
            page.push_str(&row(metric));
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
                    page.push_str(&windows_row(workload, subject, &kept));
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
            "control": self.control().map(|(ratio, _)| spread(&ratio)),
            "metrics": self.metrics.iter().map(metric).collect::<Vec<_>>(),
            "windows": self.windows.iter().map(measured).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

fn row(metric: &Metric) -> String {
    let What {
        id,
        text,
        unit,
        gate,
    } = &metric.what;
    let mut row = format!("| {id} | {text} | {unit} ");
    for subject in [Subject::Ours, Subject::FanOut, Subject::Peer] {
        let spread = Spread::range(&metric.of(subject));
        let median = spread.map(|spread| figure(spread.median));
        row.push_str(&cell(median));
    }
    for below in [Subject::FanOut, Subject::Peer] {
        let ratio = metric.ratio(Subject::Ours, below);
        row.push_str(&cell(ratio.map(|ratio| interval(&ratio))));
    }
    let gate = gate.map_or_else(String::new, |gate| format!("≤ {gate}"));
    let verdict = match metric.passes() {
        Some(true) => " ✓",
        Some(false) => " ✗",
        None => "",
    };
    format!("{row}| {gate}{verdict} |\n")
}

fn windows_row(workload: &str, subject: Subject, kept: &[&Measured]) -> String {
    let counting = kept.iter().filter(|kept| kept.fault.is_none());
    let counting: Vec<&Window> = counting.map(|kept| &kept.window).collect();
    let sum = |value: fn(&Window) -> u64| counting.iter().map(|window| value(window)).sum::<u64>();
    let most = |value: fn(&Window) -> f64| {
        let values: Vec<f64> = counting.iter().map(|window| value(window)).collect();
        Spread::range(&values).map_or(0.0, |spread| spread.high)
    };
    let faults = kept.iter().filter_map(|kept| kept.fault.clone());
    format!(
        "| {workload} | {subject} | {} of {} | {} of {} | {:.0} | {:.0} | {:.1} | {} |\n",
        counting.len(),
        kept.len(),
        sum(|window| window.frames),
        sum(|window| window.expected_frames),
        most(|window| window.generator * 100.0),
        most(|window| window.elsewhere * 100.0),
        most(|window| window.steal * 100.0),
        faults.collect::<Vec<_>>().join(", "),
    )
}

fn metric(metric: &Metric) -> Value {
    let figures = Subject::ALL
        .iter()
        .map(|subject| (subject.name().to_owned(), json!(metric.of(*subject))));
    let ratio = |below| {
        metric
            .ratio(Subject::Ours, below)
            .map(|ratio| spread(&ratio))
    };
    json!({
        "id": metric.what.id,
        "what": metric.what.text,
        "unit": metric.what.unit,
        "gate": metric.what.gate,
        "figures": figures.collect::<serde_json::Map<_, _>>(),
        "ours_to_fanout": ratio(Subject::FanOut),
        "ours_to_peer": ratio(Subject::Peer),
        "passes": metric.passes(),
    })
}

fn measured(measured: &Measured) -> Value {
    let window = &measured.window;
    json!({
        "workload": measured.workload,
        "subject": measured.subject.name(),
        "fault": measured.fault,
        "cpu_us": window.cpu.as_micros() as u64,
        "frames": [window.frames, window.expected_frames],
        "groups": [window.groups, window.expected_groups],
        "p50_us": window.p50.as_micros() as u64,
        "p99_us": window.p99.as_micros() as u64,
        "rss_kib": window.rss_kib,
        "generator_cores": window.generator,
        "elsewhere_cores": window.elsewhere,
        "steal": window.steal,
    })
}

fn spread(spread: &Spread) -> Value {
    json!({
        "median": spread.median, "low": spread.low, "high": spread.high, "count": spread.count,
    })
}

fn interval(ratio: &Spread) -> String {
    let Spread {
        median,
        low,
        high,
        count,
    } = ratio;
    format!("{median:.2} ({low:.2}–{high:.2}, n {count})")
}

fn cell(text: Option<String>) -> String {
    text.map_or_else(|| "| ".to_owned(), |text| format!("| {text} "))
}

/// Three digits, whatever the size.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How far the same program may differ from itself.
const CONTROL: f64 = 0.05;

const HEAD: &str = "\
# Performance

Generated by `cargo xtask bench relay`; CONTRIBUTING.md says how to run it. All of it is over loopback, raw QUIC, a relay on one core
and the load on another. Absolute figures are of this machine; only ratios, which are taken side by side, mean anything elsewhere.

";

const METRICS: &str = "
## Figures

The median of each subject; ratios with their 95 % interval, by bootstrap over pairs of neighbouring measurements. A gate is for the
upper end of the interval of ours ÷ peer.

| | what | unit | ours | fan-out | peer | ours ÷ fan-out | ours ÷ peer | gate |
|---|---|---|---|---|---|---|---|---|
";

const WINDOWS: &str = "
## Windows

A window counts if 99.5 % of the frames and every group arrived, others used less than a tenth of a core and the host kept less than
2 % of the time. The generator's and the others' share are of one core, the greatest of all windows.

| workload | relay | count | frames delivered | generator % | others % | steal % | not counted for |
|---|---|---|---|---|---|---|---|
";

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
        for (control, is_valid) in [(104.0, true), (106.0, false)] {
            let mut report = Report::default();
            report.add(cost(), 0, Subject::Peer, 100.0);
            assert!(report.is_valid());
            report.add(cost(), 0, Subject::Control, control);
            assert_eq!(report.is_valid(), is_valid);
        }
    }
}
