//! A relay, a healthy pair and a hostile peer.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::Programs;
use super::client::Client;
use super::gauge::{Gauge, mib};
use super::log::LogPart;
use super::outcome::Row;
use crate::relay::{Plan, Relay};

/// Where and how an attack runs.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) programs: Programs,
    pub(super) dir: PathBuf,
    pub(super) scheme: String,
    pub(super) version: String,
    pub(super) is_quick: bool,
    /// Whether the programs are optimized.
    pub(super) is_release: bool,
    /// A relay that others wrote.
    pub(super) peer: Option<PathBuf>,
    /// The QUIC engine of relays without a healthy pair.
    pub(super) engine: String,
}

/// All processes of an attack.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) setting: Setting,
    relay: Relay,
    pub(super) gauge: Gauge,
    pub(super) good: Client,
    pub(super) evil: Client,
}

/// First frames of the healthy viewer, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Joins {
    count: u64,
    failed: u64,
    /// 99 of 100 took at most this.
    most: f64,
}

/// What a flood did to the relay and to others.
#[derive(Debug)]
pub(super) struct Flooded<T> {
    pub(super) value: T,
    /// The most memory above what there was before, in bytes.
    pub(super) grown: u64,
    /// Memory above what there was before at the end, in bytes.
    pub(super) held: u64,
    /// Memory before, in bytes.
    pub(super) before: u64,
    pub(super) rows: Vec<Row>,
}

impl Setting {
    /// Starts our relay with these options.
    pub(super) fn relay(&self, options: &[&str]) -> anyhow::Result<Relay> {
        let plan = self.plan(self.programs.moq.clone(), options);
        Relay::start(plan, Instant::now() + PATIENCE)
    }

    /// Starts theirs, if there is one. It needs the certificate that ours has made.
    pub(super) fn their_relay(&self) -> anyhow::Result<Option<Relay>> {
        let Some(peer) = &self.peer else {
            return Ok(None);
        };
        let plan = Plan {
            is_ours: false,
            log: self.dir.join("their-relay.log"),
            ..self.plan(peer.clone(), &[])
        };
        Relay::start(plan, Instant::now() + PATIENCE).map(Some)
    }

    fn plan(&self, program: PathBuf, options: &[&str]) -> Plan {
        Plan {
            program,
            is_ours: true,
            version: self.version.clone(),
            public: "**".to_owned(),
            plain: Some(options.iter().map(|&option| option.to_owned()).collect()),
            upstream: None,
            drains: false,
            identity: self.dir.join("state/identity.pem"),
            dir: self.dir.clone(),
            log: self.dir.join("relay.log"),
        }
    }

    /// `quick` in a quick run, else `full`.
    pub(super) fn either<T>(&self, quick: T, full: T) -> T {
        if self.is_quick { quick } else { full }
    }
}

impl Stage {
    /// Starts all of them, the relay with these options.
    pub(super) fn start(setting: Setting, options: &[&str]) -> anyhow::Result<Self> {
        let dir = &setting.dir;
        let relay = setting.relay(options)?;
        let gauge = Gauge::new(relay.id().context("the relay does not run")?);
        let mut good = Command::new(&setting.programs.evil);
        let mut good = Client::start(&mut good, &dir.join("good.log"))?;
        // The flood is limited by the relay, and does not take its cores from those beside it.
        let mut evil = Command::new("nice");
        evil.args(["-n", "10"]).arg(&setting.programs.evil);
        let mut evil = Client::start(&mut evil, &dir.join("evil.log"))?;
        let url = format!("{}://127.0.0.1:{}", setting.scheme, relay.port);
        let place = format!("place {url} {} {}", relay.fingerprint, setting.version);
        good.tell(&place)?;
        evil.tell(&place)?;
        good.tell("good")?;
        good.wait("good", PATIENCE)?;
        Ok(Self {
            setting,
            relay,
            gauge,
            good,
            evil,
        })
    }

    /// `quick` in a quick run, else `full`.
    pub(super) fn either<T>(&self, quick: T, full: T) -> T {
        self.setting.either(quick, full)
    }

    /// A `moq` that does something with the relay.
    pub(super) fn moq(&self, command: &str) -> Command {
        let mut moq = Command::new(&self.setting.programs.moq);
        let url = format!("{}://127.0.0.1:{}", self.setting.scheme, self.relay.port);
        moq.args([command, &url]);
        moq.args(["--tls-fingerprint", &self.relay.fingerprint]);
        moq.args(["--version", &self.setting.version]);
        moq
    }

