//! The whole-system simulation of moq-session, built so that a seed gives the same run each time.

use std::process::Command;

use anyhow::ensure;

use crate::planted::Suite;
use crate::workspace::Workspace;

/// What `cargo xtask sim --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask sim [OPTIONS]

  --seeds N        runs N seeds; a seed that violates a rule is printed with the command to replay it
  --seed S         runs one seed and prints each event, or begins with it where --seeds is given
  --nth [VERSION]  lets each call of the transport fail in turn, in three ways, in the standard
                   scenario of VERSION (such as moq-lite-06) or of all versions
  --call N         with --nth: the Nth call alone, and each event printed
  --strict         enforces each rule, those too that are only counted otherwise
  --mutants [NAME...]
                   applies each of the patches in moq-session/tests/sim/mutants, or those with the
                   names, to a copy of the sources and expects a violation within 200 seeds
  --release        with optimisation, for many seeds
";

/// Runs the simulation with the options of its own, or over each planted bug.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    let (own, options): (Vec<_>, Vec<_>) = options
        .iter()
        .copied()
        .partition(|option| ["--mutants", "--release"].contains(option));
    let is_release = own.contains(&"--release");
    if own.contains(&"--mutants") {
        return mutants(workspace, is_release, &options);
    }
    let status = command(workspace, is_release, &options).status()?;
    ensure!(status.success(), "the simulation found violations");
    Ok(())
}

/// The simulation as a command, without violations by default.
pub(crate) fn command(workspace: &Workspace, is_release: bool, options: &[&str]) -> Command {
    let mut command = test(workspace, is_release);
    command.arg("--").args(options);
    command
}

/// The `cargo test` of the simulation, up to its own arguments.
fn test(workspace: &Workspace, is_release: bool) -> Command {
    let mut command = workspace.cargo(&["test", "--quiet", "-p", "moq-session", "--test", "sim"]);
    if is_release {
        command.arg("--release");
    }
    // Other flags than the rest of the workspace, so a directory of its own.
    let target = workspace.target.join("sim");
    command
        // With a seed of its own, tokio chooses the same each time.
        .env("RUSTFLAGS", "--cfg tokio_unstable")
        .env("CARGO_TARGET_DIR", target);
    command
}

fn mutants(workspace: &Workspace, is_release: bool, names: &[&str]) -> anyhow::Result<()> {
    let option = names.iter().find(|name| name.starts_with("--"));
    ensure!(
        option.is_none(),
        "--mutants takes names of planted bugs and no option but --release"
    );
    let suite = Suite {
        name: "sim",
        patches: "moq-session/tests/sim/mutants",
        test: &|workspace| test(workspace, is_release),
        args: &["--seeds", SEEDS, "--hunt"],
    };
    suite.run(workspace, names)
}

/// Seeds within which a planted bug has to be noticed.
const SEEDS: &str = "200";
