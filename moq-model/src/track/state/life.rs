//! What is known of a track as a whole: its properties, where it begins and how it ended.

use std::time::Duration;

use slab::Slab;

use super::effects::{Effects, Notify};
use crate::clock::Instant;
use crate::error::Abort;
use crate::track::info::TrackInfo;

/// How a track ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrackEnd {
    Finished,
    Aborted(Abort),
}

#[derive(Debug)]
pub(super) struct Life<W> {
    /// Written in this process, so that its first group is the first there is.
    is_local: bool,
    /// Unknown until the track is accepted.
    info: Option<TrackInfo>,
    /// The first group that the track will ever yield, once known.
    start: Option<u64>,
    /// The sequence after the last group that was to be, as the peer that feeds the track told.
    told_end: Option<u64>,
    end: Option<(TrackEnd, Instant)>,
    /// It ended because nobody read it.
    is_unused: bool,
    /// Tasks that wait for the properties.
    watchers: Slab<Option<W>>,
    /// Tasks of the feeding side that wait for readers to come or go, or for the end.
    demand: Slab<Option<W>>,
}

impl<W: Notify> Life<W> {
    pub(super) fn new(is_local: bool) -> Self {
        Self {
            is_local,
            info: None,
            start: None,
            told_end: None,
            end: None,
            is_unused: false,
            watchers: Slab::new(),
            demand: Slab::new(),
        }
    }

    pub(super) fn is_local(&self) -> bool {
        self.is_local
    }

    pub(super) fn info(&self) -> Option<TrackInfo> {
        self.info
    }

    pub(super) fn start(&self) -> Option<u64> {
        self.start
    }

    pub(super) fn told_end(&self) -> Option<u64> {
        self.told_end
    }

    pub(super) fn end(&self) -> Option<TrackEnd> {
        self.end.map(|(end, _)| end)
    }

    pub(super) fn is_unused(&self) -> bool {
        self.is_unused
    }

    /// How long groups are kept, and gaps are waited for by default.
    pub(super) fn max_age(&self) -> Duration {
        self.info.unwrap_or_default().max_age
    }

    /// When a track that has ended is let go of, unless somebody reads it.
    pub(super) fn release_at(&self) -> Option<Instant> {
        let (_, at) = self.end?;
        at.checked_add(self.max_age())
    }

    /// A duration in units of the track's timestamps.
    pub(super) fn units(&self, age: Duration) -> u64 {
        let in_units = |info: TrackInfo| info.timescale.from_duration(age);
        self.info.map_or(u64::MAX, in_units)
    }

    /// Settles the properties, once.
    pub(super) fn accept(&mut self, info: TrackInfo, fx: &mut Effects<W>) {
        self.info.get_or_insert(info);
        wake_all(&mut self.watchers, fx);
    }

    /// Notes a group at which the track may begin.
    pub(super) fn lower_start(&mut self, sequence: u64) {
        self.start = Some(self.start.map_or(sequence, |start| start.min(sequence)));
    }

    pub(super) fn set_told_end(&mut self, sequence: u64) {
        self.told_end = Some(sequence);
    }

    /// Ends the track unless it has ended; says whether it did.
    pub(super) fn set_end(&mut self, end: TrackEnd, now: Instant, fx: &mut Effects<W>) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some((end, now));
        wake_all(&mut self.watchers, fx);
        self.wake_demand(fx);
        true
    }

    pub(super) fn set_unused(&mut self) {
        self.is_unused = true;
    }

    pub(super) fn wake_demand(&mut self, fx: &mut Effects<W>) {
        wake_all(&mut self.demand, fx);
    }

    /// A place for a task that waits for the properties, which the feeding side is told of.
    pub(super) fn add_watcher(&mut self, fx: &mut Effects<W>) -> usize {
        if self.info.is_none() {
            self.wake_demand(fx);
        }
        self.watchers.insert(None)
    }

    pub(super) fn is_awaited(&self) -> bool {
        !self.watchers.is_empty()
    }

    pub(super) fn watch(&mut self, slot: usize, waiter: &W, fx: &mut Effects<W>) {
        if let Some(place) = self.watchers.get_mut(slot) {
            fx.wait(place, waiter);
        }
    }

    pub(super) fn remove_watcher(&mut self, slot: usize, fx: &mut Effects<W>) {
        if let Some(mut place) = self.watchers.try_remove(slot) {
            fx.forget(&mut place);
        }
    }

    pub(super) fn add_demand(&mut self) -> usize {
        self.demand.insert(None)
    }

    pub(super) fn watch_demand(&mut self, slot: usize, waiter: &W, fx: &mut Effects<W>) {
        if let Some(place) = self.demand.get_mut(slot) {
            fx.wait(place, waiter);
        }
    }

    pub(super) fn remove_demand(&mut self, slot: usize, fx: &mut Effects<W>) {
        if let Some(mut place) = self.demand.try_remove(slot) {
            fx.forget(&mut place);
        }
    }
}

fn wake_all<W: Notify>(places: &mut Slab<Option<W>>, fx: &mut Effects<W>) {
    for (_, place) in places {
        fx.wake(place);
    }
}
