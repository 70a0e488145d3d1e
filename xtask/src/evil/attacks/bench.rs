//! As many tracks in a session as may be.

use anyhow::Context as _;

use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::Stage;

pub(super) fn run(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    for (broadcasts, each) in [(90, 10), (500, 20)] {
        let mut bench = stage.moq("bench");
        bench.args(tracks(broadcasts, each));
        let output = bench.output().context("running `moq bench`")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let what = format!("`moq bench` of {broadcasts} × {each} tracks");
        if !output.status.success() {
            eprintln!("{what}: {}", said.trim());
        }
        outcome.add(Row::holds(what, output.status.success()));
    }
    Ok(outcome)
}

/// One publisher of so many broadcasts with so many tracks each, and one subscriber to all of them.
pub(super) fn tracks(broadcasts: u32, tracks: u32) -> Vec<String> {
    let flags = [
        ("--publishers", 1),
        ("--broadcasts", broadcasts),
        ("--tracks", tracks),
        ("--subscribers", 1),
        ("--each", broadcasts),
        ("--fps", 1),
        ("--frame-bytes", 100),
        ("--group-frames", 1),
    ];
    let flags = flags
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value.to_string()]);
    flags
        .chain(["--duration".to_owned(), "3s".to_owned()])
        .collect()
}
