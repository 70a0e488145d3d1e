//! Requests for all announcements.

use std::thread;

use crate::evil::gauge::mib;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    stage.evil.tell("flood names 2 2500")?;
    stage.evil.wait("announced", PATIENCE)?;
    thread::sleep(LISTING);
    let count: u64 = stage.either(400, 1_024);
    for (reads, says) in [(1, "read"), (0, "unread")] {
        let flooded = stage.flood(|stage| {
            stage.evil.tell(&format!("flood listens {count} {reads}"))?;
            stage.evil.wait("listening", PATIENCE)?;
            // Those that are refused are so one after the other.
            thread::sleep(stage.either(LISTING, LISTING * 10));
            Ok(())
        })?;
        outcome.add(Row::told(format!("requests, {says}"), "", count as f64));
        let figures = (mib(flooded.grown), 64.0);
        outcome.add(Row::at_most("memory above before", "MiB", figures));
        outcome.extend(flooded.rows);
        outcome.add(stage.left(&["listens"], flooded.before)?);
    }
    Ok(outcome)
}

/// How long the relay takes to list what there is.
const LISTING: std::time::Duration = std::time::Duration::from_secs(2);
