//! A publisher of empty groups.

use std::time::Duration;

use crate::evil::gauge::{machine, mib};
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let count: u64 = stage.either(60_000, 1_200_000);
    let flooded = stage.flood(|stage| {
        stage.evil.tell(&format!("flood groups {count}"))?;
        stage.evil.wait("published", PATIENCE)?;
        stage.good.tell("follow evil/groups data")?;
        stage.evil.wait("subscribed", PATIENCE)?;
        stage.evil.wait("sent", LONG)
    })?;
    let mut outcome = Outcome::default();
    outcome.add(Row::told("groups", "", count as f64));
    outcome.add(within_cache(flooded.grown)?);
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["groups"], flooded.before)?);
    Ok(outcome)
}

/// Memory that may be what the cache may hold, and a fifth more.
pub(super) fn within_cache(grown: u64) -> anyhow::Result<Row> {
    let cache = (machine()? / 4).min(CACHE);
    let figures = (mib(grown), mib(cache) * 1.2);
    Ok(Row::at_most("memory above before", "MiB", figures))
}

/// What a relay with one worker keeps at most.
const CACHE: u64 = 256 << 20;
const LONG: Duration = Duration::from_secs(600);
