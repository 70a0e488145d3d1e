//! Subscriptions without stream credit.

use std::time::Duration;

use super::groups::within_cache;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let (groups, per_second) = stage.either((2_000, 400), (20_000, 500));
    let subscriptions: u64 = 1_000;
    let flooded = stage.flood(|stage| {
        stage.evil.tell(&format!("flood credit {subscriptions}"))?;
        stage.evil.wait("subscribed", PATIENCE)?;
        stage.good.tell(&format!("burst {groups} {per_second}"))?;
        stage.good.wait("burst", LONG)
    })?;
    let mut outcome = Outcome::default();
    outcome.add(Row::told("subscriptions", "", subscriptions as f64));
    outcome.add(Row::told("groups", "", f64::from(groups)));
    outcome.add(within_cache(flooded.grown)?);
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["credit"], flooded.before)?);
    Ok(outcome)
}

const LONG: Duration = Duration::from_secs(600);
