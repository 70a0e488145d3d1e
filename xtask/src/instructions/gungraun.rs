//! Benchmarks that gungraun runs under valgrind.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::tools::Tool;
use crate::workspace::Workspace;

/// What callgrind counted for one benchmark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) function: String,
    /// The name of its input.
    pub(super) input: String,
    pub(super) instructions: u64,
}

/// Runs the benchmarks of a crate, with the runner that the lock file in `lock_dir` asks for.
pub(super) fn measure(
    workspace: &Workspace,
    manifest: &Path,
    lock_dir: &Path,
) -> anyhow::Result<Vec<Count>> {
    let lock = lock_dir.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).with_context(|| format!("reading {}", lock.display()))?;
    let version = locked(&lock, "gungraun").context("the lock file has no gungraun")?;
    let tool = Tool {
        name: "gungraun-runner",
        version,
    };
    let runner = tool.find(workspace)?;
    let mut bench = workspace.cargo(&["bench", "--quiet", "--locked", "--benches"]);
    bench
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&workspace.target)
        .args(["--", "--output-format=json"])
        .env("GUNGRAUN_RUNNER", runner)
        .stderr(Stdio::inherit());
    let output = bench.output().context("running cargo bench")?;
    ensure!(
        output.status.success(),
        "the benchmarks failed ({})",
        output.status
    );
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// A line of JSON for each benchmark, perhaps among others.
fn parse(stdout: &str) -> anyhow::Result<Vec<Count>> {
    let mut counts = Vec::new();
    for line in stdout.lines().filter(|line| line.starts_with('{')) {
        let summary: Value = serde_json::from_str(line).context("reading a benchmark's summary")?;
        let name = summary["function_name"].as_str();
        let name = name.context("a benchmark has no name")?;
        let total = &summary["profiles"][0]["data"]["total"];
        let count = total["metrics"]["Ir"]["values"]["new"].as_u64();
        let count = count.with_context(|| format!("{name} has no count of instructions"))?;
        counts.push(Count {
            function: name.to_owned(),
            input: summary["id"].as_str().unwrap_or_default().to_owned(),
            instructions: count,
        });
    }
    Ok(counts)
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_summaries() {
        let summary = |name: &str, values: &str| {
            format!(
                r#"{{"function_name":"{name}","id":"small","profiles":[{{"data":{{"total":{{"metrics":{{"Ir":{{"values":{values}}}}}}}}}}}]}}"#
            )
        };
        let stdout = format!(
            "warning: noise\n{}\n{}\n",
            summary("first", r#"{"new":5014,"old":7}"#),
            summary("second", r#"{"new":12}"#)
        );
        let counts = parse(&stdout).unwrap();
        let counts: Vec<_> = counts
            .iter()
            .map(|count| (&*count.function, &*count.input, count.instructions))
            .collect();
        assert_eq!(counts, [("first", "small", 5014), ("second", "small", 12)]);
        assert!(parse(&summary("third", "{}")).is_err());
    }

    #[test]
    fn version_is_that_of_the_whole_name() {
        let lock = "[[package]]\nname = \"gungraun-macros\"\nversion = \"0.10.0\"\n\n\
                    [[package]]\nname = \"gungraun\"\nversion = \"0.20.0\"\n";
        assert_eq!(locked(lock, "gungraun"), Some("0.20.0"));
        assert_eq!(locked(lock, "valgrind"), None);
    }
}
