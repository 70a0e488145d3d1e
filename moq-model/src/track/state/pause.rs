//! The line from which on a track's input waits for readers, as plain data.

use std::time::Duration;

use slab::Slab;

use super::TrackState;
use super::effects::{Effects, Notify};
use super::reader::Reader;
use super::readers::ReaderId;
use crate::clock::Instant;

/// How far the fastest reader may be behind before the track's input waits, in bytes.
pub(super) const SHARE: u64 = 16 << 20;
/// What a group counts for at least, so that a thousand small ones are far behind, too.
pub(super) const LEAST: u64 = 16 << 10;
/// How much is read, or comes, before the line is drawn anew, in bytes.
const STEP: u64 = SHARE / 16;

/// A pause without any progress lasts this long at most.
const STALL: Duration = Duration::from_secs(2);

/// Inputs that wait, and what for.
#[derive(Debug)]
pub(super) struct Paused<W> {
    inputs: Slab<Input<W>>,
    /// Remembered while inputs wait, so that neither they nor readers that are not the fastest have
    /// to look for it.
    line: Option<Line>,
    /// How often readers took something.
    progress: u64,
}

/// One input that waits.
#[derive(Debug)]
struct Input<W> {
    sequence: u64,
    waiter: Option<W>,
    /// When the pause ends without progress, and the progress that there was before.
    until: Instant,
    progress: u64,
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

impl<W> Paused<W> {
    pub(super) fn new() -> Self {
        Self {
            inputs: Slab::new(),
            line: None,
            progress: 0,
        }
    }

    /// A reader took something.
    pub(super) fn note_progress(&mut self) {
        self.progress = self.progress.wrapping_add(1);
    }
}

impl<W: Notify> TrackState<W> {
    /// Whether a group may be written now.
    pub(crate) fn is_input_open(&self, sequence: u64) -> bool {
        self.life.end().is_some() || !self.is_paused(sequence)
    }

    /// Whether a group may be written at `now`: `None` if so, else when to look again. `place` is
    /// the input's, once it waits.
    pub(crate) fn poll_input(
        &mut self,
        place: &mut Option<usize>,
        sequence: u64,
        now: Instant,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Option<Instant> {
        if self.is_input_open(sequence) {
            return None;
        }
        let key = *place.get_or_insert_with(|| self.pause(sequence, now));
        if self.paused.line.is_none() {
            self.move_line(fx);
        }
        let progress = self.paused.progress;
        let input = self.paused.inputs.get_mut(key)?;
        if now >= input.until {
            if input.progress == progress {
                self.skip_stalled(fx);
                return None;
            }
            input.progress = progress;
            input.until = now + STALL;
        }
        fx.wait(&mut input.waiter, waiter);
        Some(input.until)
    }

    fn pause(&mut self, sequence: u64, now: Instant) -> usize {
        self.paused.inputs.insert(Input {
            sequence,
            waiter: None,
            until: now + STALL,
            progress: self.paused.progress,
        })
    }

    /// Removes an input that waits no more.
    pub(crate) fn resume(&mut self, place: usize, fx: &mut Effects<W>) {
        if let Some(mut input) = self.paused.inputs.try_remove(place) {
            fx.forget(&mut input.waiter);
        }
        if self.paused.inputs.is_empty() {
            self.paused.line = None;
        }
    }

    /// Whether the input of group `sequence` has to wait: all readers are behind it by the share, and
    /// could read on. A reader that lacks bytes is not slow, and a pause could block those very bytes.
    fn is_paused(&self, sequence: u64) -> bool {
        let line = self.paused.line.or_else(|| self.find_line());
        line.is_some_and(|line| sequence >= line.from)
    }

    fn find_line(&self) -> Option<Line> {
        let held = self.groups.shown();
        if self.groups.charge().live() < SHARE && (held.len() as u64) < SHARE / LEAST {
            return None;
        }
        let mut fastest = None;
        for reader in self.readers.iter() {
            if reader.is_starved() {
                return None;
            }
            fastest = fastest.max(Some(self.oldest_of(reader)?));
        }
        self.line_after(fastest?)
    }

    /// Where the share ends that begins after `fastest`, the oldest group that the fastest reader has
    /// not finished; `None` if less is held.
    fn line_after(&self, fastest: u64) -> Option<Line> {
        let (mut lead, mut next) = (0, None);
        for (sequence, shown) in self.groups.shown().above(fastest) {
            lead += self.groups.charge_of(shown).max(LEAST);
            if lead >= STEP {
                let next = *next.get_or_insert(sequence);
                if lead >= SHARE {
                    return Some(Line {
                        from: sequence,
                        next,
                        grown: 0,
                    });
                }
            }
        }
        None
    }

    /// The oldest group that a reader has not finished.
    pub(super) fn oldest_of(&self, reader: &Reader<W>) -> Option<u64> {
        if let Some(current) = reader.current() {
            return Some(current.sequence);
        }
        if let Some(next) = reader.next() {
            let wanted = reader.wanted();
            let lowest = self
                .groups
                .shown()
                .lowest(next.max(wanted.start)..wanted.end);
            return lowest.map(|(sequence, _)| sequence);
        }
        let open = reader.opened().lowest();
        let untaken = self.lowest_untaken(reader);
        let untaken = untaken.map(|(sequence, _)| sequence);
        open.into_iter().chain(untaken).min()
    }

    /// Lets inputs go on that do not have to wait any more, after readers or groups have changed.
    pub(super) fn move_line(&mut self, fx: &mut Effects<W>) {
        if self.paused.inputs.is_empty() {
            return;
        }
        let line = self.find_line();
        self.paused.line = line;
        for (_, input) in &mut self.paused.inputs {
            if line.is_none_or(|line| input.sequence < line.from) {
                fx.wake(&mut input.waiter);
            }
        }
    }

    /// As [`Self::move_line`], after a reader has finished with a group.
    pub(super) fn note_finished(&mut self, id: ReaderId, fx: &mut Effects<W>) {
        if self.paused.inputs.is_empty() {
            return;
        }
        // One that has left has moved the line by that.
        let Some(reader) = self.readers.get(id) else {
            return;
        };
        let oldest = self.oldest_of(reader);
        let next = self.paused.line.map(|line| line.next);
        if oldest.is_none() || oldest >= next {
            self.move_line(fx);
        }
    }

    /// As [`Self::move_line`], after a group has grown by so many bytes.
    pub(super) fn note_grown(&mut self, sequence: u64, bytes: u64, fx: &mut Effects<W>) {
        if let Some(line) = &mut self.paused.line
            && sequence < line.from
        {
            line.grown += bytes;
            if line.grown >= STEP {
                self.move_line(fx);
            }
        }
    }

    /// Wakes all inputs that wait, because the track has ended.
    pub(super) fn wake_paused(&mut self, fx: &mut Effects<W>) {
        for (_, input) in &mut self.paused.inputs {
            fx.wake(&mut input.waiter);
        }
    }
}
