//! One file from publisher to subscriber.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::check;
use crate::relay::{Plan, Relay, tail};

/// A file, how it is wrapped, and what carries it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) fixture: &'a str,
    /// What ffmpeg calls the format of the input.
    pub(super) format: &'a str,
    pub(super) container: &'a str,
    pub(super) scheme: &'a str,
}

impl Case<'_> {
    fn input_flag(&self) -> &'static str {
        match self.format {
            "mpegts" => "--ts",
            "h264" => "--avc3",
            _ => "--fmp4",
        }
    }

    fn output_flag(&self) -> &'static str {
        if self.format == "mpegts" && self.scheme == "moqt" {
            "--ts"
        } else {
            "--fmp4"
        }
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.fixture, self.container, self.scheme)
    }
}

/// A relay.
#[derive(Debug)]
pub(super) struct Stage {
    /// Runs for as long as it lives.
    _relay: Relay,
    pub(super) ends: Ends,
}

/// How to reach the relay, and where files go.
#[derive(Debug)]
pub(super) struct Ends {
    program: PathBuf,
    dir: PathBuf,
    version: String,
    port: u16,
    fingerprint: String,
}

impl Stage {
    pub(super) fn start(program: &Path, dir: &Path, version: &str) -> anyhow::Result<Self> {
        let plan = Plan {
            program: program.to_owned(),
            is_ours: true,
            version: version.to_owned(),
            public: "**".to_owned(),
            plain: None,
            upstream: None,
            drains: false,
            identity: dir.join("unused"),
            dir: dir.to_owned(),
            log: dir.join("relay.log"),
        };
        let relay = Relay::start(plan, Instant::now() + PATIENCE)?;
        let ends = Ends {
            program: program.to_owned(),
            dir: dir.to_owned(),
            version: version.to_owned(),
            port: relay.port,
            fingerprint: relay.fingerprint.clone(),
        };
        Ok(Self {
            _relay: relay,
            ends,
        })
    }
}

impl Ends {
    /// Publishes the file, and compares it with what comes out.
    pub(super) fn run(&self, case: Case<'_>, input: &Path) -> anyhow::Result<()> {
        let flag = case.output_flag();
        let output = self.dir.join(format!("{case}.{}", &flag[2..]));
        let logs =
            ["subscriber", "publisher"].map(|end| self.dir.join(format!("{case}-{end}.log")));
        let [heard, said] = &logs;
        let mut subscriber = self.client("subscribe", case);
        subscriber.args([flag, "--video", "all", "--audio", "all"]);
        subscriber.stdout(File::create(&output).context("creating the output")?);
        let mut subscriber = Running::start(&mut subscriber, heard)?;
        subscriber.says("waiting for")?;
        let mut publisher = self.client("publish", case);
        publisher
            .arg(input)
            .args([case.input_flag(), "--container", case.container]);
        let publisher = Running::start(&mut publisher, said)?;
        publisher.ends("the publisher")?;
        subscriber.ends("the subscriber")?;
        check::compare(case, input, &output)?;
        std::fs::remove_file(&output).context("removing the output")
    }

    fn client(&self, command: &str, case: Case<'_>) -> Command {
        let mut client = Command::new(&self.program);
        let url = format!("{}://127.0.0.1:{}", case.scheme, self.port);
        client.args([command, &url, &case.to_string()]);
        client.args(["--tls-fingerprint", &self.fingerprint]);
        client.args(["--version", &self.version]);
        client
    }
}

/// A program that is waited for, and killed when dropped.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let stderr = File::create(log).context("creating a log")?;
        command.stdin(Stdio::null()).stderr(stderr);
        let child = command.spawn().context("starting moq")?;
        let log = log.to_owned();
        Ok(Self { child, log })
    }

    /// Waits until its log has `needle`.
    fn says(&mut self, needle: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = std::fs::read(&self.log).unwrap_or_default();
            if String::from_utf8_lossy(&log).contains(needle) {
                return Ok(());
            }
            let has_ended = !matches!(self.child.try_wait(), Ok(None));
            if has_ended || Instant::now() > deadline {
                bail!("it does not say `{needle}`: {}", self.told());
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until it ends well.
    fn ends(mut self, what: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().context("waiting for moq")? {
                ensure!(status.success(), "{what} failed, {status}: {}", self.told());
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{what} does not end");
            thread::sleep(LOOK);
        }
    }

    fn told(&self) -> String {
        tail(&self.log, 2).join(" | ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing takes this long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look.
const LOOK: Duration = Duration::from_millis(20);
