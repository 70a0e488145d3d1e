//! One reader's place in a track.

use std::ops::Range;

use super::arena::GroupId;
use super::aside::Backlog;
use super::cursor::Cursor;
use super::effects::{Effects, Notify};
use super::opened::{Open, Opened};
use super::timeline::Age;
use super::told::Told;
use crate::clock::Instant;
use crate::track::info::{Start, Subscription};

/// What a reader wants, what it has taken, and what it waits for.
#[derive(Debug)]
pub(super) struct Reader<W> {
    subscription: Subscription,
    /// When groups are too old for it, in the units of the track; `None` for any age.
    age: Option<Age>,
    /// The lowest sequence it takes; unknown until there is a newest group to begin at.
    floor: Option<u64>,
    /// The lowest group that it could have taken before it took any.
    lowest: Option<u64>,
    /// The group it began with: from there on it is told of every group.
    first: Option<u64>,
    /// Groups that it took newest first, or was told of.
    told: Told,
    /// Groups that it took newest first and has not let go of, with its slot in each.
    open: Opened,
    /// What it leaves in the track while it waits.
    backlog: Backlog,
    /// In sequence, or of the latest: the next group. All before it are accounted for.
    next: Option<u64>,
    /// In sequence, or of the latest: the group that is being read.
    current: Option<Current>,
    /// Since when it waits to learn what became of the next group.
    waits_since: Option<Instant>,
    /// It reads in sequence and lacks bytes that have not come.
    is_starved: bool,
    waiter: Option<W>,
}

/// A group that is being read frame by frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current {
    pub(super) group: GroupId,
    pub(super) sequence: u64,
    pub(super) cursor: Cursor,
}

