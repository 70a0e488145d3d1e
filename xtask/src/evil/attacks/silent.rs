//! Clients that begin and say nothing more.

use std::thread;
use std::time::Duration;

use crate::evil::bare::Bare;
use crate::evil::gauge::mib;
use crate::evil::outcome::{Outcome, Row};
use crate::evil::stage::{PATIENCE, Setting};

pub(super) fn run(setting: &Setting) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    for (after, says) in setting.either(&KINDS[..1], &KINDS) {
        let relay = setting.relay(&["--engine", &setting.engine])?;
        let mut bare = Bare::start(setting, relay, after)?;
        let before = bare.gauge.memory()?;
        let count = setting.either(1_200, 2_000);
        let (begun, [other, same]) = bare.dialled([OTHER, SAME], |bare| {
            bare.evil.tell(&format!("raw silent {after} {count}"))?;
            let begun = bare.evil.wait("silent", PATIENCE * 3)?;
            thread::sleep(setting.either(SHORT, LONG));
            Ok(begun.first().copied().unwrap_or_default())
        })?;
        let grown = mib(bare.gauge.memory()?.saturating_sub(before));
        outcome.add(Row::told(format!("{says}: begun"), "", begun as f64));
        outcome.add(Row::told(
            format!("{says}: memory above before"),
            "MiB",
            grown,
        ));
        let slow = if setting.is_release { 1.0 } else { 5.0 };
        outcome.extend(other.rows(&format!("{says}: dials of others"), 200.0 * slow));
        outcome.extend(same.rows(&format!("{says}: dials of the same"), 1_000.0 * slow));
        outcome.extend(bare.log_rows(says));
    }
    Ok(outcome)
}

/// After what they fall silent. The first costs the server the most for what it costs them.
const KINDS: [(&str, &str); 2] = [
    ("hello", "after a ClientHello"),
    ("tls", "silent after TLS"),
];
/// Where the silent ones come from.
const SAME: &str = "127.0.0.1";
/// In another network.
const OTHER: &str = "127.9.0.1";
/// How long they stay: until the relay has given up on them, and they have begun anew.
const LONG: Duration = Duration::from_secs(12);
const SHORT: Duration = Duration::from_secs(3);
