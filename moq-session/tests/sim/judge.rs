//! What was published, what was read, and what must never be.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::content::shape;
use crate::log::Kind;
use crate::net::Net;
use crate::rules::Owed;
use crate::tally::{Count, Tally};

/// Knows the truth and collects violations; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Judge {
    net: Net,
    is_strict: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By epoch, track and group.
    groups: BTreeMap<(u64, u64, u64), Published>,
    edges: BTreeMap<u64, Edge>,
    finished: BTreeMap<(u64, u64), ()>,
    /// Which life of the publisher is up, if any, and how many there were.
    life: Option<u64>,
    lives: u64,
    /// When single streams were reset last.
    last_reset: Option<u64>,
    readers: BTreeMap<usize, Progress>,
    violations: Vec<String>,
    tally: Tally,
}

/// The newest of a track: its epoch, and groups of it.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    pub epoch: u64,
    pub group: u64,
    /// The newest with a frame on a stream, and the one before.
    streamed: [Option<u64>; 2],
}

/// A group as it was published.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// When it began.
    pub begun: u64,
    life: u64,
    pub is_datagram: bool,
    /// When each frame was.
    pub frames: Vec<u64>,
    pub end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Finished,
    Aborted,
}

#[derive(Debug, Default)]
struct Progress {
    track: u64,
    newest: Option<(u64, u64)>,
    is_done: bool,
}

impl Judge {
    pub fn new(net: Net, is_strict: bool) -> Self {
        Self {
            net,
            is_strict,
            state: Arc::default(),
        }
    }