impl<W: Notify> Reader<W> {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self {
            subscription,
            age: None,
            floor: None,
            lowest: None,
            first: None,
            told: Told::default(),
            open: Opened::default(),
            backlog: Backlog::Empty,
            next: None,
            current: None,
            waits_since: None,
            is_starved: false,
            waiter: None,
        }
    }

    pub(super) fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    pub(super) fn age(&self) -> Option<Age> {
        self.age
    }

    pub(super) fn set_age(&mut self, age: Option<Age>) {
        self.age = age;
    }

    /// The sequences that it takes, known or not.
    pub(super) fn wanted(&self) -> Range<u64> {
        let end = self.subscription.end.unwrap_or(u64::MAX);
        self.floor.map_or(0..0, |floor| floor.min(end)..end)
    }

    pub(super) fn wants(&self, sequence: u64) -> bool {
        self.wanted().contains(&sequence)
    }

    /// The lowest sequence that it takes, once known.
    pub(super) fn floor(&self) -> Option<u64> {
        self.floor
    }

    /// Replaces what is wanted, and the lowest group that is.
    pub(super) fn update(&mut self, subscription: Subscription, floor: Option<u64>) {
        self.subscription = subscription;
        self.floor = floor;
        self.told.look_again();
        self.lowest = self.lowest.filter(|&lowest| self.wants(lowest));
        if let (Some(next), Some(floor)) = (self.next, floor)
            && self.current.is_none()
        {
            self.next = Some(next.max(floor));
        }
    }

    /// Whether what it wants begins elsewhere than before, or may be older.
    pub(super) fn is_moved_by(&self, subscription: &Subscription) -> bool {
        let begins_elsewhere = self.subscription.start != subscription.start;
        let has_floor = matches!(subscription.start, Start::Floor(_));
        begins_elsewhere || has_floor && self.subscription.max_age != subscription.max_age
    }

    /// A group is there that it may take. A reader that leaves groups in the track is woken for the
    /// first of them, and for one that `is_news` besides.
    pub(super) fn show(
        &mut self,
        sequence: u64,
        newest_floor: u64,
        mut is_news: bool,
        fx: &mut Effects<W>,
    ) {
        self.floor.get_or_insert(newest_floor);
        if !self.wants(sequence) || self.next.is_some_and(|next| sequence < next) {
            // A group after all that it takes tells that those may be missing.
            if sequence >= self.wanted().end {
                fx.wake(&mut self.waiter);
            }
            return;
        }
        if self.next.is_none() && self.told.groups().is_empty() {
            let lowest = self.lowest.get_or_insert(sequence);
            *lowest = sequence.min(*lowest);
            is_news |= self.lower_first(sequence);
        }
        if self.backlog != Backlog::Newest || is_news {
            fx.wake(&mut self.waiter);
        }
    }

    /// Whether it waits and has not been told of one of these groups.
    pub(super) fn lacks(&self, groups: &Range<u64>) -> bool {
        if self.waiter.is_none() {
            return false;
        }
        match (self.next, self.first) {
            (Some(next), _) => groups.end > next,
            (None, Some(first)) => {
                let untold = self
                    .told
                    .groups()
                    .first_missing_from(groups.start.max(first));
                untold < groups.end
            }
            (None, None) => false,
        }
    }

    pub(super) fn lowest(&self) -> Option<u64> {
        self.lowest
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.first
    }

    pub(super) fn set_first(&mut self, first: u64) {
        self.first = Some(first);
    }

    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    pub(super) fn told_mut(&mut self) -> &mut Told {
        &mut self.told
    }

    /// Whether it has taken all groups, and was told of all losses, up to these versions.
    pub(super) fn is_caught_up(&self, groups: u64, losses: (u64, u64)) -> bool {
        let told = &self.told;
        self.first.is_some() && told.has_taken_all(groups) && told.has_seen_losses(losses)
    }

    /// Takes a group, newest first.
    pub(super) fn open(&mut self, open: Open) {
        self.told.insert(open.sequence..open.sequence + 1);
        self.lower_first(open.sequence);
        self.open.insert(open);
    }

    /// Begins with a lower group, if that is one: a peer may deliver what lies before the start that it
    /// told. What is lost between the two is told then.
    fn lower_first(&mut self, sequence: u64) -> bool {
        let is_lower = self.first.is_some_and(|first| sequence < first);
        if is_lower {
            self.first = Some(sequence);
            self.told.look_for_losses();
        }
        is_lower
    }

    /// Lets go of a group that it took.
    pub(super) fn close(&mut self, sequence: u64) {
        self.open.remove(sequence);
    }

    pub(super) fn opened(&self) -> &Opened {
        &self.open
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }

    pub(super) fn current(&self) -> Option<Current> {
        self.current
    }

    /// Begins with a group, frame by frame.
    pub(super) fn begin(&mut self, current: Current) {
        self.next = Some(current.sequence);
        self.waits_since = None;
        self.current = Some(current);
    }

    /// Goes on to the next frame of the current group.
    pub(super) fn step(&mut self) {
        if let Some(current) = &mut self.current {
            current.cursor.next += 1;
        }
    }

    /// Is done with all groups before `next`.
    pub(super) fn advance(&mut self, next: u64) {
        self.next = Some(next);
        self.current = None;
        self.waits_since = None;
    }

    /// The group and the frame that would come next.
    pub(super) fn position(&self) -> Option<(u64, usize)> {
        let index = self.current.map_or(0, |current| current.cursor.next);
        self.next.or(self.first).map(|group| (group, index))
    }

    /// Since when it waits to learn what became of the next group: since the earliest time that it
    /// was told.
    pub(super) fn waits_since(&mut self, at: Instant) -> Instant {
        let since = self.waits_since.get_or_insert(at);
        *since = at.min(*since);
        *since
    }

    pub(super) fn is_starved(&self) -> bool {
        self.is_starved
    }

    /// Notes whether it lacks bytes; says whether that is new.
    pub(super) fn set_starved(&mut self, is_starved: bool) -> bool {
        std::mem::replace(&mut self.is_starved, is_starved) != is_starved
    }

    pub(super) fn wait(&mut self, waiter: &W, fx: &mut Effects<W>) {
        self.wait_aside(waiter, Backlog::Empty, fx);
    }

    /// Waits for more than the groups that it leaves in the track.
    pub(super) fn wait_aside(&mut self, waiter: &W, backlog: Backlog, fx: &mut Effects<W>) {
        self.backlog = backlog;
        fx.wait(&mut self.waiter, waiter);
    }

    /// What it leaves in the track while it waits.
    pub(super) fn backlog(&self) -> Backlog {
        self.backlog
    }

    pub(super) fn set_backlog(&mut self, backlog: Backlog) {
        self.backlog = backlog;
    }

    pub(super) fn wake(&mut self, fx: &mut Effects<W>) {
        fx.wake(&mut self.waiter);
    }

    pub(super) fn forget_waiter(&mut self, fx: &mut Effects<W>) {
        fx.forget(&mut self.waiter);
    }
}
