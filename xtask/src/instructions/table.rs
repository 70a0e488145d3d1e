//! From what was counted to what one operation takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, ensure};

use super::gungraun::Count;

/// Instructions of each benchmark, all its repetitions and their loop together.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(super) fn insert(&mut self, benchmark: &str, count: u64) {
        self.0.insert(benchmark.to_owned(), count);
    }

    pub(super) fn extend(&mut self, counts: impl IntoIterator<Item = Count>) {
        for count in counts {
            self.insert(&count.function, count.instructions);
        }
    }

    pub(super) fn of(&self, benchmark: &str) -> Option<u64> {
        self.0.get(benchmark).copied()
    }

    /// What one operation takes, net of the loop around it.
    fn per_operation(&self, benchmark: &str, row: &Row) -> Option<f64> {
        let around = match row.around {
            Some(around) => self.of(around)?,
            None => 0,
        };
        let net = self.of(benchmark)?.checked_sub(around)?;
        Some(net as f64 / TIMES)
    }

    /// A row for each kind of work, a column for each crate, and what is to be known of them.
    pub(super) fn table(&self) -> anyhow::Result<String> {
        let mut table = String::from(HEAD);
        for row in ROWS {
            let cell = |count: Option<f64>| {
                count.map_or_else(|| "–".to_owned(), |count| format!("{count:.1}"))
            };
            let ours = self.per_operation(row.benchmark, row);
            let ours = ours.with_context(|| format!("{} was not measured", row.benchmark))?;
            let peer =
                |peer: &str| cell(self.per_operation(&format!("{peer}_{}", row.benchmark), row));
            writeln!(
                table,
                "| {:38} | {ours:>8.1} | {:>11} | {:>7} |",
                row.what,
                peer("quinn"),
                peer("moq_net")
            )?;
        }
        table += LEGEND;
        for goal in GOALS {
            let reached = self.reached(goal)?;
            let most = goal.most;
            writeln!(table, "{}: {reached:.1}, at most {most:.0}", goal.what)?;
        }
        Ok(table)
    }

    /// # Errors
    ///
    /// Names a goal that is missed.
    pub(super) fn check_goals(&self) -> anyhow::Result<()> {
        for goal in GOALS {
            let reached = self.reached(goal)?;
            ensure!(
                reached <= goal.most,
                "{} takes {reached:.1} instructions, more than {:.0}",
                goal.what,
                goal.most
            );
        }
        Ok(())
    }

    fn reached(&self, goal: &Goal) -> anyhow::Result<f64> {
        let of = |benchmark: &str| {
            let row = ROWS.iter().find(|row| row.benchmark == benchmark)?;
            self.per_operation(benchmark, row)
        };
        let parts = goal.benchmarks.iter().map(|benchmark| of(benchmark));
        let sum = parts.sum::<Option<f64>>();
        sum.with_context(|| format!("{} was not measured", goal.what))
    }
}

/// A kind of work.
struct Row {
    what: &'static str,
    /// Ours; those of others have their name in front.
    benchmark: &'static str,
    /// The benchmark that goes through the same input and does nothing.
    around: Option<&'static str>,
}

/// What some of the work may take at most, in instructions per operation.
struct Goal {
    what: &'static str,
    benchmarks: &'static [&'static str],
    most: f64,
}

const fn row(what: &'static str, benchmark: &'static str, around: Option<&'static str>) -> Row {
    Row {
        what,
        benchmark,
        around,
    }
}

const INTEGERS: Option<&str> = Some("varint_loop");

const FRAMES: Option<&str> = Some("frame_loop");

const ROWS: &[Row] = &[
    row("varint, encode into a slice", "varint_encode", INTEGERS),
    row("varint, decode from a slice", "varint_decode", INTEGERS),
    row("varint, append to BytesMut", "varint_append", INTEGERS),
    row("varint, take off BytesMut", "varint_split", INTEGERS),
    row(
        "frame header, encode into a slice",
        "frame_header_encode",
        FRAMES,
    ),
    row(
        "frame header, append to BytesMut",
        "frame_header_append",
        FRAMES,
    ),
    row(
        "frame header, take off BytesMut",
        "frame_header_decode",
        FRAMES,
    ),
    row("GROUP, append to BytesMut", "group_header_encode", None),
    row("GROUP, take off BytesMut", "group_header_decode", None),
    row("SUBSCRIBE, append to BytesMut", "subscribe_encode", None),
    row("SUBSCRIBE, take off BytesMut", "subscribe_decode", None),
    row("ANNOUNCE, append to BytesMut", "announce_encode", None),
    row("ANNOUNCE, take off BytesMut", "announce_decode", None),
];

const GOALS: &[Goal] = &[
    Goal {
        what: "varint, encode and decode",
        benchmarks: &["varint_encode", "varint_decode"],
        most: 30.0,
    },
    Goal {
        what: "frame header, append",
        benchmarks: &["frame_header_append"],
        most: 40.0,
    },
];

/// How often each benchmark does its work.
const TIMES: f64 = 1000.0;

const HEAD: &str = "\
| instructions per operation             | moq-wire | quinn-proto | moq-net |
|----------------------------------------|---------:|------------:|--------:|
";

const LEGEND: &str = "
Varints are a quarter each of 1, 2, 4 and 8 bytes, from a `u64` and back to one. What it takes to go
through the same integers or frames, measured by a loop that does nothing else, is taken off; messages
include their loop. `–`: nothing public in that crate does it (VarInt is moq-net's only public codec).
";

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything takes 20 instructions, and a loop 5.
    fn counts() -> Counts {
        let mut counts = Counts::default();
        for row in ROWS {
            counts.insert(row.benchmark, 20_000);
        }
        counts.insert("varint_loop", 5_000);
        counts.insert("frame_loop", 5_000);
        counts
    }

    #[test]
    fn loops_are_taken_off_and_what_nobody_offers_is_left_open() {
        let mut counts = counts();
        counts.insert("quinn_varint_append", 28_120);
        let table = counts.table().unwrap();
        let rows = table.lines().collect::<Vec<_>>();
        assert_eq!(
            rows[4],
            "| varint, append to BytesMut             |     15.0 |        23.1 |       – |"
        );
        assert!(rows[9].contains("20.0"));
        assert!(counts.check_goals().is_ok());
    }

    #[test]
    fn missed_goal_and_missing_count_are_errors() {
        let mut slow = counts();
        slow.insert("varint_decode", 20_001);
        assert!(slow.check_goals().is_err());
        assert!(Counts::default().table().is_err());
    }
}
