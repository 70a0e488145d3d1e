//! What must hold of a reading in order.

use moq_session::Frame;

use crate::reads::Gone;
use crate::rules::Rule;
use crate::scope::Scope;
use crate::tally::Count;

/// How long a reader that goes on may take to have a group, in milliseconds.
const MARGIN: u64 = 1_000;
/// How long after a report it is clear that the subscription goes on, in milliseconds.
const PROBATION: u64 = 2_000;

#[derive(Debug)]
pub struct InOrder {
    scope: Scope,
    /// The next group.
    next: Option<u64>,
    /// The group that is being read, and its next frame.
    current: Option<(u64, u64)>,
    /// Whose groups the reader had that goes on, until its first frame.
    resumption: Option<Resumption>,
    /// The group within which reading goes on, and its next frame, until one comes.
    partial: Option<(u64, u64)>,
    /// The group that a lost session interrupted.
    interrupted: Option<u64>,
    suspects: Vec<Suspect>,
}

/// A reading that goes on.
#[derive(Debug, Clone, Copy)]
struct Resumption {
    /// Whose groups it had.
    epoch: Option<u64>,
}

/// Groups that were reported as skipped, to be looked at once it is clear whether the subscription
/// goes on.
#[derive(Debug)]
struct Suspect {
    epoch: Option<u64>,
    at: u64,
    gone: Gone,
}

