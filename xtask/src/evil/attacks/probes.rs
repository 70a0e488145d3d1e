//! Requests for estimates.

use std::thread;
use std::time::Duration;

use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Stage};

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let count: u64 = stage.either(300, 500);
    let time = stage.either(Duration::from_secs(3), Duration::from_secs(20));
    let idle = wakes(stage, time)?;
    let mut outcome = Outcome::default();
    let flooded = stage.flood(|stage| {
        stage.evil.tell(&format!("flood probes {count}"))?;
        stage.evil.wait("probing", PATIENCE)?;
        Ok(())
    })?;
    // Those that are too many are refused 50 a second.
    thread::sleep(stage.either(Duration::from_secs(3), Duration::from_secs(10)));
    let wakes = wakes(stage, time)? - idle;
    outcome.add(Row::told("requests", "", count as f64));
    outcome.add(Row::told("wakes without them", "a second", idle));
    // Three seconds of a debug build tell less than twenty of a release.
    let most = stage.either(20.0, 10.0);
    let row = Row::at_most("wakes because of them", "a second", (wakes, most));
    outcome.add(row);
    outcome.extend(flooded.rows);
    outcome.add(stage.left(&["probes"], flooded.before)?);
    Ok(outcome)
}

/// Voluntary context switches of all the relay's threads, a second: how often it waited and was woken.
/// The healthy pair is quiet meanwhile.
fn wakes(stage: &mut Stage, time: Duration) -> anyhow::Result<f64> {
    stage.good.tell("quiet")?;
    thread::sleep(CALM);
    let before = stage.gauge.wakes()?;
    thread::sleep(time);
    let wakes = stage.gauge.wakes()? - before;
    stage.good.tell("loud")?;
    Ok(wakes as f64 / time.as_secs_f64())
}

/// How long the last of what was sent is on its way.
const CALM: Duration = Duration::from_millis(500);
