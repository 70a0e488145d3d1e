//! What a run had in it, to see that something was tested.

use std::collections::BTreeMap;
use std::fmt;

use crate::rules::Rule;

/// Things that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Groups that were read to their end.
    Whole,
    /// Groups that were reported as skipped, or ended early.
    Skipped,
    /// Subscriptions that ended before their track.
    EndedEarly,
    /// Readings in order that went on where they were.
    Resumed,
    /// Groups that a lost session interrupted and that were read whole afterwards.
    Regained,
    /// Groups without a frame that were read to their end.
    Empty,
    /// Datagrams that reached a reader.
    Datagrams,
    /// Groups from the first to the last of a newest-first reading, with a word of each.
    Accounted,
    /// Groups that a reader of the latest one left out, or left.
    Left,
    FetchedWhole,
    FetchesRefused,
    FetchesCut,
    FetchesAbandoned,
    /// Sessions whose peer was asked to leave.
    Goaways,
    /// Sessions that were made where a peer had pointed to.
    Moves,
    /// Sessions of a hostile peer.
    Hostile,
    /// Kilobytes of groups between the parts of one relay.
    SiblingKilobytes,
}

impl Count {
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::Whole, "groups whole"),
        (Self::Skipped, "groups skipped"),
        (Self::EndedEarly, "subscriptions ended early"),
        (Self::Resumed, "readings resumed"),
        (Self::Regained, "groups regained"),
        (Self::Empty, "groups without frames"),
        (Self::Datagrams, "datagrams"),
        (Self::Accounted, "groups accounted newest first"),
        (Self::Left, "groups left by latest readers"),
        (Self::FetchedWhole, "fetches whole"),
        (Self::FetchesRefused, "fetches refused"),
        (Self::FetchesCut, "fetches cut"),
        (Self::FetchesAbandoned, "fetches abandoned"),
        (Self::Goaways, "goaways"),
        (Self::Moves, "moves"),
        (Self::Hostile, "hostile sessions"),
        (Self::SiblingKilobytes, "kB between siblings"),
    ];
}

/// How often each thing happened, and how often a rule was not kept that only counts.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    counts: BTreeMap<Count, u64>,
    unmet: BTreeMap<Rule, u64>,
}

impl Tally {
    pub fn count(&mut self, what: Count, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    pub fn unmet(&mut self, rule: Rule) {
        *self.unmet.entry(rule).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.counts {
            self.count(*what, *times);
        }
        for (rule, times) in &other.unmet {
            *self.unmet.entry(*rule).or_default() += times;
        }
    }

    pub fn of(&self, what: Count) -> u64 {
        self.counts.get(&what).copied().unwrap_or_default()
    }

    /// The rules that were not kept.
    pub fn rules(&self) -> impl Iterator<Item = (Rule, u64)> {
        self.unmet.iter().map(|(rule, times)| (*rule, *times))
    }

    /// What never happened.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        let missing = Count::ALL.into_iter();
        missing
            .filter(|(what, _)| self.of(*what) == 0)
            .map(|(_, name)| name)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (what, name)) in Count::ALL.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {}", self.of(what))?;
        }
        Ok(())
    }
}
