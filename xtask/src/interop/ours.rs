//! The programs of this workspace that are crossed with others.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::endpoint::Endpoint;
use crate::relay::{Plan, Relay};
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
    /// A certificate with its key for relays of others, so that they keep it over a restart.
    pub(crate) identity: PathBuf,
}

impl Ours {
    /// Builds them, and asks what they can.
    pub(crate) fn build(workspace: &Workspace, dir: &Path) -> anyhow::Result<Self> {
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
            identity: dir.join("state/identity.pem"),
        };
        let log = dir.join("about.log");
        ours.ask(&log)
            .map_err(|failure| anyhow::anyhow!("{}: {}", failure.expected, failure.received))?;
        ours.make_identity(dir, log)?;
        Ok(ours)
    }

    /// Has our relay leave its certificate.
    fn make_identity(&self, dir: &Path, log: PathBuf) -> anyhow::Result<()> {
        let plan = Plan {
            program: self.moq.clone(),
            is_ours: true,
            version: self.versions.first().cloned().unwrap_or_default(),
            public: "**".into(),
            plain: None,
            upstream: None,
            drains: false,
            identity: self.identity.clone(),
            dir: dir.to_owned(),
            log,
        };
        Relay::start(plan, Instant::now() + Duration::from_secs(10))?;
        ensure!(self.identity.is_file(), "our relay keeps no certificate");
        Ok(())
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
