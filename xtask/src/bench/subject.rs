//! Who is measured, and what.

use std::fmt;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The `moq relay` of this workspace.
    Ours,
    /// The least that a fan-out on quinn has to do.
    FanOut,
    /// A `moq-relay` that we did not write.
    Peer,
    /// What others are compared with, once more: shows how far equal programs seem to differ.
    Control,
}

/// A group of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// CPU per delivered frame under each workload.
    Load,
    /// Latency that a relay adds, at half load.
    Latency,
    /// Memory per session, subscriber, broadcast and group.
    Memory,
    /// How long joining takes, and what it costs.
    Join,
    /// Many broadcasts to many watchers.
    Announce,
    /// The same load by `moq bench`, which has to find the same.
    Cross,
}

impl Subject {
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::FanOut, Self::Peer, Self::Control];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::FanOut => "fanout",
            Self::Peer => "peer",
            Self::Control => "control",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The subject of this name, if it can be chosen.
pub(super) fn subject(name: &str) -> Option<Subject> {
    let mut chosen = Subject::ALL.into_iter().take(3);
    chosen.find(|subject| subject.name() == name)
}

/// The test of this name.
pub(super) fn test(name: &str) -> Option<Test> {
    Some(match name {
        "load" => Test::Load,
        "latency" => Test::Latency,
        "memory" => Test::Memory,
        "join" => Test::Join,
        "announce" => Test::Announce,
        "cross" => Test::Cross,
        _ => return None,
    })
}
