//! Subscriptions that end at once.

use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

use std::time::Duration;

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let count: u64 = stage.either(1_000, 5_000);
    let time = stage.either(Duration::from_secs(4), Duration::from_secs(30));
    let flooded = stage.flood(|stage| {
        stage.evil.tell(&format!("flood cycles {count}"))?;
        stage.evil.wait("known", PATIENCE)?;
        Ok(stage.evil.gather("reached", time))
    })?;
    let reached = flooded.value.len();
    let most = flooded.value.iter().filter_map(|told| match told[..] {
        [seen, millis] => Some(seen as f64 - millis as f64 / 1e3 * PER_SECOND),
        _ => None,
    });
    let most = most.fold(0.0, f64::max);
    let mut outcome = Outcome::default();
    outcome.add(Row::told("reached the publisher", "", reached as f64));
    let figures = (most, AT_ONCE + SPARE);
    outcome.add(Row::at_most("of them beyond 50 a second", "", figures));
    outcome.add(Row::holds("some got through", reached > 0));
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["cycles"], flooded.before)?);
    Ok(outcome)
}

const AT_ONCE: f64 = 200.0;
const PER_SECOND: f64 = 50.0;
/// Those that are on their way when the limit is reached.
const SPARE: f64 = 5.0;
