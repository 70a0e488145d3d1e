//! How many instructions the wire format takes, beside what others take for the same work.
//!
//! Callgrind counts them, so that they are the same in every run of the same build on any machine.

mod gungraun;
mod micro;
mod pairs;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::workspace::{Workspace, output};
use gungraun::Count;
pub(crate) use micro::{HELP as MICRO_HELP, run as micro};
use table::Counts;

/// Measures, prints the table, and fails if a goal is missed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    valgrind()?;
    let wire = workspace.package("moq-wire")?.dir.join("Cargo.toml");
    let peers = wire.with_file_name("bench-peers").join("Cargo.toml");
    let mut counts = Counts::default();
    counts.extend(measure(workspace, &wire, &workspace.root)?);
    let peers_dir = peers.parent().context("a manifest lies in a directory")?;
    match measure(workspace, &peers, peers_dir) {
        Ok(found) => counts.extend(found),
        Err(error) => eprintln!("   only moq-wire is shown: {error:#}"),
    }
    std::io::stdout().write_all(counts.table()?.as_bytes())?;
    counts.check_goals()
}

/// The version of valgrind, without which nothing is counted.
fn valgrind() -> anyhow::Result<String> {
    let Ok(version) = output(Command::new("valgrind").arg("--version")) else {
        bail!("valgrind is needed, which counts the instructions: `apt-get install valgrind`");
    };
    Ok(version.trim().to_owned())
}

fn measure(workspace: &Workspace, manifest: &Path, lock_dir: &Path) -> anyhow::Result<Vec<Count>> {
    let counts = gungraun::measure(workspace, manifest, lock_dir);
    counts.with_context(|| format!("measuring {}", manifest.display()))
}

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench wire

Counts the instructions of varints, frame headers, GROUP, SUBSCRIBE and announcements, and those of
quinn-proto and moq-net for varints. Needs valgrind; installs gungraun-runner if it is missing.
";
