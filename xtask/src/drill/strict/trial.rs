//! One run: a relay, a publisher and a subscriber.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::super::ends::{Publisher, copy};
use super::super::{Place, plan, soon};
use super::tally::{Report, Tally};
use crate::process::Process;
use crate::relay::{Relay, tail};

/// From one group to the next: 60 a second.
const PACE: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// How long groups are kept and waited for.
const MAX_AGE: &str = "10m";

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) program: &'a Path,
    pub(super) scheme: &'a str,
    pub(super) version: &'a str,
    pub(super) kills: usize,
    pub(super) seed: u64,
    pub(super) dir: &'a Path,
}

impl Trial<'_> {
    /// # Errors
    /// If anything is missing, twice, half or out of order, or if a program fails.
    pub(super) fn run(self) -> anyhow::Result<Report> {
        let mut relay = Relay::start(plan(self.program, self.version, self.dir), soon())?;
        let (publish, subscribe) = (
            self.client("publish", &relay),
            self.client("subscribe", &relay),
        );
        let mut subscriber = Strict::start(&subscribe, self.dir)?;
        let log = self.dir.join("publisher.log");
        let publisher = Publisher::start(&publish, "line", PACE, &log)?;
        subscriber.reach(1, soon())?;

        let mut moments = Moments::new(self.seed);
        let mut kills = Vec::new();
        for kill in 1..=self.kills {
            let met = subscriber.await_kill(moments.next(kill));
            met.with_context(|| format!("after {} kills", kills.len()))?;
            ensure!(!publisher.has_failed(), "the publisher has ended");
            kills.push(Instant::now());
            relay.kill()?;
            relay.restart(soon())?;
        }
        subscriber
            .reach(publisher.written(), soon())
            .context("after the last kill")?;
        let written = publisher.finish(soon())?;
        subscriber.finish(written, soon())?;
        Ok(subscriber.tally.report(&kills))
    }

    fn client(&self, command: &str, relay: &Relay) -> Command {
        let place = Place {
            scheme: self.scheme,
            port: relay.port,
            fingerprint: &relay.fingerprint,
            version: self.version,
            path: "live/x",
        };
        let mut client = place.client(self.program, command);
        client.args(["--lines", "--max-age", MAX_AGE]);
        client
    }
}

/// A `moq subscribe --strict`.
struct Strict<'a> {
    process: Process,
    tally: Tally,
    dir: &'a Path,
}

impl<'a> Strict<'a> {
    fn start(subscribe: &Command, dir: &'a Path) -> anyhow::Result<Self> {
        let mut command = copy(subscribe);
        command.args(["--strict", "--from", "oldest"]);
        Ok(Self {
            process: Process::start(&mut command, &dir.join(LOG))?,
            tally: Tally::default(),
            dir,
        })
    }

    /// Takes in what comes until then.
    fn read_until(&mut self, time: Instant) -> anyhow::Result<()> {
        while let Some(line) = self.process.line(time) {
            self.tally.take(&line)?;
        }
        if Instant::now() < time {
            let code = self.process.code(soon());
            let why = self.last_words();
            bail!(
                "the subscriber ended with {code:?} before group {}: {why}",
                self.tally.next()
            );
        }
        Ok(())
    }

    /// Takes in what comes until the relay is to be killed.
    fn await_kill(&mut self, moment: Moment) -> anyhow::Result<()> {
        if moment.is_flowing {
            self.reach(self.tally.next() + 1, soon())?;
        }
        self.read_until(Instant::now() + moment.wait)
    }

    /// Waits until it has `count` lines.
    fn reach(&mut self, count: u64, deadline: Instant) -> anyhow::Result<()> {
        while self.tally.next() < count {
            self.read_until((Instant::now() + LOOK).min(deadline))?;
            ensure!(
                Instant::now() < deadline,
                "it has {} of {count} groups: {}",
                self.tally.next(),
                self.last_words()
            );
        }
        Ok(())
    }

    /// Reads to the end, and checks that nothing is missing of the lines that were written.
    fn finish(&mut self, written: u64, deadline: Instant) -> anyhow::Result<()> {
        while let Some(line) = self.process.line(deadline) {
            self.tally.take(&line)?;
        }
        let code = self.process.code(deadline);
        let (has, skipped) = (self.tally.next(), self.tally.skipped());
        ensure!(
            code == Some(0),
            "the subscriber ended with {code:?} before group {has} of {written}: {}",
            self.last_words()
        );
        ensure!(
            has == written && skipped == 0,
            "it has groups up to {has} of {written} without {skipped}, and says nothing of it"
        );
        Ok(())
    }

    fn last_words(&self) -> String {
        tail(&self.dir.join(LOG), 3).join(" | ")
    }
}

/// When to kill a relay that is back.
#[derive(Debug, PartialEq, Eq)]
struct Moment {
    /// Only once data flows again.
    is_flowing: bool,
    /// After that for how long.
    wait: Duration,
}

/// When to kill the relay, from a seed.
struct Moments {
    state: u64,
}

impl Moments {
    fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self { state }
    }

    /// The kills take turns: some come one after the other before data flows again, one while
    /// sessions come back, one while what was missed is delivered, and one while all is well.
    fn next(&mut self, kill: usize) -> Moment {
        let (is_flowing, from, range) = match kill % 6 {
            2 => (false, 0, 300),
            1 | 3 | 4 => (false, 500, 1_500),
            5 => (true, 0, 100),
            _ => (true, 500, 1_500),
        };
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let random = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        Moment {
            is_flowing,
            wait: Duration::from_millis(from + ((random * range) >> 32)),
        }
    }
}

/// Where the subscriber tells how it goes.
const LOG: &str = "subscriber.log";

/// How often to look whether enough has come.
const LOOK: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_follow_from_the_seed() {
        let moments = |seed| {
            let mut moments = Moments::new(seed);
            (1..=20).map(|kill| moments.next(kill)).collect::<Vec<_>>()
        };
        assert_eq!(moments(7), moments(7));
        assert_ne!(moments(7), moments(8));
        let short = moments(7)
            .into_iter()
            .filter(|moment| moment.wait < Duration::from_millis(300));
        assert_eq!(short.count(), 7);
    }
}
