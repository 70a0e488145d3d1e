//! What was published, what was read, and what must never be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::Kind;
use crate::net::Net;

/// Knows the truth and collects violations; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Judge {
    net: Net,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By epoch, track and group.
    groups: BTreeMap<(u64, u64, u64), Published>,
    /// The newest group of each track: epoch and number.
    edges: BTreeMap<u64, (u64, u64)>,
    finished: BTreeMap<(u64, u64), ()>,
    readers: BTreeMap<usize, Progress>,
    violations: Vec<String>,
    tally: Tally,
}

/// A group as it was published.
#[derive(Debug, Clone, Default)]
pub struct Published {
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

/// What the readers got, to see that something was tested.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub whole: u64,
    pub skipped: u64,
    pub ended: u64,
    pub resumed: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.skipped += other.skipped;
        self.ended += other.ended;
        self.resumed += other.resumed;
    }
}

impl Judge {
    pub fn new(net: Net) -> Self {
        Self {
            net,
            state: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.lock().tally);
    }

    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    pub fn note(&self, values: [u64; 4], text: impl FnOnce() -> String) {
        self.net.note(Kind::Read, values, text);
    }

    /// A group begins.
    pub fn begin(&self, epoch: u64, track: u64, group: u64) {
        let mut state = self.lock();
        state
            .groups
            .insert((epoch, track, group), Published::default());
        state.edges.insert(track, (epoch, group));
    }

    pub fn append(&self, epoch: u64, track: u64, group: u64, timestamp: u64) {
        if let Some(group) = self.lock().groups.get_mut(&(epoch, track, group)) {
            group.frames.push(timestamp);
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

    /// The first group of a track in `from..to` that has something to deliver or was given up.
    pub fn first_in(&self, epoch: u64, track: u64, from: u64, to: u64) -> Option<u64> {
        let state = self.lock();
        let range = (epoch, track, from)..(epoch, track, to.max(from));
        let mut groups = state.groups.range(range);
        let found = groups.find(|(_, group)| !group.frames.is_empty())?;
        Some(found.0.2)
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

    /// Readers that are more than one group behind the live edge.
    pub fn behind(&self) -> Vec<String> {
        let state = self.lock();
        let behind = state.readers.iter().filter_map(|(reader, progress)| {
            let (epoch, edge) = *state.edges.get(&progress.track)?;
            let newest = progress.newest;
            let is_near = newest.is_some_and(|(at, group)| at == epoch && group + 1 >= edge);
            (!is_near).then(|| {
                format!(
                    "reader {reader} is at {newest:?}, the edge at {:?}",
                    (epoch, edge)
                )
            })
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
