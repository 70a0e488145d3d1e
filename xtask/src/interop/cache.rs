//! Where peers are installed, once and for all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The folder of one peer at one version.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    /// Sources of test clients: `xtask/interop`.
    pub(crate) clients: PathBuf,
    /// Build files that crates share.
    pub(crate) target: PathBuf,
    log: PathBuf,
}

impl Place {
    pub(crate) fn new(cache: &Path, clients: &Path, name: &str) -> anyhow::Result<Self> {
        let logs = cache.join("logs");
        let dir = cache.join(name);
        for dir in [&logs, &dir] {
            fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        }
        Ok(Self {
            dir,
            clients: clients.to_owned(),
            target: cache.join("target"),
            log: logs.join(format!("{name}.log")),
        })
    }

    /// Whether the step that leaves this mark was done before.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.dir.join(file).exists()
    }

    /// Leaves a mark.
    pub(crate) fn mark(&self, file: &str) -> anyhow::Result<()> {
        fs::write(self.dir.join(file), "").with_context(|| format!("writing {file}"))
    }

    /// Copies files of a test client next to the packages that it imports.
    pub(crate) fn copy(&self, files: &[&str], into: &str) -> anyhow::Result<()> {
        let into = self.dir.join(into);
        fs::create_dir_all(&into).with_context(|| format!("creating {}", into.display()))?;
        for file in files {
            let from = self.clients.join(file);
            let name = from.file_name().context("a file has a name")?;
            fs::copy(&from, into.join(name))
                .with_context(|| format!("copying {}", from.display()))?;
        }
        Ok(())
    }

    /// Runs a step of an installation; says why it failed.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        let program = command.get_program().display().to_string();
        eprintln!("# installing: {program} {}", arguments(command));
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("opening {}", self.log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {program}"))?;
        let Some(status) = end_of(&mut child, PATIENCE)? else {
            bail!(
                "`{program} {}` took longer than {} minutes",
                arguments(command),
                PATIENCE.as_secs() / 60
            );
        };
        if !status.success() {
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            bail!(
                "`{program} {}` failed ({status}): {}",
                arguments(command),
                why(&text)
            );
        }
        Ok(())
    }
}

/// Waits for a child, and ends it if it takes too long.
fn end_of(child: &mut Child, patience: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().context("waiting for an installation")? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().context("ending an installation")?;
    child.wait().context("ending an installation")?;
    Ok(None)
}

/// How long one step of an installation may take: compiling a relay on two cores takes ten minutes.
const PATIENCE: Duration = Duration::from_secs(45 * 60);

fn arguments(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    args.collect::<Vec<_>>().join(" ")
}

/// The line of a log that says most.
fn why(log: &str) -> &str {
    let mut lines = log.lines().rev().filter(|line| !line.trim().is_empty());
    let telling = lines
        .clone()
        .find(|line| line.to_lowercase().contains("error"));
    telling
        .or_else(|| lines.next())
        .unwrap_or("it said nothing")
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended() {
        let mut slow = Command::new("sleep").arg("600").spawn().unwrap();
        assert_eq!(end_of(&mut slow, Duration::from_millis(100)).unwrap(), None);
        assert!(slow.try_wait().unwrap().is_some());
        let mut quick = Command::new("true").spawn().unwrap();
        assert!(end_of(&mut quick, PATIENCE).unwrap().unwrap().success());
    }

    #[test]
    fn the_last_error_says_why() {
        assert_eq!(why("error: a\nerror: b\n  at c\n\n"), "error: b");
        assert_eq!(why("one\ntwo\n"), "two");
        assert_eq!(why(""), "it said nothing");
    }
}