    /// Single streams may be reset at any time.
    pub fn expect_resets(&self) {
        self.lock().last_reset = Some(u64::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Virtual milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.net.now()
    }

    pub fn violation(&self, text: String) {
        let text = format!("at {} ms: {text}", self.net.now());
        self.net
            .note(Kind::Read, [u64::MAX; 4], || format!("VIOLATION {text}"));
        self.lock().violations.push(text);
    }

    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub fn count(&self, what: Count) {
        self.tally(|tally| tally.count(what, 1));
    }

    /// Looks at the tally, or changes it.
    pub fn tally<R>(&self, look: impl FnOnce(&mut Tally) -> R) -> R {
        look(&mut self.lock().tally)
    }

    pub fn note(&self, values: [u64; 4], text: impl FnOnce() -> String) {
        self.net.note(Kind::Read, values, text);
    }

    /// The publisher begins another life.
    pub fn publisher_starts(&self) {
        let mut state = self.lock();
        state.lives += 1;
        state.life = Some(state.lives);
    }

    /// The publisher is gone, and all that it had.
    pub fn publisher_stops(&self) {
        self.lock().life = None;
    }

    /// Single streams are reset.
    pub fn streams_reset(&self) {
        let now = self.now();
        self.lock().last_reset = Some(now);
    }

    /// A group begins.
    pub fn begin(&self, epoch: u64, track: u64, group: u64, is_datagram: bool) {
        let begun = self.now();
        let mut state = self.lock();
        let published = Published {
            begun,
            life: state.lives,
            is_datagram,
            ..Published::default()
        };
        state.groups.insert((epoch, track, group), published);
        let before = state.edges.get(&track).filter(|edge| edge.epoch == epoch);
        let edge = Edge {
            epoch,
            group,
            streamed: before.map_or([None; 2], |edge| edge.streamed),
        };
        state.edges.insert(track, edge);
    }

    pub fn append(&self, epoch: u64, track: u64, group: u64, timestamp: u64) {
        let mut state = self.lock();
        let Some(published) = state.groups.get_mut(&(epoch, track, group)) else {
            return;
        };
        published.frames.push(timestamp);
        let is_shown = published.frames.len() == 1 && !published.is_datagram;
        if let Some(edge) = state.edges.get_mut(&track).filter(|_| is_shown) {
            edge.streamed = [Some(group), edge.streamed[0]];
        }
    }

    pub fn end(&self, epoch: u64, track: u64, group: u64, end: End) {
        if let Some(group) = self.lock().groups.get_mut(&(epoch, track, group)) {
            group.end = Some(end);
        }
    }

    pub fn finish(&self, epoch: u64, track: u64) {
        self.lock().finished.insert((epoch, track), ());
    }

    pub fn group(&self, epoch: u64, track: u64, group: u64) -> Option<Published> {
        self.lock().groups.get(&(epoch, track, group)).cloned()
    }

    /// Where a track is.
    pub fn edge(&self, track: u64) -> Option<Edge> {
        self.lock().edges.get(&track).copied()
    }

    /// The groups of a track in a range that were published, and are of interest.
    pub fn groups_in(
        &self,
        epoch: u64,
        track: u64,
        range: Range<u64>,
        is_wanted: impl Fn(&Published) -> bool,
    ) -> Vec<u64> {
        let state = self.lock();
        let range = (epoch, track, range.start)..(epoch, track, range.end.max(range.start));
        let groups = state.groups.range(range);
        let wanted = groups.filter(|(_, group)| is_wanted(group));
        wanted.map(|((_, _, group), _)| *group).collect()
    }

    /// The groups in a range that are owed.
    pub fn owed_in(&self, owed: Owed, range: Range<u64>) -> Vec<u64> {
        let (life, last_reset) = {
            let state = self.lock();
            (state.life, state.last_reset)
        };
        let has_no_mishap = |group: &Published| {
            let is_there = Some(group.life) == life && group.end != Some(End::Aborted);
            let is_shown = !group.frames.is_empty() && !group.is_datagram;
            is_there && is_shown && last_reset.is_none_or(|reset| reset < group.begun)
        };
        let mut groups = self.groups_in(owed.epoch, owed.track, range, has_no_mishap);
        groups.retain(|group| {
            let is_kept = !shape(owed.epoch, owed.track, *group).is_aborted;
            is_kept && self.is_young(owed, *group)
        });
        groups
    }

    fn is_young(&self, owed: Owed, group: u64) -> bool {
        let state = self.lock();
        let after = (owed.epoch, owed.track, group + 1)..=(owed.epoch, owed.track, u64::MAX);
        let next = state.groups.range(after).next();
        next.is_none_or(|(_, next)| owed.at.saturating_sub(next.begun) < owed.max_age)
    }

    pub fn is_finished(&self, epoch: u64, track: u64) -> bool {
        self.lock().finished.contains_key(&(epoch, track))
    }

    /// A reader has something of a group.
    pub fn progress(&self, reader: usize, epoch: u64, group: u64) {
        if let Some(progress) = self.lock().readers.get_mut(&reader) {
            progress.newest = progress.newest.max(Some((epoch, group)));
        }
    }

    pub fn add_reader(&self, reader: usize, track: u64) {
        let progress = Progress {
            track,
            ..Progress::default()
        };
        self.lock().readers.insert(reader, progress);
    }

    pub fn reader_done(&self, reader: usize) {
        if let Some(progress) = self.lock().readers.get_mut(&reader) {
            progress.is_done = true;
        }
    }

    /// Forgets how far readers were, so that they have to show again that they follow.
    pub fn restart_progress(&self) {
        for progress in self.lock().readers.values_mut() {
            progress.newest = None;
        }
    }

    /// Readers that have nothing of the newest two groups that they can have.
    pub fn behind(&self) -> Vec<String> {
        let state = self.lock();
        let behind = state.readers.iter().filter_map(|(reader, progress)| {
            let edge = state.edges.get(&progress.track)?;
            let least = edge.streamed[1].or(edge.streamed[0])?;
            let newest = progress.newest;
            let is_near = newest.is_some_and(|(at, group)| at == edge.epoch && group >= least);
            (!is_near).then(|| format!("reader {reader} is at {newest:?}, the edge at {edge:?}"))
        });
        behind.collect()
    }

    pub fn waiting(&self) -> Vec<usize> {
        let state = self.lock();
        let waiting = state
            .readers
            .iter()
            .filter(|(_, progress)| !progress.is_done);
        waiting.map(|(reader, _)| *reader).collect()
    }
}
