//! Taking what a reader left in its track.

use super::read::{Yield, compare, yielded};
use super::{AnyReader, Outcome, World, pick, same};
use crate::reference::Expect;

impl World {
    pub(super) fn take(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let can_take = |&at: &usize| {
            let slot = &self.readers[at];
            matches!(slot.any, AnyReader::Aside(_)) && !slot.is_over
        };
        let all: Vec<_> = (0..self.readers.len()).filter(can_take).collect();
        match pick(a, all.len()) {
            Some(at) => self.take_from(all[at], b % 4 == 0),
            None => Ok(()),
        }
    }

    fn take_from(&mut self, at: usize, is_oldest: bool) -> Outcome {
        let slot = &mut self.readers[at];
        let AnyReader::Aside(reader) = &mut slot.any else {
            return Ok(());
        };
        let what = format!("track {} reader {} takes", slot.track, slot.reader);
        let taken = if is_oldest {
            reader.take_oldest()
        } else {
            reader.take_newest()
        };
        let backlog = reader.backlog();
        let (index, number) = (slot.track, slot.reader);
        let track = &mut self.reference.tracks[index];
        let expected = track.peek_take(number, is_oldest);
        let got = taken.map_or(Yield::Wait, yielded);
        let lost = compare(&what, track, &got, expected)?;
        if let (Expect::Lost(start, ..), Some(end)) = (expected, lost) {
            track.readers[number].told.push((start, end));
        }
        self.log.push(format!("{what} {expected:?}"));
        if let (Yield::Group(consumer), Expect::Group(group)) = (got, expected) {
            let cursor = self.track_mut(index).take(number, group);
            self.add_consumer(index, cursor, consumer);
            self.count("groups taken that were left");
        }
        same(&what, &backlog, &self.track(index).backlog(number))
    }
}
