//! A relay, and the programs around it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::{Publisher, Subscriber};
use crate::drill::{PACE, Place, plan};
use crate::process::Process;
use crate::relay::Relay;

/// Where one round after the other is played.
pub(super) struct Scene<'a> {
    program: &'a Path,
    pub(super) scheme: &'a str,
    version: &'a str,
    dir: &'a Path,
    relay: Relay,
    round: usize,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        program: &'a Path,
        scheme: &'a str,
        version: &'a str,
        dir: &'a Path,
    ) -> anyhow::Result<Self> {
        let mut scene = Self {
            program,
            scheme,
            version,
            dir,
            relay: Relay::start(plan(program, version, dir), soon())?,
            round: 0,
        };
        scene.begin();
        Ok(scene)
    }

    /// Goes on with a broadcast of another name.
    pub(super) fn begin(&mut self) {
        self.round += 1;
    }

    pub(super) fn soon(&self) -> Instant {
        soon()
    }

    pub(super) fn port(&self) -> u16 {
        self.relay.port
    }

    /// A program at this round's broadcast.
    fn command(&self, name: &str, port: u16) -> Command {
        let place = Place {
            scheme: self.scheme,
            port,
            fingerprint: &self.relay.fingerprint,
            version: self.version,
            path: &format!("live/{}", self.round),
        };
        place.client(self.program, name)
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.dir.join(format!("{}-{name}.log", self.round))
    }

    pub(super) fn publisher(&self, life: &str) -> anyhow::Result<Publisher> {
        self.publisher_over(life, self.relay.port)
    }

    /// As [`Self::publisher`], through another port.
    pub(super) fn publisher_over(&self, life: &str, port: u16) -> anyhow::Result<Publisher> {
        let mut publish = self.command("publish", port);
        publish.args(["--lines", "--group-frames", "5"]);
        let name: String = life.chars().take(10).collect();
        Publisher::start(&publish, life, PACE, &self.log(&name))
    }

    /// A subscriber that stays.
    pub(super) fn subscriber(&self) -> anyhow::Result<Subscriber> {
        Subscriber::start(
            &self.command("subscribe", self.relay.port),
            &self.log("staying"),
        )
    }

    /// Subscribers that stay, until one is led to this publisher.
    pub(super) fn led_to(&self, life: &str) -> anyhow::Result<Subscriber> {
        let deadline = soon();
        while Instant::now() < deadline {
            let mut subscriber = self.subscriber()?;
            let wait = Instant::now() + Duration::from_secs(1);
            if subscriber.wait(life, 0, wait).is_ok() {
                return Ok(subscriber);
            }
        }
        bail!("no subscriber is led to `{life}`");
    }

    /// A subscriber that does not stay.
    pub(super) fn plain(&self) -> anyhow::Result<Plain> {
        let mut command = self.command("subscribe", self.relay.port);
        command.arg("--lines");
        let log = self.log("plain");
        Ok(Plain {
            process: Process::start(&mut command, &log)?,
            log,
        })
    }

    /// How often the relay took a publisher for silent.
    pub(super) fn demotions(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(self.dir.join("relay.log"));
        let log = log.context("reading the relay's log")?;
        Ok(log.matches("the peer is silent").count())
    }
}

/// A `moq subscribe` that ends with its broadcast.
pub(super) struct Plain {
    process: Process,
    log: std::path::PathBuf,
}

impl Plain {
    /// Waits for a line of this publisher.
    pub(super) fn wait(&self, life: &str, deadline: Instant) -> anyhow::Result<()> {
        while let Some(line) = self.process.line(deadline) {
            if line.text.starts_with(life) {
                return Ok(());
            }
        }
        bail!("no line of `{life}` in time");
    }

    /// Waits until it has ended, and says why.
    pub(super) fn ended(&mut self, deadline: Instant) -> anyhow::Result<()> {
        let code = self.process.code(deadline);
        ensure!(code == Some(1), "a plain subscriber ended with {code:?}");
        let log = std::fs::read_to_string(&self.log).context("reading a log")?;
        let is_named = log.contains("the broadcast vanished without an end");
        ensure!(is_named, "a plain subscriber does not say why it ended");
        Ok(())
    }
}

/// A `moq ls --watch`.
pub(super) struct Watcher {
    process: Process,
    path: String,
}

impl Watcher {
    pub(super) fn start(scene: &Scene<'_>) -> anyhow::Result<Self> {
        let mut command = scene.command("ls", scene.relay.port);
        command.arg("--watch");
        let log = scene.log("watcher");
        Ok(Self {
            process: Process::guarded(&command, &log)?,
            path: format!("live/{}", scene.round),
        })
    }

    /// Takes what is told of the publishers that are there: each is a line.
    pub(super) fn settle(&self, is_second: bool, deadline: Instant) -> anyhow::Result<()> {
        for _ in 0..=usize::from(is_second) {
            self.told(deadline)?;
        }
        Ok(())
    }

    /// Waits for a change of the path.
    pub(super) fn told(&self, deadline: Instant) -> anyhow::Result<()> {
        while let Some(line) = self.process.line(deadline) {
            if line.text.ends_with(&self.path) {
                return Ok(());
            }
        }
        bail!("`moq ls --watch` tells of no change in time");
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
