//! First packets that are wrong in any way.

use crate::evil::bare::Bare;
use crate::evil::gauge::mib;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Setting};

pub(super) fn run(setting: &Setting) -> anyhow::Result<Outcome> {
    let mut bare = Bare::start(
        setting,
        setting.relay(&["--engine", &setting.engine])?,
        "initials",
    )?;
    let count = setting.either(4_000, 10_000);
    let before = bare.gauge.memory()?;
    let busy = bare.gauge.busy()?;
    let (_, [dials]) = bare.dialled([OTHER], |bare| {
        bare.evil.tell(&format!("raw initials {count}"))?;
        bare.evil.wait("initials", PATIENCE * 3)
    })?;
    let cost = bare.gauge.busy()?.saturating_sub(busy);
    let grown = mib(bare.gauge.memory()?.saturating_sub(before));
    let each = cost.as_secs_f64() * 1e6 / f64::from(count);
    let mut outcome = Outcome::default();
    outcome.add(Row::holds("the relay lives", bare.lives()));
    outcome.add(Row::told("packets", "", f64::from(count)));
    outcome.add(Row::told("a packet, dials included", "µs", each));
    outcome.add(Row::at_most("memory above before", "MiB", (grown, 64.0)));
    let limit = if setting.is_release { 200.0 } else { 1_000.0 };
    outcome.extend(dials.rows("dials meanwhile", limit));
    outcome.extend(bare.log_rows("initials"));
    Ok(outcome)
}

/// In another network.
const OTHER: &str = "127.9.0.1";
