//! The line from which on a track's input waits for readers, as plain data.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::task::Context;

use slab::Slab;

use super::readers::ReaderId;
use super::state::{Entry, TrackState};
use crate::state::Waiter;

/// How far the fastest reader may be behind before the track's input waits, in bytes.
pub(super) const SHARE: u64 = 16 << 20;
/// What a group counts for at least, so that a thousand small ones are far behind, too.
pub(super) const LEAST: u64 = 16 << 10;
/// How much is read, or comes, before the line is drawn anew, in bytes.
const STEP: u64 = SHARE / 16;

/// Inputs that wait, and what for.
#[derive(Debug, Default)]
pub(super) struct Paused {
    inputs: Slab<Input>,
    /// Remembered while inputs wait, so that neither they nor readers that are not the fastest have
    /// to look for it.
    line: Option<Line>,
}

/// One input that waits.
#[derive(Debug)]
struct Input {
    sequence: u64,
    waiter: Waiter,
}

/// How far input may go.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// The first group that waits.
    from: u64,
    /// A reader that has finished all groups before this one moves the line.
    next: u64,
    /// Bytes that have come for groups before the line since it was drawn; many move it, too.
    grown: u64,
}

impl Line {
    /// Where the share ends that begins after `fastest`, the oldest group that the fastest reader has
    /// not finished; `None` if less is held.
    fn after(fastest: u64, groups: &BTreeMap<u64, Entry>) -> Option<Self> {
        let (mut lead, mut next) = (0, None);
        for (&sequence, entry) in groups.range((Bound::Excluded(fastest), Bound::Unbounded)) {
            lead += entry.bytes.max(LEAST);
            if lead >= STEP {
                let next = *next.get_or_insert(sequence);
                if lead >= SHARE {
                    let (from, grown) = (sequence, 0);
                    return Some(Self { from, next, grown });
                }
            }
        }
        None
    }
}

impl TrackState {
    /// Whether the input of group `sequence` has to wait: all readers are behind it by the share, and
    /// could read on. One that lacks bytes is not slow, and would be held up the more: what the peer
    /// is not able to send may be in the way of what is lacking.
    pub(super) fn is_paused(&self, sequence: u64) -> bool {
        let line = self.paused.line.or_else(|| self.find_line());
        line.is_some_and(|line| sequence >= line.from)
    }

    fn find_line(&self) -> Option<Line> {
        if self.held < SHARE && (self.groups.len() as u64) < SHARE / LEAST {
            return None;
        }
        let mut fastest = None;
        for (_, reader) in &self.readers {
            if reader.is_starved() {
                return None;
            }
            fastest = fastest.max(Some(reader.oldest()?));
        }
        Line::after(fastest?, &self.groups)
    }

    /// Adds an input that waits.
    pub(super) fn pause(&mut self, sequence: u64) -> usize {
        let waiter = Waiter::default();
        let slot = self.paused.inputs.insert(Input { sequence, waiter });
        if self.paused.line.is_none() {
            self.move_line();
        }
        slot
    }

    /// Wakes the task of `cx` when a paused input may go on.
    pub(super) fn register_paused(&mut self, slot: usize, cx: &Context<'_>) {
        self.paused.inputs[slot].waiter.register(cx);
    }

    /// Removes an input that waits no more.
    pub(super) fn resume(&mut self, slot: usize) {
        self.paused.inputs.try_remove(slot);
        if self.paused.inputs.is_empty() {
            self.paused.line = None;
        }
    }

    /// Lets inputs go on that do not have to wait any more, after readers or groups have changed.
    pub(super) fn move_line(&mut self) {
        if self.paused.inputs.is_empty() {
            return;
        }
        self.paused.line = self.find_line();
        let line = self.paused.line;
        for (_, input) in &mut self.paused.inputs {
            if line.is_none_or(|line| input.sequence < line.from) {
                input.waiter.wake();
            }
        }
    }

    /// As [`Self::move_line`], after a reader has finished with a group.
    pub(super) fn note_finished(&mut self, id: ReaderId) {
        if self.paused.inputs.is_empty() {
            return;
        }
        // One that has left has moved the line by that.
        let Some(reader) = self.reader(id) else {
            return;
        };
        let oldest = reader.oldest();
        let next = self.paused.line.map(|line| line.next);
        if oldest.is_none() || oldest >= next {
            self.move_line();
        }
    }

    /// As [`Self::move_line`], after a group has grown by so many bytes.
    pub(super) fn note_grown(&mut self, sequence: u64, bytes: u64) {
        if let Some(line) = &mut self.paused.line
            && sequence < line.from
        {
            line.grown += bytes;
            if line.grown >= STEP {
                self.move_line();
            }
        }
    }

    /// Wakes all inputs that wait, because the track has ended.
    pub(super) fn wake_paused(&mut self) {
        for (_, input) in &mut self.paused.inputs {
            input.waiter.wake();
        }
    }
}
