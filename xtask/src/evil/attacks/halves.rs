//! Half-sent control messages.

use std::thread;
use std::time::Duration;

use crate::evil::gauge::mib;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let (sessions, streams): (u64, u64) = stage.either((4, 300), (8, 1_000));
    let flooded = stage.flood(|stage| {
        let flood = format!("flood halves {sessions} {streams} {BYTES}");
        stage.evil.tell(&flood)?;
        let kept = stage.evil.wait("halves", PATIENCE * 10)?;
        // What was refused is free by then.
        thread::sleep(Duration::from_secs(2));
        Ok(kept.first().copied().unwrap_or_default())
    })?;
    outcome.add(Row::told("sessions", "", sessions as f64));
    outcome.add(Row::told("halves", "", flooded.value as f64));
    let each = |bytes| mib(bytes) / sessions as f64;
    // The tasks of a debug build are larger.
    let held = (each(flooded.held), stage.either(6.0, 4.0));
    outcome.add(Row::at_most("memory that each session holds", "MiB", held));
    let most = each(flooded.grown);
    outcome.add(Row::told("the most, with what was refused", "MiB", most));
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["halves"], flooded.before)?);
    Ok(outcome)
}

/// What is sent of each message.
const BYTES: u64 = 40_000;
