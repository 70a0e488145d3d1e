//! A process of `moq-cli/examples/evil`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::Process;

/// Does what it is told, and tells what happens.
#[derive(Debug)]
pub(super) struct Client {
    process: Process,
}

impl Client {
    pub(super) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let process = Process::start(command, log)?;
        Ok(Self { process })
    }

    /// Has it do something.
    pub(super) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let told = self.process.write(line);
        told.with_context(|| format!("having a client do `{line}`"))
    }

    /// Waits for a line that begins with this word; gives the numbers after it.
    pub(super) fn wait(&self, word: &str, patience: Duration) -> anyhow::Result<Vec<u64>> {
        let deadline = Instant::now() + patience;
        while let Some(line) = self.process.line(deadline) {
            let mut words = line.text.split(' ');
            match words.next() {
                Some(first) if first == word => {
                    return Ok(words.filter_map(|word| word.parse().ok()).collect());
                }
                Some("failed" | "over") => bail!("waiting for `{word}`: {}", line.text),
                _ => {}
            }
        }
        bail!("no `{word}` within {patience:?}")
    }

    /// The lines that begin with this word and come within this time, as their numbers.
    pub(super) fn gather(&self, word: &str, time: Duration) -> Vec<Vec<u64>> {
        let deadline = Instant::now() + time;
        let mut gathered = Vec::new();
        while let Some(line) = self.process.line(deadline) {
            let mut words = line.text.split(' ');
            if words.next() == Some(word) {
                gathered.push(words.filter_map(|word| word.parse().ok()).collect());
            }
        }
        gathered
    }
}
