//! Targets run by the seeded loop of their crate's tests.

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::report::Outcome;
use super::targets::Target;
use crate::workspace::Workspace;

/// Runs one target with one seed after the other until the time is over.
pub(super) fn run(workspace: &Workspace, target: &Target, seconds: u64) -> anyhow::Result<Outcome> {
    let start = Instant::now();
    let mut outcome = Outcome {
        target: target.name.clone(),
        executions: 0,
        time: Duration::ZERO,
        new: None,
        finding: None,
    };
    // The first seed is that of every test run.
    for seed in 2.. {
        let output = round(workspace, target, seed)?;
        outcome.time = start.elapsed();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let Some(input) = failing_input(&said) else {
                bail!("{} fails with seed {seed}: {}", target.name, said.trim());
            };
            let path = workspace
                .target
                .join(format!("fuzz-{}-seed-{seed}", target.name));
            fs::write(&path, input).with_context(|| format!("writing {}", path.display()))?;
            outcome.finding = Some(path);
            break;
        }
        outcome.executions += runs(target);
        if outcome.time >= Duration::from_secs(seconds) {
            break;
        }
    }
    Ok(outcome)
}

fn round(workspace: &Workspace, target: &Target, seed: u64) -> anyhow::Result<Output> {
    let args = [
        "test",
        "--quiet",
        "-p",
        target.package,
        "--test",
        "fuzz",
        "--",
    ];
    let mut test = workspace.cargo(&args);
    test.args(["--exact", "--nocapture", &target.name])
        .env("MOQ_FUZZ_SEED", seed.to_string())
        .env("MOQ_FUZZ_RUNS", runs(target).to_string());
    test.output().context("running cargo test")
}

/// The input that a test shows, in hexadecimal digits, when it fails.
fn failing_input(said: &str) -> Option<Vec<u8>> {
    let digits = said.lines().find_map(|line| line.strip_prefix("input: "))?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Inputs for each seed: enough that to start the test takes little of the time. A file takes a hundred
/// times as long as a message.
fn runs(target: &Target) -> u64 {
    if target.package == "moq-media" {
        2_000
    } else {
        200_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_input_is_read_from_what_a_test_says() {
        let said = "thread panicked\ninput: 00ff20\nnote: run with\n";
        assert_eq!(failing_input(said), Some(vec![0, 0xff, 0x20]));
        assert_eq!(failing_input("input: 0"), None);
        assert_eq!(failing_input("error: could not compile"), None);
    }
}
