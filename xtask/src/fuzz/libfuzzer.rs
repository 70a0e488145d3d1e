//! Targets run by libFuzzer, through cargo-fuzz.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::NIGHTLY;
use super::report::Outcome;
use super::targets;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// All targets of a package, built.
#[derive(Debug)]
pub(super) struct LibFuzzer {
    cargo_fuzz: PathBuf,
    fuzz_dir: PathBuf,
    /// The inputs to start from.
    seeds: PathBuf,
    /// Where what libFuzzer says is kept.
    logs: PathBuf,
}

impl LibFuzzer {
    pub(super) fn build(workspace: &Workspace, package: &str) -> anyhow::Result<Self> {
        let fuzzer = Self {
            cargo_fuzz: CARGO_FUZZ.find(workspace)?,
            fuzz_dir: targets::fuzz_dir(workspace, package)?,
            seeds: targets::corpus(workspace, package)?,
            logs: workspace.target.join("fuzz-logs"),
        };
        let status = fuzzer.command("build").status();
        let status = status.context("running cargo-fuzz")?;
        ensure!(status.success(), "the fuzz targets cannot be built");
        Ok(fuzzer)
    }

    /// Fuzzes one target. What it finds worth keeping stays in `corpus` of the fuzz folder.
    pub(super) fn run(&self, target: &str, seconds: u64) -> anyhow::Result<Outcome> {
        let corpus = self.fuzz_dir.join("corpus").join(target);
        for dir in [&corpus, &self.logs] {
            fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        }
        let path = self.logs.join(format!("{target}.log"));
        let log = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        let mut command = self.command("run");
        command
            .arg(target)
            .args([&corpus, &self.seeds.join(target)])
            .args(["--", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log);
        let start = Instant::now();
        let status = command.status().context("running cargo-fuzz")?;
        let time = start.elapsed().min(Duration::from_secs(seconds));
        let said = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let said = String::from_utf8_lossy(&said);
        let finding = reproducer(&said);
        if !status.success() && finding.is_none() {
            bail!("{target} ended early ({status}), see {}", path.display());
        }
        Ok(Outcome {
            target: target.to_owned(),
            executions: stat(&said, "number_of_executed_units").unwrap_or(0),
            time,
            new: stat(&said, "new_units_added"),
            finding,
        })
    }

    /// No sanitizer: with no unsafe code of ours there is little for it to find, and the time is
    /// better spent on more inputs.
    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(&self.cargo_fuzz);
        command
            .args(["fuzz", action, "--sanitizer", "none", "--fuzz-dir"])
            .arg(&self.fuzz_dir)
            .env("RUSTUP_TOOLCHAIN", NIGHTLY)
            .env_remove("CARGO");
        command
    }
}

/// One of the figures that libFuzzer ends with.
fn stat(said: &str, name: &str) -> Option<u64> {
    let prefix = format!("stat::{name}:");
    let value = said.lines().find_map(|line| line.strip_prefix(&prefix))?;
    value.trim().parse().ok()
}

/// The file with the input that libFuzzer stopped at.
fn reproducer(said: &str) -> Option<PathBuf> {
    let (_, rest) = said.split_once("Test unit written to ")?;
    Some(Path::new(rest.lines().next()?.trim()).to_owned())
}

const CARGO_FUZZ: Tool<'_> = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_finding_are_read_from_what_libfuzzer_says() {
        let said = "\
INFO: Seed: 1
Done 200 runs in 3 second(s)
stat::number_of_executed_units: 200
stat::new_units_added:          17
artifact_prefix='/a/'; Test unit written to /a/crash-69a4
Base64: AA==
";
        assert_eq!(stat(said, "number_of_executed_units"), Some(200));
        assert_eq!(stat(said, "new_units_added"), Some(17));
        assert_eq!(stat(said, "peak_rss_mb"), None);
        assert_eq!(reproducer(said), Some("/a/crash-69a4".into()));
        assert_eq!(reproducer("Done 200 runs"), None);
    }
}
