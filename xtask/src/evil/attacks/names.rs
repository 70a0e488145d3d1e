//! Clients beside sessions with very many names.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let flooded = stage.flood(|stage| {
        stage.evil.tell("flood names 2 2500")?;
        stage.evil.wait("announced", PATIENCE)?;
        thread::sleep(LISTING);
        Ok([client(stage.moq("ls"))?, client(stage.moq("ping"))?])
    })?;
    let [(listed, ls), (_, ping)] = flooded.value;
    outcome.add(Row::at_most("`moq ls` ends well after", "s", (ls, LIMIT)));
    outcome.add(Row::at_most(
        "`moq ping` ends well after",
        "s",
        (ping, LIMIT),
    ));
    outcome.add(Row::told("names listed", "", listed as f64));
    outcome.add(Row::holds("all names are listed", listed == NAMES));
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["names"], flooded.before)?);
    Ok(outcome)
}

/// Runs a client to its end; says how many lines it wrote, and after how many seconds it ended.
fn client(mut command: Command) -> anyhow::Result<(usize, f64)> {
    let begin = Instant::now();
    let output = command.output().context("running a client")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{}: {said}", output.status);
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    Ok((lines, begin.elapsed().as_secs_f64()))
}

/// Those of the two sessions, and two of the healthy publisher.
const NAMES: usize = 5_002;
/// How long a client may take, in seconds; it waits a moment for more.
const LIMIT: f64 = 5.0;
/// How long the relay takes to know all names.
const LISTING: Duration = Duration::from_secs(1);
