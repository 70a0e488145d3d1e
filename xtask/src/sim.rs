//! The whole-system simulation of moq-session, built so that a seed gives the same run each time.

use std::process::Command;

use anyhow::{bail, ensure};

use crate::workspace::Workspace;

/// What `cargo xtask sim --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask sim [OPTIONS]

  --seeds N        runs N seeds; a seed that violates a rule is printed with the command to replay it
  --seed S         runs one seed and prints each event, or begins with it where --seeds is given
  --nth [VERSION]  lets each call of the transport fail in turn, in three ways, in the standard
                   scenario of VERSION (such as moq-lite-06) or of all versions
  --call N         with --nth: the Nth call alone, and each event printed
  --mutants        builds each of the planted bugs and expects a violation within 200 seeds
  --release        with optimisation, for many seeds
";

/// What the simulation has to notice, each planted behind a `cfg`.
const MUTANTS: [&str; 6] = [
    "drop_last_frame",
    "swap_tracks",
    "swallow_abort",
    "leak_permit",
    "reuse_id",
    "skip_wake",
];

/// Seeds within which a planted bug has to be noticed.
const SEEDS: &str = "200";

/// Runs the simulation with the options of its own, or over each planted bug.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    let (own, options): (Vec<_>, Vec<_>) = options
        .iter()
        .copied()
        .partition(|option| ["--mutants", "--release"].contains(option));
    let is_release = own.contains(&"--release");
    if own.contains(&"--mutants") {
        ensure!(options.is_empty(), "--mutants takes no further option");
        return mutants(workspace, is_release);
    }
    let status = command(workspace, None, is_release, &options).status()?;
    ensure!(status.success(), "the simulation found violations");
    Ok(())
}

/// The simulation as a command, without violations by default.
pub(crate) fn command(
    workspace: &Workspace,
    mutant: Option<&str>,
    is_release: bool,
    options: &[&str],
) -> Command {
    let mut command = workspace.cargo(&["test", "--quiet", "-p", "moq-session", "--test", "sim"]);
    if is_release {
        command.arg("--release");
    }
    // With a seed of its own, tokio chooses the same each time.
    let mut flags = "--cfg tokio_unstable".to_owned();
    if let Some(mutant) = mutant {
        flags.push_str(&format!(" --cfg sim_mutant=\"{mutant}\""));
    }
    // Other flags than the rest of the workspace, so a directory of its own.
    let target = workspace.target.join("sim");
    command
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", target);
    command.arg("--").args(options);
    command
}

fn mutants(workspace: &Workspace, is_release: bool) -> anyhow::Result<()> {
    let mut missed = Vec::new();
    for mutant in MUTANTS {
        eprintln!("== {mutant}");
        let mut build = command(workspace, Some(mutant), is_release, &[]);
        // A run of no seeds tells a build that fails from a bug that is caught.
        let built = build.args(["--seeds", "0"]).status()?;
        ensure!(built.success(), "{mutant} does not build");
        let options = ["--seeds", SEEDS, "--hunt"];
        let status = command(workspace, Some(mutant), is_release, &options).status()?;
        if status.success() {
            missed.push(mutant);
        }
    }
    let caught = MUTANTS.len() - missed.len();
    eprintln!(
        "{caught} of {} planted bugs caught within {SEEDS} seeds",
        MUTANTS.len()
    );
    if !missed.is_empty() {
        bail!("missed: {}", missed.join(", "));
    }
    Ok(())
}
