//! Who we are crossed with: what they are, how they are installed, how they are started.

pub(crate) mod browser;
mod crates;
mod defects;
mod lite2025;
mod node;
mod python;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::cache::Place;
use super::cell::{Role, Transport};

pub(crate) use defects::DEFECTS;

/// Another implementation.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What it is called in cells.
    pub(crate) name: &'static str,
    /// The package that is installed, its version, and what comes with it.
    pub(crate) package: &'static str,
    pub(crate) kind: Kind,
    /// The drafts it speaks, as far as we may.
    pub(crate) versions: &'static [&'static str],
    pub(crate) transports: &'static [Transport],
    pub(crate) roles: &'static [Role],
    /// What its client can do beside what every endpoint can.
    pub(crate) can: &'static [&'static str],
    /// How many cells of others one of its cells is worth in work.
    pub(crate) weight: usize,
    /// Whether it installs in seconds.
    pub(crate) is_quick: bool,
    /// What is known of it, by scenario: cells that do not exist, and why.
    pub(crate) lacks: &'static [Lack],
    pub(crate) install: fn(&Place) -> anyhow::Result<Installed>,
}

/// How a peer is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A library in a test client of ours.
    Endpoint,
    /// A relay.
    Relay,
    /// `moq-clock`, which publishes and prints the time.
    Clock,
    /// `moq` of moq-cli, which imports and exports media.
    Media,
}

/// Cells that cannot be, for a reason that is the peer's.
#[derive(Debug)]
pub(crate) struct Lack {
    /// Cells, from the role on, as in `--test`.
    pub(crate) cells: &'static str,
    /// The first draft with which they can be.
    pub(crate) before: &'static str,
    pub(crate) why: &'static str,
}

/// How to start what was installed.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(&'static str, OsString)>,
}

impl Installed {
    pub(crate) fn program(program: PathBuf) -> Self {
        Self {
            program,
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command.envs(self.env.iter().map(|(key, value)| (*key, value)));
        command
    }
}

/// Everybody, in the order of the table.
pub(crate) const ALL: &[&Peer] = &[
    &crates::RELAY,
    &crates::CLOCK,
    &crates::MEDIA,
    &lite2025::LITE_2025,
    &python::PYTHON,
    &python::PYTHON_04,
    &python::PYTHON_03,
    &node::NODE,
    &browser::CHROMIUM,
];

/// The peer of a name.
pub(crate) fn named(name: &str) -> Option<&'static Peer> {
    ALL.iter().copied().find(|peer| peer.name == name)
}

const BOTH: &[Transport] = &[Transport::Quic, Transport::WebTransport];

const CLIENT: &[Role] = &[Role::TheyPublish, Role::TheySubscribe, Role::WeRelay];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_fit_into_cells() {
        let mut names: Vec<&str> = ALL.iter().map(|peer| peer.name).collect();
        assert!(names.iter().all(|name| !name.contains(['/', '*', ' '])));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn whoever_reads_of_a_peer_is_a_peer() {
        for role in ALL.iter().flat_map(|peer| peer.roles) {
            if let Role::ReadBy(name) = role {
                assert!(named(name).is_some(), "{name}");
            }
        }
    }
}
