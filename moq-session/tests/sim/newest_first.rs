//! What must hold of a newest-first reading.

use std::collections::BTreeSet;
use std::ops::Range;

use moq_session::Frame;

use crate::reads::{Cause, Gone};
use crate::rules::Rule;
use crate::scope::Scope;
use crate::tally::Count;

/// A newest-first reading, of one subscription.
///
/// From the lowest group that the reader was given to the end of the track, each group that was
/// published is read whole, ends early with a cause, or is told as gone. Nobody is told that a
/// datagram was sent, so one may be missing without a word. So may any group where a draft on the way
/// does not tell the end of a track: a stream that is reset before its header came is known to nobody
/// there.
#[derive(Debug)]
pub struct NewestFirst {
    scope: Scope,
    /// Groups that the reader was given.
    opened: BTreeSet<u64>,
    /// Groups that the reader has a word of.
    accounted: BTreeSet<u64>,
    /// Groups that it was told not to expect. Whose they are may be clear only later.
    gone: Vec<Range<u64>>,
}

impl NewestFirst {
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            opened: BTreeSet::new(),
            accounted: BTreeSet::new(),
            gone: Vec::new(),
        }
    }

    /// A group has come.
    pub fn open(&mut self, group: u64) {
        if !self.opened.insert(group) {
            self.scope.violation(format!("group {group} again"));
        }
    }

    pub fn frame(&mut self, group: u64, index: u64, frame: &Frame) {
        self.scope.frame(group, index, frame);
    }

    /// A group has ended well, after `frames`.
    pub fn whole(&mut self, group: u64, frames: u64) {
        self.scope.whole(group, frames);
        self.accounted.insert(group);
    }

    /// A group has ended early.
    pub fn cut(&mut self, group: u64, cause: Cause) {
        self.scope
            .note(6, [group, 0], || format!("group {group} is cut, {cause:?}"));
        self.scope.judge.count(Count::Skipped);
        self.accounted.insert(group);
    }

    /// Groups do not come.
    pub fn gone(&mut self, gone: Gone) {
        let Gone { groups, cause } = gone;
        self.scope.note(1, [groups.start, groups.end], || {
            format!("{groups:?} gone, {cause:?}")
        });
        self.scope
            .judge
            .tally(|tally| tally.count(Count::Skipped, groups.end - groups.start));
        if let Some(opened) = self.opened.range(groups.clone()).next() {
            let text = format!("group {opened} was given and is told as gone");
            self.scope.violation(text);
        }
        self.gone.push(groups);
    }

    /// The track is over.
    pub fn end(&self) {
        self.scope.end();
        let Some(first) = self.opened.first().copied() else {
            return;
        };
        for group in self.scope.published(first, u64::MAX, false) {
            let is_gone = self.gone.iter().any(|groups| groups.contains(&group));
            if is_gone || self.accounted.contains(&group) {
                self.scope.judge.count(Count::Accounted);
            } else if self.scope.spoken.ends && !self.scope.is_datagram(group) {
                self.scope.unmet(Rule::Account, &format!("group {group}"));
            }
        }
    }
}
