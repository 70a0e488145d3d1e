//! What has to hold after every operation.

use allocation_counter::measure;
use moq_model::{Backlog, TrackReader};

use super::{AnyReader, Outcome, World, same};
use crate::reference::{Expect, Track};

impl World {
    pub(super) fn check(&mut self) -> Outcome {
        self.reference.release();
        self.note_alive();
        let used = self.budget.used();
        same("bytes in use", &used, &self.reference.used())?;
        if used > self.budget.limit() {
            return Err(format!("{used} B are in use"));
        }
        let dropped = self.budget.newest_dropped();
        same(
            "newest groups that went",
            &dropped,
            &self.reference.newest_dropped,
        )?;
        self.check_readers()?;
        self.check_consumers()?;
        self.check_gates()
    }

    /// What no handle leads to holds nothing.
    fn note_alive(&mut self) {
        for index in 0..self.tracks.len() {
            let slot = &self.tracks[index];
            let is_handled = slot.local.is_some() || slot.fed.is_some() || slot.consumer.is_some();
            let is_used = self.writers.iter().any(|each| each.track == index)
                || self.readers.iter().any(|each| each.track == index)
                || self.consumers.iter().any(|each| each.track == index)
                || self.gates.iter().any(|each| each.track == index)
                || self.demands.iter().any(|each| each.track == index);
            let track = &mut self.reference.tracks[index];
            track.is_alive = track.is_listed || is_handled || is_used;
        }
    }

    fn check_readers(&self) -> Outcome {
        for slot in &self.readers {
            let track = self.track(slot.track);
            let what = || format!("track {} reader {}", slot.track, slot.reader);
            match &slot.any {
                AnyReader::Newest(reader) => check_newest(&what(), slot.reader, track, reader)?,
                AnyReader::Aside(reader) => check_newest(&what(), slot.reader, track, reader)?,
                AnyReader::Ordered(reader) => {
                    let expected = track.position(slot.reader);
                    same(
                        &format!("{}: position", what()),
                        &reader.position(),
                        &expected,
                    )?;
                }
                AnyReader::Latest(_) => {}
            }
            let expect = track.peek(slot.reader, self.reference.now).0;
            let is_left = match &slot.any {
                AnyReader::Aside(reader) if reader.backlog() != Backlog::Newest => {
                    track.backlog(slot.reader) == Backlog::Newest
                }
                _ => false,
            };
            let is_ready = (is_left || expect != Expect::Wait) && !slot.is_over;
            slot.waiter.check(
                &|| format!("{} {:?} for {expect:?}", what(), slot.order()),
                is_ready,
            )?;
        }
        Ok(())
    }

    fn check_consumers(&self) -> Outcome {
        for slot in &self.consumers {
            let track = self.track(slot.track);
            let is_ready = if slot.is_cut_only {
                track.peek_cut(slot.cursor).is_some()
            } else {
                track.peek_cursor(slot.cursor).is_some()
            };
            let what = || format!("track {} cursor {}", slot.track, slot.cursor);
            slot.waiter.check(&what, is_ready)?;
        }
        for slot in &self.writers {
            let group = &self.track(slot.track).groups[slot.group];
            let what = || format!("track {} writer of #{}", slot.track, slot.group);
            let is_unused = slot.unused.is_some() && group.handles == 0;
            slot.waiter.check(&what, group.is_over() || is_unused)?;
        }
        Ok(())
    }

    /// Drops all handles: what was charged is given back, and was about what the heap held.
    /// Says whether that was enough to be compared.
    pub fn close(self) -> Outcome<bool> {
        let (budget, is_large) = (self.budget.clone(), self.setting.is_large);
        let charged = budget.used();
        let empty = PER_TRACK * self.tracks.len() as u64;
        let handles = self.writers.len()
            + self.readers.len()
            + self.consumers.len()
            + self.gates.len()
            + self.demands.len();
        let Self {
            homes,
            tracks,
            writers,
            readers,
            consumers,
            gates,
            demands,
            ..
        } = self;
        let freed = measure(move || {
            drop((homes, tracks, writers, readers, consumers, gates, demands));
        });
        same("bytes left", &budget.used(), &0)?;
        let freed = u64::try_from(-freed.bytes_current).unwrap_or(0);
        // Large frames share their payload.
        if is_large || charged < LEAST_CHARGED {
            return Ok(false);
        }
        let besides = PER_HANDLE * handles as u64 + empty;
        if freed * 10 < charged * 9 || freed * 10 > charged * 11 + besides * 10 {
            return Err(format!("{charged} B were charged for {freed} B"));
        }
        Ok(true)
    }

    /// How often its tasks were woken for nothing.
    pub fn vain(&self) -> u64 {
        let readers = self.readers.iter().map(|slot| &slot.waiter);
        let consumers = self.consumers.iter().map(|slot| &slot.waiter);
        readers.chain(consumers).map(|waiter| waiter.vain).sum()
    }
}

impl World {
    /// Tasks are woken for nothing now and then only, less than once an operation.
    pub fn check_vain(&self, ops: usize) -> Outcome {
        let vain = self.vain();
        if vain > ops as u64 {
            return Err(format!("tasks were woken {vain} times for nothing"));
        }
        Ok(())
    }
}

fn check_newest(what: &str, number: usize, track: &Track, reader: &TrackReader) -> Outcome {
    let expected = track.readers[number].first;
    same(&format!("{what}: first"), &reader.first(), &expected)?;
    let end = track.end_sequence();
    same(&format!("{what}: end"), &reader.end(), &end)
}

/// What has to be charged for before it is compared, in bytes.
const LEAST_CHARGED: u64 = 30 << 10;
/// What a track without groups may take, in bytes.
const PER_TRACK: u64 = 5 << 10;
/// What a handle and its task may take, in bytes.
const PER_HANDLE: u64 = 1_100;
