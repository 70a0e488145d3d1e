//! The attacks, one per file.

mod announces;
mod bench;
mod credit;
mod cycles;
mod grease;
mod groups;
mod halves;
mod initials;
mod limits;
mod names;
mod probes;
mod silent;

use super::outcome::Outcome;
use super::stage::{Setting, Stage};

/// What a hostile peer does, and what that may cost.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    /// Options of the relay beyond its defaults.
    pub(super) relay: &'static [&'static str],
    /// WebTransport needs what the attack withholds, or it makes no difference.
    pub(super) is_raw_only: bool,
    pub(super) runs_quickly: bool,
    pub(super) run: Run,
}

/// How it is done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    /// Beside a healthy pair of publisher and viewer.
    Sessions(fn(&mut Stage) -> anyhow::Result<Outcome>),
    /// Below sessions, against relays that do nothing else.
    Packets(fn(&Setting) -> anyhow::Result<Outcome>),
}

const USUAL: Attack = Attack {
    name: "",
    says: "",
    relay: &[],
    is_raw_only: false,
    runs_quickly: true,
    run: Run::Sessions(|_| Ok(Outcome::default())),
};

/// All of them.
pub(super) const ATTACKS: [Attack; 12] = [
    Attack {
        name: "groups",
        says: "a publisher of empty groups, with a viewer",
        run: Run::Sessions(groups::run),
        ..USUAL
    },
    Attack {
        name: "credit",
        says: "a viewer of many tracks that lets no group through",
        is_raw_only: true,
        run: Run::Sessions(credit::run),
        ..USUAL
    },
    Attack {
        name: "announces",
        says: "requests for all announcements, read and unread",
        run: Run::Sessions(announces::run),
        ..USUAL
    },
    Attack {
        name: "halves",
        says: "messages that break off in the middle",
        run: Run::Sessions(halves::run),
        ..USUAL
    },
    Attack {
        name: "cycles",
        says: "subscriptions that end before their first group",
        run: Run::Sessions(cycles::run),
        ..USUAL
    },
    Attack {
        name: "probes",
        says: "requests for estimates",
        run: Run::Sessions(probes::run),
        ..USUAL
    },
    Attack {
        name: "names",
        says: "`moq ls` and `moq ping` beside two sessions with very many names",
        run: Run::Sessions(names::run),
        ..USUAL
    },
    Attack {
        name: "limits",
        says: "a limit below what a session needs is named on both ends",
        relay: &["--max-subscriptions", "2"],
        run: Run::Sessions(limits::run),
        ..USUAL
    },
    Attack {
        name: "grease",
        says: "very many frames of no meaning on streams of HTTP/3, and then a byte of each stream in a packet",
        is_raw_only: true,
        run: Run::Packets(grease::run),
        ..USUAL
    },
    Attack {
        name: "silent",
        says: "clients of one address that begin and say nothing more",
        is_raw_only: true,
        run: Run::Packets(silent::run),
        ..USUAL
    },
    Attack {
        name: "initials",
        says: "first packets that are wrong in any way",
        is_raw_only: true,
        run: Run::Packets(initials::run),
        ..USUAL
    },
    Attack {
        name: "bench",
        says: "many tracks in one session",
        relay: &["--max-subscriptions", "10000"],
        runs_quickly: false,
        run: Run::Sessions(bench::run),
        ..USUAL
    },
];
