//! The attacks, one per file.

mod announces;
mod bench;
mod credit;
mod cycles;
mod groups;
mod halves;
mod limits;
mod names;
mod probes;

use super::outcome::Outcome;
use super::stage::Stage;

/// What a hostile peer does, and what that may cost.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    /// Options of the relay beyond its defaults.
    pub(super) relay: &'static [&'static str],
    /// WebTransport needs what the attack withholds.
    pub(super) is_raw_only: bool,
    pub(super) runs_quickly: bool,
    pub(super) run: fn(&mut Stage) -> anyhow::Result<Outcome>,
}

const USUAL: Attack = Attack {
    name: "",
    says: "",
    relay: &[],
    is_raw_only: false,
    runs_quickly: true,
    run: |_| Ok(Outcome::default()),
};

/// All of them.
pub(super) const ATTACKS: [Attack; 9] = [
    Attack {
        name: "groups",
        says: "a publisher of empty groups, with a viewer",
        run: groups::run,
        ..USUAL
    },
    Attack {
        name: "credit",
        says: "a viewer of many tracks that lets no group through",
        is_raw_only: true,
        run: credit::run,
        ..USUAL
    },
    Attack {
        name: "announces",
        says: "requests for all announcements, read and unread",
        run: announces::run,
        ..USUAL
    },
    Attack {
        name: "halves",
        says: "messages that break off in the middle",
        run: halves::run,
        ..USUAL
    },
    Attack {
        name: "cycles",
        says: "subscriptions that end before their first group",
        run: cycles::run,
        ..USUAL
    },
    Attack {
        name: "probes",
        says: "requests for estimates",
        run: probes::run,
        ..USUAL
    },
    Attack {
        name: "names",
        says: "`moq ls` and `moq ping` beside two sessions with very many names",
        run: names::run,
        ..USUAL
    },
    Attack {
        name: "limits",
        says: "a limit below what a session needs is named on both ends",
        relay: &["--max-subscriptions", "2"],
        run: limits::run,
        ..USUAL
    },
    Attack {
        name: "bench",
        says: "many tracks in one session",
        relay: &["--max-subscriptions", "10000"],
        runs_quickly: false,
        run: bench::run,
        ..USUAL
    },
];
