//! Limits that are too low for somebody who means well.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::Stage;

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut bench = stage.moq("bench");
    bench.args(super::bench::tracks(9, 10));
    outcome.extend(named(stage, "`moq bench`", bench)?);
    let mut subscribe = stage.moq("subscribe");
    subscribe.args(["media", "--fmp4"]);
    outcome.extend(named(stage, "`moq subscribe --fmp4`", subscribe)?);
    Ok(outcome)
}

/// Runs a client that needs more than the relay lets it have.
fn named(stage: &Stage, name: &str, mut client: Command) -> anyhow::Result<[Row; 4]> {
    let log = stage.log();
    let begin = Instant::now();
    let output = client.output().with_context(|| format!("running {name}"))?;
    let took = begin.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // The log is written by another process.
    let deadline = Instant::now() + LOGGED;
    while !log.text().contains(LIMIT) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    let is_coded = output.status.code() == Some(1);
    let (is_said, is_logged) = (said.contains(LIMIT), log.text().contains(LIMIT));
    if !is_said {
        eprintln!("{name} said: {}", said.trim());
    }
    Ok([
        Row::at_most(format!("{name} ends after"), "s", (took, LONGEST)),
        Row::holds(format!("{name} ends with exit code 1"), is_coded),
        Row::holds(format!("{name} names the limit"), is_said),
        Row::holds("the relay's log names the limit", is_logged),
    ])
}

/// The limit that both ends name.
const LIMIT: &str = "live subscriptions";
/// How long a client may take, in seconds: to connect, and a second for the limit.
const LONGEST: f64 = 2.0;
/// How long the log may take.
const LOGGED: Duration = Duration::from_secs(1);