impl InOrder {
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            next: None,
            current: None,
            resumption: None,
            partial: None,
            interrupted: None,
            suspects: Vec::new(),
        }
    }

    /// The same publisher is read again, from `position` on.
    ///
    /// As far as that is known: no draft says which life of a publisher a group is of, and another
    /// one may take its place while the subscription is on its way. Within a subscription there is
    /// only one.
    pub fn resume(&mut self, position: (u64, usize)) {
        self.scope.judge.count(Count::Resumed);
        let at = self.scope.judge.now() + MARGIN;
        self.accuse(|_| Some(at));
        let before = self.resumption.and_then(|resumption| resumption.epoch);
        self.resumption = Some(Resumption {
            epoch: self.scope.epoch.or(before),
        });
        self.interrupted = self.current.map(|(group, _)| group);
        let (group, frame) = (position.0, position.1 as u64);
        self.partial = Some((group, frame)).filter(|_| frame > 0);
        self.scope.within = self.partial.map(|(group, _)| group);
        self.scope.floor = group;
        self.scope.epoch = None;
        self.current = None;
        self.next = None;
    }

    /// A frame has come.
    pub fn frame(&mut self, group: u64, index: u64, frame: &Frame) {
        let is_next = self.current.filter(|(current, _)| *current == group);
        if is_next.is_none() {
            self.close_current();
        }
        self.scope.frame(group, index, frame);
        match is_next {
            Some((_, next)) if index != next => {
                let text = format!("frame {index} of group {group}, not {next}");
                self.scope.violation(text);
            }
            Some(_) => {}
            None => {
                self.expect_reached(group);
                let partial = self.partial.take();
                if index != 0 && partial != Some((group, index)) {
                    let text = format!("group {group} begins with frame {index}");
                    self.scope.violation(text);
                }
            }
        }
        self.current = Some((group, index + 1));
        self.next = Some(group + 1);
        self.look_back();
    }

    /// Groups are reported as missing.
    pub fn gone(&mut self, gone: Gone) {
        let Gone { groups, cause } = &gone;
        self.scope.note(1, [groups.start, groups.end], || {
            format!("{groups:?} skipped, {cause:?}")
        });
        self.scope
            .judge
            .tally(|tally| tally.count(Count::Skipped, groups.end - groups.start));
        let is_first = self.current.is_none();
        if self.resumption.is_some() && groups.start == self.scope.floor && is_first {
            // What was too late for is judged by the first group that comes.
            self.partial = None;
            return;
        }
        match self.current {
            Some((current, _)) if current == groups.start => self.current = None,
            _ => {
                self.close_current();
                self.expect_reached(groups.start);
            }
        }
        self.next = Some(groups.end);
        self.suspects.push(Suspect {
            epoch: self.scope.epoch,
            at: self.scope.judge.now(),
            gone,
        });
        self.look_back();
    }

    /// The track is over.
    pub fn end(&mut self) {
        self.close_current();
        self.accuse(|suspect| Some(suspect.at));
        if self.scope.spoken.ends
            && let Some(next) = self.next
        {
            let next = next.max(self.scope.floor);
            if let Some(lost) = self.scope.published(next, u64::MAX, true).first() {
                let text = format!("the track ended without a word of group {lost}");
                self.scope.violation(text);
            }
        }
        self.scope.end();
    }

    fn close_current(&mut self) {
        if let Some((group, frames)) = self.current.take() {
            self.scope.whole(group, frames);
            if self.interrupted == Some(group) {
                self.scope.judge.count(Count::Regained);
            }
        }
    }

    /// No group before `group` may be missing without a word, but for those without a frame.
    fn expect_reached(&mut self, group: u64) {
        self.expect_resumed(group);
        let Some(next) = self.next else {
            return;
        };
        if group < next {
            let text = format!("group {group} again, after {next} was due");
            self.scope.violation(text);
        }
        if self.scope.epoch.is_none() {
            return;
        }
        let empty = self.scope.published(next, group, false);
        let shown = self.scope.published(next, group, true);
        let is_empty = |group: &u64| empty.contains(group) && !shown.contains(group);
        if let Some(lost) = (next..group).find(|group| !is_empty(group)) {
            let text = format!("group {lost} is missing without a word before {group}");
            self.scope.violation(text);
        }
    }

    /// When reading goes on, what is owed still comes first, or a word of it.
    fn expect_resumed(&mut self, group: u64) {
        if self.scope.epoch.is_none() {
            return;
        }
        let Some(Resumption { epoch }) = self.resumption.take() else {
            return;
        };
        for suspect in &mut self.suspects {
            suspect.epoch = suspect.epoch.or(self.scope.epoch);
        }
        if epoch.is_none() || epoch != self.scope.epoch || !self.scope.spoken.resumes {
            return;
        }
        let is_told = |(group, frames): (u64, u64)| self.scope.is_whole(group, frames);
        let told = self.partial.filter(|partial| is_told(*partial));
        let floor = told.map_or(self.scope.floor, |(group, _)| group + 1);
        let from = self.next.unwrap_or(floor);
        let now = self.scope.judge.now();
        let owed = self.scope.owed(epoch.unwrap_or_default(), now);
        let missing = self.scope.judge.owed_in(owed, from..group);
        if let Some(first) = missing.first() {
            let text = format!("went on at {from}, but group {group} came before {first}");
            self.scope.unmet(Rule::Resume, &text);
        }
    }

    /// Looks at what was skipped some time ago in this subscription.
    fn look_back(&mut self) {
        let now = self.scope.judge.now();
        self.accuse(|suspect| (suspect.at + PROBATION <= now).then_some(suspect.at));
    }

    /// Holds those skipped groups against the reader that were owed at the time that `when` gives;
    /// the others without a time are kept.
    fn accuse(&mut self, when: impl Fn(&Suspect) -> Option<u64>) {
        for suspect in std::mem::take(&mut self.suspects) {
            let Some(at) = when(&suspect) else {
                self.suspects.push(suspect);
                continue;
            };
            let Some(epoch) = suspect.epoch.filter(|_| self.scope.spoken.resumes) else {
                continue;
            };
            let Gone { groups, cause } = suspect.gone;
            let was_owed = self.scope.owed(epoch, suspect.at);
            let owed = self.scope.judge.owed_in(was_owed, groups);
            let Some((first, last)) = owed.first().zip(owed.last()) else {
                continue;
            };
            let is_owed = self.scope.owed(epoch, at);
            let still = self.scope.judge.owed_in(is_owed, *first..last + 1);
            if !still.is_empty() {
                let text = format!("{still:?}, {cause:?}, at {} ms", suspect.at);
                self.scope.unmet(Rule::Skip, &text);
            }
        }
    }
}
