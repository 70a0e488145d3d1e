//! What must hold of a reading of the latest group only.

use moq_session::Frame;

use crate::reads::Gone;
use crate::rules::Rule;
use crate::scope::Scope;
use crate::tally::Count;

/// A reading of the latest group, of one subscription.
///
/// Groups come in sequence. Each is read to its end or left for a newer one, and what is left out
/// is told.
#[derive(Debug)]
pub struct Latest {
    scope: Scope,
    /// The group that is being read, and its next frame.
    current: Option<(u64, u64)>,
    /// The group after all that the reader has a word of.
    next: Option<u64>,
}

impl Latest {
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            current: None,
            next: None,
        }
    }

    pub fn frame(&mut self, group: u64, index: u64, frame: &Frame) {
        self.scope.frame(group, index, frame);
        let expected = match self.current {
            Some((current, next)) if current == group => next,
            _ => {
                self.begin(group);
                0
            }
        };
        if index != expected {
            let text = format!("frame {index} of group {group}, not {expected}");
            self.scope.violation(text);
        }
        self.current = Some((group, index + 1));
    }

    /// Goes on with another group.
    fn begin(&mut self, group: u64) {
        self.close_current();
        let Some(next) = self.next else {
            return;
        };
        if group < next {
            let text = format!("group {group} again, after {next} was due");
            self.scope.violation(text);
        }
        if let Some(lost) = self.scope.published(next, group, true).first() {
            let text = format!("no word of group {lost} before {group}");
            self.scope.unmet(Rule::Latest, &text);
        }
    }

    /// Groups are left out, or the current one is left.
    pub fn gone(&mut self, gone: Gone) {
        let Gone { groups, cause } = gone;
        self.scope.note(1, [groups.start, groups.end], || {
            format!("{groups:?} left out, {cause:?}")
        });
        self.scope
            .judge
            .tally(|tally| tally.count(Count::Left, groups.end - groups.start));
        match self.current {
            Some((current, _)) if current == groups.start => {
                // The end of a group comes after its frames, and its reader does not wait for that.
                self.current = None;
            }
            _ => self.begin(groups.start),
        }
        self.next = Some(groups.end);
    }

    /// The track is over.
    pub fn end(&mut self) {
        self.close_current();
        self.scope.end();
    }

    fn close_current(&mut self) {
        if let Some((group, frames)) = self.current.take() {
            self.scope.whole(group, frames);
            self.next = Some(group + 1);
        }
    }
}
