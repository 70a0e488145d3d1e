//! Builds what is measured, and runs the generator on its core.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::options::Options;
use super::subject::Subject;
use crate::interop::cached_relay;
use crate::workspace::Workspace;

/// Builds the release programs, and measures with the options given.
pub(crate) fn launch(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let cached = cached_relay().map(|peer| peer.display().to_string());
    let mut args = args.to_vec();
    if let Some(peer) = cached.as_deref().filter(|_| !args.contains(&"--peer")) {
        args.extend(["--peer", peer]);
    }
    let options = Options::parse(&args)?;
    // Each on its own, because crates built together share their features.
    if options.subjects.contains(&Subject::Ours) {
        run(&mut workspace.cargo(&["build", "--release", "-p", "moq-cli"]))?;
    }
    run(&mut workspace.cargo(&["build", "--release", "-p", "xtask"]))?;

    if let Some(peer) = &options.peer {
        eprintln!("peer: {}", peer.display());
    }
    let mut generator = Command::new("taskset");
    generator
        .args(["-c", &options.generator_cpu.to_string()])
        .arg(workspace.target.join("release/xtask"))
        .arg("bench-run")
        .args(args);
    run(&mut generator)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("running {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}
