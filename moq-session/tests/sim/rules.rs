//! Rules that the judge holds against what readers are told, beyond that nothing told is wrong.

use std::fmt;

use crate::judge::Judge;
use crate::plan::{From, Plan};
use crate::reads;

/// A rule that can be unmet without anything wrong being told. See [`reads::ENFORCED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No group is reported as skipped that is owed, see [`Owed`].
    Skip,
    /// A reading that goes on at the same publisher begins no later than with the first group that
    /// is owed.
    Resume,
    /// A newest-first reader has a word of every group.
    Account,
    /// A reader of the latest group has a word of every group.
    Latest,
}

impl Rule {
    /// Whether a breach is a violation.
    pub fn is_enforced(self, is_strict: bool) -> bool {
        is_strict || reads::ENFORCED.contains(&self)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skip => "a group is skipped that is owed",
            Self::Resume => "a reading resumes after a group that is owed",
            Self::Account => "no word of a group, newest first",
            Self::Latest => "no word of a group, latest only",
        })
    }
}

/// Which groups are owed whole to a reader in order, so that a report of them as skipped excuses
/// nothing.
///
/// A session that is lost takes what it carries along, but its reader can go on at the same
/// publisher, with the group that it was at. So a group is owed at a time if it has no other mishap
/// than lost sessions:
///
/// - Its publisher has it whole or still writes it, and does so in the life that is up at that time. A
///   publisher that crashed has no groups of its former lives.
/// - It has a frame, and travels on a stream. A reader in order is not told of empty groups, and a
///   datagram is sent once.
/// - It is young: the group after it began less than the shortest max age before, that of the track
///   and of all its readers. Until then nobody on the way lets go of it for its age, and no reader's
///   patience with a gap has ended, which begins with the next group at the earliest. Other readers
///   count because a relay asks for what its readers want at the time: while this one is away, that
///   may be less.
/// - No single stream was reset since it began. That is no loss of a session.
///
/// This is demanded of runs in which [`Plan::can_resume`] holds.
#[derive(Debug, Clone, Copy)]
pub struct Owed {
    pub epoch: u64,
    pub track: u64,
    /// See [`Plan::shortest_age`].
    pub max_age: u64,
    /// The time at which the reader could have it.
    pub at: u64,
}

impl Plan {
    /// Whether readers in order can go on at the same publisher without loss.
    ///
    /// All links have to tell the ids of hops, or readers do not know the publisher, and where a
    /// subscription begins, or a relay takes the lowest group that comes within half a second for
    /// the first. No relay's memory may be too small for what is young: eviction is a mishap of its
    /// own.
    pub fn can_resume(&self) -> bool {
        let all_tell = self.links.iter().all(|link| {
            let features = link.version.features();
            features.hops.has_ids() && features.start_end
        });
        all_tell && self.is_roomy()
    }

    /// The shortest max age of a track and its readers, in milliseconds.
    ///
    /// It is 0 where a reader begins with the newest group: a relay asks for that with an age of 0, as
    /// long as it does not know which group it is.
    pub fn shortest_age(&self, track: usize) -> u64 {
        let readers = self.readers.iter().filter(|reader| reader.track == track);
        let ages = readers.map(|reader| match reader.from {
            From::Newest => 0,
            From::Oldest | From::Group(_) => reader.max_age,
        });
        ages.fold(self.tracks[track].max_age, u64::min)
    }

    /// Whether each young group can be fetched as long as nothing goes wrong: all links can fetch, and
    /// relays have room.
    pub fn can_fetch(&self) -> bool {
        let all_can = self.links.iter().all(|link| link.version.features().fetch);
        all_can && self.is_roomy()
    }

    /// Whether relays have room for all young groups of all tracks.
    pub fn is_roomy(&self) -> bool {
        self.budget >= ROOMY
    }
}

const ROOMY: u64 = 1 << 20;

impl Judge {
    /// Notes that a rule is not kept: as a violation, or as a count where it is not enforced.
    pub fn unmet(&self, rule: Rule, text: String) {
        if rule.is_enforced(self.is_strict()) {
            return self.violation(format!("{rule}: {text}"));
        }
        self.tally(|tally| tally.unmet(rule));
        let values = [u64::MAX - 1, rule as u64, 0, 0];
        self.note(values, || format!("UNMET {rule}: {text}"));
    }
}
