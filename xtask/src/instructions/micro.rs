//! Instructions of the crates' own benchmarks, held against what was counted before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::{measure, pairs, valgrind};
use crate::workspace::{Workspace, output};

/// What `cargo xtask bench micro --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask bench micro [--save]

Counts the instructions of the wire format, of groups on their way to readers, and of a relay in memory, and
compares them with `xtask/micro.baseline`: more than 1 % more is a failure. Needs valgrind. The counts are those of
one compiler on one kind of processor; with another one they are shown and not judged. Some benchmarks do the same
work where much more is held: how many times as much that takes is judged everywhere.

  --save   write the baseline anew
";

/// Crates with benchmarks, what is counted first.
const CRATES: [&str; 3] = ["moq-wire", "moq-model", "moq-session"];
/// Counts may grow by so many hundredths of what they were.
const TOLERANCE: u64 = 1;

/// Instructions by benchmark, and what they depend on beside the code.
#[derive(Debug, PartialEq, Eq)]
struct Counted {
    machine: String,
    counts: BTreeMap<String, u64>,
}

/// Measures, prints the table, and fails if anything takes more than it did.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    let is_saved = match options {
        [] => false,
        ["--save"] => true,
        _ => bail!("unknown options; see `cargo xtask bench micro --help`"),
    };
    let path = workspace.root.join("xtask/micro.baseline");
    let now = count(workspace)?;
    let mut faults = Vec::new();
    if is_saved {
        fs::write(&path, now.text()).context("writing the baseline")?;
    } else {
        let baseline = fs::read_to_string(&path).context("reading xtask/micro.baseline")?;
        faults.extend(judge(&Counted::parse(&baseline)?, &now)?);
    }
    let (table, missed) = pairs::check(&now.counts);
    std::io::stdout().write_all(table.as_bytes())?;
    faults.extend(missed);
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(())
}

/// Prints what was counted beside the baseline; says what takes more, on the baseline's machine.
fn judge(baseline: &Counted, now: &Counted) -> anyhow::Result<Option<String>> {
    let (table, grown) = compare(baseline, now);
    std::io::stdout().write_all(table.as_bytes())?;
    if baseline.machine != now.machine {
        let (was, is) = (&baseline.machine, &now.machine);
        eprintln!("   not judged: the baseline is of {was}, and this is {is}");
        return Ok(None);
    }
    let grown = grown.join(", ");
    let fault = || format!("more instructions than before, by over 1 %: {grown}");
    Ok((!grown.is_empty()).then(fault))
}

fn count(workspace: &Workspace) -> anyhow::Result<Counted> {
    let valgrind = valgrind()?;
    let compiler = output(Command::new("rustc").arg("--version"))?;
    let mut counts = BTreeMap::new();
    for name in CRATES {
        let manifest = workspace.package(name)?.dir.join("Cargo.toml");
        for count in measure(workspace, &manifest, &workspace.root)? {
            let benchmark = format!("{name} {} {}", count.function, count.input);
            counts.insert(benchmark, count.instructions);
        }
    }
    let (processor, compiler) = (processor(), compiler.trim());
    Ok(Counted {
        machine: format!("{processor}, {compiler}, {valgrind}"),
        counts,
    })
}

/// What the system's copies of memory are chosen by.
fn processor() -> String {
    let arch = std::env::consts::ARCH;
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        line.split_once(": ").map(|(_, value)| value.trim())
    };
    let known = [Some(arch), of("model name"), of("cache size")];
    known.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

impl Counted {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.machine);
        for (benchmark, count) in &self.counts {
            text += &format!("{benchmark} {count}\n");
        }
        text
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let machine = lines.next().context("the baseline is empty")?.to_owned();
        let mut counts = BTreeMap::new();
        for line in lines {
            let (benchmark, count) = line
                .rsplit_once(' ')
                .with_context(|| format!("the baseline has a line without a count: {line}"))?;
            let count = count.parse();
            let count = count.with_context(|| format!("reading the baseline's {benchmark}"))?;
            counts.insert(benchmark.to_owned(), count);
        }
        Ok(Self { machine, counts })
    }
}

/// A table of both, and which benchmarks take more than they may.
fn compare(baseline: &Counted, now: &Counted) -> (String, Vec<String>) {
    let mut table = "| benchmark | before | now | |\n|---|--:|--:|--:|\n".to_owned();
    let mut grown = Vec::new();
    for (benchmark, &count) in &now.counts {
        let Some(&before) = baseline.counts.get(benchmark) else {
            let _ = writeln!(table, "| {benchmark} | – | {count} | new |");
            continue;
        };
        let percent = (count as f64 / before as f64 - 1.0) * 100.0;
        let _ = writeln!(
            table,
            "| {benchmark} | {before} | {count} | {percent:+.2} % |"
        );
        if count * 100 > before * (100 + TOLERANCE) {
            grown.push(format!("{benchmark} ({percent:+.2} %)"));
        }
    }
    for benchmark in baseline.counts.keys() {
        if !now.counts.contains_key(benchmark) {
            let _ = writeln!(table, "| {benchmark} | | – | gone |");
            grown.push(format!("{benchmark} (gone)"));
        }
    }
    (table, grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(counts: &[(&str, u64)]) -> Counted {
        Counted {
            machine: "here".to_owned(),
            counts: counts
                .iter()
                .map(|&(name, count)| (name.to_owned(), count))
                .collect(),
        }
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let counted = counted(&[("moq-wire varint mix", 12), ("moq-model by_32 small", 7)]);
        assert_eq!(Counted::parse(&counted.text()).unwrap(), counted);
        assert!(Counted::parse("here\nnocount\n").is_err());
    }

    #[test]
    fn growth_beyond_a_hundredth_and_what_is_gone_are_named() {
        let baseline = counted(&[("a", 1_000), ("b", 1_000), ("c", 1_000), ("d", 1_000)]);
        let now = counted(&[("a", 1_010), ("b", 1_011), ("c", 500), ("e", 1)]);
        let (table, grown) = compare(&baseline, &now);
        assert_eq!(grown, ["b (+1.10 %)", "d (gone)"]);
        assert!(table.contains("| c | 1000 | 500 | -50.00 % |"));
        assert!(table.contains("| e | – | 1 | new |"));
    }
}
