//! A track as a state machine: plain data that takes the time as an argument, and says what is to
//! be done outside of its lock.
//!
//! Every group is announced (begun), open (it has frames), ended or gone, the last two with a cause.
//! [`TrackState::fate`] is the one answer to "will this group still come, and if not, why?"; reading
//! in sequence (`ordered`), of the latest group (`latest`) and newest first (`newest`) are views of
//! it.

mod announced;
mod arena;
mod aside;
mod charge;
mod cursor;
mod effects;
mod feed;
mod fetch;
mod group;
mod groups;
mod history;
mod latest;
mod life;
mod loss;
mod newest;
mod opened;
mod ordered;
mod past;
mod pause;
mod phase;
mod reader;
mod readers;
mod retention;
mod slots;
mod timeline;
mod told;

pub(crate) use arena::GroupId;
pub use aside::Backlog;
pub(crate) use aside::Take;
pub(crate) use charge::GROUP_CHARGE;
pub(crate) use cursor::{Batch, Cursor, Frames};
pub(crate) use effects::{Effects, Notify};
pub(crate) use life::TrackEnd;
pub(crate) use newest::{Newest, Taken};
pub(crate) use phase::{Kind, MAX_BYTES, MAX_FRAMES};
pub(crate) use readers::ReaderId;
pub(crate) use retention::Tier;

use std::ops::Range;

use crate::error::Abort;
use crate::track::info::TrackInfo;
use crate::track::read::TrackRead;
use groups::Groups;
use history::History;
use life::Life;
use past::Past;
use pause::Paused;
use readers::Readers;
use retention::Retention;

/// A track. `W` names tasks that wait.
#[derive(Debug)]
pub(crate) struct TrackState<W> {
    life: Life<W>,
    groups: Groups<W>,
    past: Past,
    readers: Readers<W>,
    retention: Retention,
    history: History,
    paused: Paused<W>,
}

/// What becomes of a group, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Readers see it.
    Shown(GroupId),
    /// It has begun, or may still begin.
    Open,
    /// It is gone, and so are the groups up to this one, for this reason.
    Gone { end: u64, cause: Abort },
    /// No further group comes, because the track ended.
    Over(TrackEnd),
}

/// What a reader gets that reads frame by frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read(TrackRead),
    /// Nothing further comes, or nothing that is wanted.
    End,
    /// The track ended before its finish.
    Failed(Abort),
    /// What is next depends on the time.
    Clock,
    /// Nothing is there; looking again at this time tells more, whatever happens until then.
    Wait(Option<crate::clock::Instant>),
}

impl<W: Notify> TrackState<W> {
    /// A track without groups, written in this process or fed by a peer.
    pub(crate) fn new(is_local: bool) -> Self {
        Self {
            life: Life::new(is_local),
            groups: Groups::new(),
            past: Past::default(),
            readers: Readers::new(),
            retention: Retention::default(),
            history: History::default(),
            paused: Paused::new(),
        }
    }

    pub(crate) fn info(&self) -> Option<TrackInfo> {
        self.life.info()
    }

    pub(crate) fn end(&self) -> Option<TrackEnd> {
        self.life.end()
    }

    /// Whether it ended because nobody read it.
    pub(crate) fn is_unused(&self) -> bool {
        self.life.is_unused()
    }

    /// The sequence after the highest one in use.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.groups.next_sequence()
    }

    /// The sequence after the last group that there was or was to be.
    pub(crate) fn end_sequence(&self) -> u64 {
        let to_be = self.life.told_end().unwrap_or_else(|| self.past.end());
        self.groups.next_sequence().max(to_be)
    }

    /// Whether a group will still come, and why not if it will not.
    fn fate(&self, sequence: u64) -> Fate {
        if let Some(shown) = self.groups.shown().get(sequence) {
            return Fate::Shown(self.groups.id(shown.key));
        }
        if self.groups.is_announced(sequence) {
            return match self.life.end() {
                Some(end @ TrackEnd::Aborted(_)) => Fate::Over(end),
                _ => Fate::Open,
            };
        }
        if let Some(run) = self.past.run_at(sequence) {
            let held = self.next_held(sequence..run.groups.end);
            let (end, cause) = (held.unwrap_or(run.groups.end), run.cause);
            // Up to no end: a group that is there or the track's end tells how many there were.
            let is_known = || self.groups.shown().lowest(run.groups.clone()).is_some();
            if run.groups.end < u64::MAX || is_known() {
                return Fate::Gone { end, cause };
            }
            return self.fate_at_end(sequence, cause);
        }
        self.fate_at_end(sequence, Abort::Missing)
    }

    /// What becomes of a group that only the end of the track tells something of.
    fn fate_at_end(&self, sequence: u64, cause: Abort) -> Fate {
        let end = match self.life.end() {
            None => return Fate::Open,
            Some(end @ TrackEnd::Aborted(_)) => return Fate::Over(end),
            Some(end @ TrackEnd::Finished) => end,
        };
        let last = self.end_sequence();
        if sequence >= last {
            return Fate::Over(end);
        }
        let known = self.past.run_from(sequence + 1).map(|run| run.groups.start);
        let known = known.filter(|_| cause == Abort::Missing);
        let held = self.next_held(sequence..last);
        let end = [known, held].into_iter().flatten().fold(last, u64::min);
        Fate::Gone { end, cause }
    }

    /// The first group in `range` that is held.
    fn next_held(&self, range: Range<u64>) -> Option<u64> {
        let shown = self.groups.shown().lowest(range.clone());
        let announced = self.groups.first_announced(range);
        let shown = shown.map(|(sequence, _)| sequence);
        shown.into_iter().chain(announced).min()
    }

    /// Bytes that the groups of the track are charged for.
    pub(crate) fn held(&self) -> u64 {
        self.groups.charge().all()
    }

    pub(crate) fn add_watcher(&mut self, fx: &mut Effects<W>) -> usize {
        self.life.add_watcher(fx)
    }

    /// Whether somebody waits for the properties.
    pub(crate) fn is_awaited(&self) -> bool {
        self.life.is_awaited()
    }

    /// Has a task wait until the properties are known or the track has ended.
    pub(crate) fn watch(&mut self, slot: usize, waiter: &W, fx: &mut Effects<W>) {
        self.life.watch(slot, waiter, fx);
    }

    pub(crate) fn remove_watcher(&mut self, slot: usize, fx: &mut Effects<W>) {
        self.life.remove_watcher(slot, fx);
    }

    pub(crate) fn add_demand(&mut self) -> usize {
        self.life.add_demand()
    }

    /// Has a task of the feeding side wait until readers come or go, or the track has ended.
    pub(crate) fn watch_demand(&mut self, slot: usize, waiter: &W, fx: &mut Effects<W>) {
        self.life.watch_demand(slot, waiter, fx);
    }

    pub(crate) fn remove_demand(&mut self, slot: usize, fx: &mut Effects<W>) {
        self.life.remove_demand(slot, fx);
    }
}
