//! What came of fuzzing.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What came of fuzzing one target.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) target: String,
    pub(super) executions: u64,
    pub(super) time: Duration,
    /// Inputs that reached code that none before them had, where that is known.
    pub(super) new: Option<u64>,
    /// Where the input is that breaks a property.
    pub(super) finding: Option<PathBuf>,
}

impl Outcome {
    fn per_second(&self) -> u64 {
        (self.executions as f64 / self.time.as_secs_f64().max(1e-3)) as u64
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target, executions, ..
        } = self;
        let result = if self.finding.is_some() {
            "FAILED"
        } else {
            "ok"
        };
        write!(f, "{target:16} {executions:>10} executions  {result}")
    }
}

/// One row per target, and how many executions there were in total.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut table = String::from(HEAD);
    for outcome in outcomes {
        let new = outcome
            .new
            .map_or_else(|| "–".to_owned(), |new| new.to_string());
        let result = match &outcome.finding {
            Some(input) => format!("FAILED: {}", input.display()),
            None => "ok".to_owned(),
        };
        table += &format!(
            "| {:16} | {:>10} | {:>8} | {new:>10} | {result} |\n",
            outcome.target,
            outcome.executions,
            outcome.per_second()
        );
    }
    let total = outcomes
        .iter()
        .map(|outcome| outcome.executions)
        .sum::<u64>();
    table + &format!("{total} executions in total\n")
}

const HEAD: &str = "\
| target           | executions | exec/s   | new corpus | result |
|------------------|-----------:|---------:|-----------:|--------|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_shows_findings_and_sums_up() {
        let outcome = |target: &str, new, finding: Option<&str>| Outcome {
            target: target.to_owned(),
            executions: 3_000,
            time: Duration::from_secs(2),
            new,
            finding: finding.map(PathBuf::from),
        };
        let table = table(&[
            outcome("path", Some(7), None),
            outcome("probe", None, Some("crash-1")),
        ]);
        let rows = table.lines().skip(2).collect::<Vec<_>>();
        assert_eq!(
            rows,
            [
                "| path             |       3000 |     1500 |          7 | ok |",
                "| probe            |       3000 |     1500 |          – | FAILED: crash-1 |",
                "6000 executions in total",
            ]
        );
    }
}
