//! TAP 14 on stdout.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::cell::Cell;
use super::failure::Failure;
use crate::relay::tail;

/// How a cell went.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed { latency: Option<Duration> },
    Failed(Failure),
    Skipped(String),
}

/// A cell and how it went.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// The figures of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Cells with a peer that we did not write, skipped ones included.
    pub(crate) foreign: usize,
    pub(crate) foreign_passed: usize,
}

impl Figures {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut figures = Self::default();
        for row in rows {
            let is_foreign = usize::from(row.cell.peer.is_some());
            figures.foreign += is_foreign;
            match row.verdict {
                Verdict::Passed { .. } => {
                    figures.passed += 1;
                    figures.foreign_passed += is_foreign;
                }
                Verdict::Failed(_) => figures.failed += 1,
                Verdict::Skipped(_) => figures.skipped += 1,
            }
        }
        figures
    }
}

/// Begins the report.
pub(crate) fn begin(count: usize) -> anyhow::Result<()> {
    print(&format!("TAP version 14\n1..{count}\n"))
}

/// Tells of one cell, with the logs in its directory where it failed.
pub(crate) fn row(number: usize, row: &Row, dir: &Path) -> anyhow::Result<()> {
    print(&text(number, row, dir))
}

/// Ends the report.
pub(crate) fn end(figures: Figures) -> anyhow::Result<()> {
    let Figures {
        passed,
        failed,
        skipped,
        foreign,
        foreign_passed,
    } = figures;
    print(&format!(
        "# passed {passed}, failed {failed}, skipped {skipped}; with a peer {foreign}, of them passed \
         {foreign_passed}\n"
    ))
}

pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

fn text(number: usize, row: &Row, dir: &Path) -> String {
    let cell = &row.cell;
    match &row.verdict {
        Verdict::Passed { latency } => {
            let mut text = format!("ok {number} - {cell}\n");
            if let Some(latency) = latency {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "  ---\n  latency_ms: {}\n  ...", millis(*latency));
            }
            text
        }
        Verdict::Skipped(why) => format!("ok {number} - {cell} # SKIP {}\n", one_line(why)),
        Verdict::Failed(failure) => {
            let mut text = format!("not ok {number} - {cell}\n  ---\n");
            let _ = writeln!(text, "  expected: {}", quoted(&failure.expected));
            let _ = writeln!(text, "  received: {}", quoted(&failure.received));
            let _ = writeln!(text, "  duration_ms: {}", millis(row.took));
            let _ = writeln!(text, "  log: |");
            for line in excerpt(dir) {
                let _ = writeln!(text, "    {line}");
            }
            text.push_str("  ...\n");
            text
        }
    }
}

/// The last lines of every log of a cell.
fn excerpt(dir: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().display().to_string();
        let said = tail(&file, 8);
        lines.extend(
            said.iter()
                .map(|line| format!("{name}: {}", one_line(line))),
        );
    }
    lines
}

fn millis(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e3)
}

/// The text without what would break a line or a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A YAML string.
fn quoted(text: &str) -> String {
    format!("'{}'", one_line(text).replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Role, Transport};
    use super::super::scenario;
    use super::*;

    fn row(verdict: Verdict) -> Row {
        let cell = Cell {
            peer: None,
            role: Role::Ours,
            version: "moq-lite-06".into(),
            transport: Transport::Quic,
            scenario: &scenario::ALL[0],
        };
        let took = Duration::from_millis(1500);
        Row {
            cell,
            verdict,
            took,
        }
    }

    #[test]
    fn a_failure_says_what_was_expected_and_what_came() {
        let failed = row(Verdict::Failed(Failure::new("group 2", "it's\ngroup 1")));
        let text = text(7, &failed, Path::new("/nowhere"));
        assert!(text.starts_with("not ok 7 - ours/ours/moq-lite-06/quic/connect\n  ---\n"));
        assert!(text.contains("  expected: 'group 2'\n  received: 'it''s group 1'\n"));
        assert!(text.ends_with("  ...\n"));
    }

    #[test]
    fn a_skip_is_not_a_pass() {
        let rows = [
            row(Verdict::Passed { latency: None }),
            row(Verdict::Skipped("no compiler".into())),
        ];
        assert!(text(1, &rows[1], Path::new("/")).contains("# SKIP no compiler"));
        let figures = Figures::of(&rows);
        assert_eq!((figures.passed, figures.skipped, figures.failed), (1, 1, 0));
        assert_eq!(figures.foreign, 0);
    }
}
