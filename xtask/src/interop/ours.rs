//! The programs of this workspace that are crossed with others.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::endpoint::Endpoint;
use crate::workspace::Workspace;

/// What was built.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    /// The `moq` command.
    pub(crate) moq: PathBuf,
    /// The library under our command: `moq-cli/examples/interop`.
    pub(crate) endpoint: PathBuf,
    /// The drafts that it speaks, newest first.
    pub(crate) versions: Vec<String>,
    /// What it can do beside what every endpoint can.
    pub(crate) can: Vec<String>,
}

impl Ours {
    /// Builds them, and asks what they can.
    pub(crate) fn build(workspace: &Workspace, log: &Path) -> anyhow::Result<Self> {
        let targets = [
            "build",
            "-p",
            "moq-cli",
            "--bin",
            "moq",
            "--example",
            "interop",
        ];
        let status = workspace.cargo(&targets).status();
        let status = status.context("building our programs")?;
        ensure!(status.success(), "building our programs failed ({status})");
        let built = workspace.target.join("debug");
        let mut ours = Self {
            moq: built.join("moq"),
            endpoint: built.join("examples/interop"),
            versions: Vec::new(),
            can: Vec::new(),
        };
        ours.ask(log)
            .map_err(|failure| anyhow::anyhow!("{}: {}", failure.expected, failure.received))?;
        Ok(ours)
    }

    fn ask(&mut self, log: &Path) -> super::endpoint::Outcome {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut command = Command::new(&self.endpoint);
        let mut endpoint = Endpoint::start("ours", &mut command, log, deadline)?;
        endpoint.tell("about")?;
        self.versions = endpoint.wait("versions")?.rest();
        self.can = endpoint.wait("can")?.rest();
        Ok(())
    }
}