    /// The relay's log from now on.
    pub(super) fn log(&self) -> LogPart {
        LogPart::new(&self.setting.dir.join("relay.log"))
    }

    /// Runs a flood, and measures what it does to the relay and to the healthy viewer.
    pub(super) fn flood<T>(
        &mut self,
        flood: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<Flooded<T>> {
        self.good.tell("measure")?;
        thread::sleep(self.either(IDLE / 2, IDLE));
        let idle = self.joins()?;
        let (before, cpu, log) = (self.gauge.memory()?, self.gauge.cpu()?, self.log());
        let (peak, begin) = (self.gauge.peak(), Instant::now());
        self.good.tell("measure")?;
        let value = flood(self)?;
        let took = begin.elapsed();
        let joins = self.joins()?;
        let held = self.gauge.memory()?.saturating_sub(before);
        let grown = peak.most().saturating_sub(before);
        let busy = (self.gauge.cpu()? - cpu) / took.as_secs_f64() * 100.0;
        let (lines, cause) = log.most_frequent();
        let least = if self.setting.is_release {
            FIRST_FRAME
        } else {
            FIRST_FRAME_DEBUG
        };
        let limit = (idle.most * 3.0).max(least);
        let lasted = took.as_secs_f64();
        let rows = vec![
            Row::told("the flood lasts", "s", lasted),
            Row::told("the relay's CPU meanwhile", "%", busy),
            Row::told("first frame without it, 99 of 100", "ms", idle.most),
            Row::in_time("first frame, 99 of 100", (joins.most, limit)),
            Row::at_most(
                "first frames that never came",
                "",
                (joins.failed as f64, 0.0),
            ),
            Row::told("first frames measured", "", joins.count as f64),
            lines_row((lines, &cause), lasted),
        ];
        Ok(Flooded {
            value,
            grown,
            held,
            before,
            rows,
        })
    }

    /// Stops floods, and says how much memory above `before` is left once the allocator has given back what
    /// is free, in MiB.
    pub(super) fn left(&mut self, floods: &[&str], before: u64) -> anyhow::Result<Row> {
        for flood in floods {
            self.evil.tell(&format!("stop {flood}"))?;
            self.evil.wait("stopped", PATIENCE)?;
        }
        let deadline = Instant::now() + DECAY;
        let limit = before + LEFT;
        let mut now = self.gauge.memory()?;
        while now > limit && Instant::now() < deadline {
            // It gives back what is free only while it is used, which the healthy pair sees to.
            thread::sleep(Duration::from_millis(100));
            now = self.gauge.memory()?;
        }
        let left = mib(now.saturating_sub(before));
        Ok(Row::at_most(
            "memory left afterwards",
            "MiB",
            (left, mib(LEFT)),
        ))
    }

    fn joins(&mut self) -> anyhow::Result<Joins> {
        self.good.tell("report")?;
        let told = self.good.wait("joins", PATIENCE)?;
        let [count, failed, _, most] = told[..] else {
            anyhow::bail!("not a report: {told:?}");
        };
        let most = most as f64 / 1e3;
        Ok(Joins {
            count,
            failed,
            most,
        })
    }
}

/// How many lines of a log are on one thing: one a second of so many at most.
pub(super) fn lines_row((lines, cause): (usize, &str), lasted: f64) -> Row {
    Row::at_most(
        format!("lines of the log on one thing: {}", short(cause)),
        "",
        (lines as f64, lasted.ceil() + SPARE_LINES),
    )
}

/// The end of a line, without whom it is about.
fn short(cause: &str) -> String {
    let (cause, _) = cause.split_once(" remote=").unwrap_or((cause, ""));
    let from = cause.char_indices().rev().nth(30).map_or(0, |(at, _)| at);
    cause[from..].trim().to_owned()
}

/// How long a client may take for something simple.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long a first frame may take in any case, in milliseconds.
const FIRST_FRAME: f64 = 20.0;
/// The same with programs that are not optimized, which take about ten times as long for everything.
const FIRST_FRAME_DEBUG: f64 = 200.0;
/// How long first frames are measured without a flood.
const IDLE: Duration = Duration::from_secs(3);
/// Lines of one cause beyond one a second: one at each end of the flood.
const SPARE_LINES: f64 = 2.0;
/// How long a flood may be remembered: the track of one has a max age of 10 s, and jemalloc gives back what is
/// free within 10 s.
const DECAY: Duration = Duration::from_secs(30);
/// Memory that may stay: what the allocator keeps in part-filled pages, and never a share of the flood.
const LEFT: u64 = 8 << 20;
