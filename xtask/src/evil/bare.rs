//! A relay, those who attack it below sessions, and somebody who dials it.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::client::Client;
use super::gauge::Gauge;
use super::log::LogPart;
use super::outcome::Row;
use super::stage::{PATIENCE, Setting, lines_row};
use crate::relay::Relay;

/// All processes of an attack with packets.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) gauge: Gauge,
    pub(super) evil: Client,
    good: Client,
    relay: Relay,
    log: LogPart,
    since: Instant,
}

/// How long it took others to get in, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dials {
    count: u64,
    failed: u64,
    /// 99 of 100 took at most this.
    most: f64,
    /// The longest of all.
    longest: f64,
}

impl Bare {
    /// Puts clients beside a relay; `name` tells their logs from others.
    pub(super) fn start(setting: &Setting, relay: Relay, name: &str) -> anyhow::Result<Self> {
        let gauge = Gauge::new(relay.id().context("the relay does not run")?);
        let log = |end: &str| setting.dir.join(format!("{name}-{end}.log"));
        let mut good = Command::new(&setting.programs.evil);
        let mut good = Client::start(&mut good, &log("good"))?;
        let mut evil = Command::new("nice");
        evil.args(["-n", "10"]).arg(&setting.programs.evil);
        let mut evil = Client::start(&mut evil, &log("evil"))?;
        let place = format!(
            "place moqt://127.0.0.1:{} {} {}",
            relay.port, relay.fingerprint, setting.version
        );
        good.tell(&place)?;
        evil.tell(&place)?;
        Ok(Self {
            gauge,
            evil,
            good,
            relay,
            log: LogPart::new(&setting.dir.join("relay.log")),
            since: Instant::now(),
        })
    }

    /// Has clients of these addresses dial in turn while something happens.
    pub(super) fn dialled<T, const N: usize>(
        &mut self,
        from: [&str; N],
        meanwhile: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, [Dials; N])> {
        for address in from {
            self.good.tell(&format!("raw dials {address}"))?;
        }
        let value = meanwhile(self)?;
        let mut all = [Dials::NONE; N];
        for (dials, address) in all.iter_mut().zip(from) {
            self.good.tell(&format!("raw report {address}"))?;
            *dials = Dials::new(&self.good.wait("dials", PATIENCE)?)?;
        }
        Ok((value, all))
    }

    /// CPU time of the relay for something, once it has nothing else to do.
    pub(super) fn cost<T>(
        &mut self,
        of: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Duration)> {
        let before = self.settled()?;
        let value = of(self)?;
        Ok((value, self.settled()?.saturating_sub(before)))
    }

    /// Whether the relay is there as it was.
    pub(super) fn lives(&self) -> bool {
        self.relay.id().is_some() && self.gauge.memory().is_ok_and(|memory| memory > 0)
    }

    /// What our relay's log tells of the attack. Those who dial have a line for each session.
    pub(super) fn log_rows(&self, says: &str) -> [Row; 2] {
        let counts =
            |line: &str| !line.contains(" session opened ") && !line.contains(" session closed ");
        let (lines, cause) = self.log.most_frequent_of(counts);
        let panics = self.log.text().matches("panic").count();
        [
            lines_row((lines, &cause), self.since.elapsed().as_secs_f64()),
            Row::at_most(format!("{says}: panics"), "", (panics as f64, 0.0)),
        ]
    }

    /// The CPU time that the relay has taken, when it takes hardly more.
    fn settled(&self) -> anyhow::Result<Duration> {
        let deadline = Instant::now() + PATIENCE;
        let mut busy = self.gauge.busy()?;
        loop {
            thread::sleep(LOOK);
            let now = self.gauge.busy()?;
            if now.saturating_sub(busy) < LOOK / 50 || Instant::now() > deadline {
                return Ok(now);
            }
            busy = now;
        }
    }
}

impl Dials {
    const NONE: Self = Self {
        count: 0,
        failed: 0,
        most: 0.0,
        longest: 0.0,
    };

    fn new(told: &[u64]) -> anyhow::Result<Self> {
        let &[count, failed, _, most, longest] = told else {
            anyhow::bail!("not a report: {told:?}");
        };
        Ok(Self {
            count,
            failed,
            most: most as f64 / 1e3,
            longest: longest as f64 / 1e3,
        })
    }

    /// The figures, with a limit for 99 of 100 in milliseconds.
    pub(super) fn rows(self, who: &str, limit: f64) -> [Row; 4] {
        [
            Row::in_time(format!("{who}, 99 of 100"), (self.most, limit)),
            Row::told(format!("{who}, the longest"), "ms", self.longest),
            Row::at_most(
                format!("{who}, that did not get in"),
                "",
                (self.failed as f64, 0.0),
            ),
            Row::told(format!("{who}, in all"), "", self.count as f64),
        ]
    }
}

/// From one look at the relay's CPU time to the next.
const LOOK: Duration = Duration::from_millis(100);
