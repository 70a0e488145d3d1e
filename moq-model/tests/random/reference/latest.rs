//! The newest group alone.

use moq_model::{Abort, GroupEnd};

use super::ordered::Known;
use super::{Expect, NO_END, Place, Track};

impl Track {
    pub fn peek_latest(&self, index: usize) -> (Expect, Place) {
        let reader = &self.readers[index];
        let place = reader.place;
        if self.first_of(index).is_some() {
            let (start, end) = reader.range();
            let current = place.current.map(|(group, _)| self.groups[group].sequence);
            let after = current.map(|current| current + 1).or(place.next);
            let newest = self.highest_seen(start.max(after.unwrap_or(0)), end);
            if let Some(newest) = newest {
                return self.leave_for(index, newest, place);
            }
        }
        self.latest_of(index, place)
    }

    fn leave_for(&self, index: usize, newest: u64, place: Place) -> (Expect, Place) {
        let left = match place.current {
            Some((group, frame)) if !self.is_read_whole(group, frame) => {
                Some(self.groups[group].sequence)
            }
            Some((group, _)) => Some(self.groups[group].sequence + 1),
            None => place.next,
        };
        let group = self.seen_at(newest).unwrap();
        let begun = Place {
            next: Some(newest),
            current: Some((group, 0)),
        };
        match left {
            Some(left) if left < newest => (Expect::Lost(left, newest, Abort::Expired), begun),
            _ => self.frame_of(index, group, 0, begun),
        }
    }

    fn is_read_whole(&self, group: usize, frame: usize) -> bool {
        let group = &self.groups[group];
        group.ended == Some(GroupEnd::Finished) && frame >= group.frames.len()
    }

    fn frame_of(&self, index: usize, group: usize, frame: usize, place: Place) -> (Expect, Place) {
        let held = &self.groups[group];
        let next = held.sequence + 1;
        let left = Place {
            next: Some(next),
            current: None,
        };
        if held.is_held() && frame < held.frames.len() {
            let begun = Place {
                current: Some((group, frame + 1)),
                ..place
            };
            return (
                Expect::Frame(held.sequence, frame, held.frames[frame]),
                begun,
            );
        }
        if self.is_read_whole(group, frame) {
            return self.after_latest(index, left);
        }
        match (held.gone, held.ended) {
            (Some(Abort::SessionClosed), _)
            | (None, Some(GroupEnd::Aborted(Abort::SessionClosed)))
                if !self.has_finished() =>
            {
                // It may come of another session, unless the track outlives that.
                (self.aborted().map_or(Expect::Wait, Expect::Failed), place)
            }
            (Some(cause), _) | (None, Some(GroupEnd::Aborted(cause))) => {
                (Expect::Lost(held.sequence, next, cause), left)
            }
            _ => (Expect::Wait, place),
        }
    }

    fn latest_of(&self, index: usize, place: Place) -> (Expect, Place) {
        match place.current {
            None => self.after_latest(index, place),
            Some((group, frame)) => self.frame_of(index, group, frame, place),
        }
    }

    fn after_latest(&self, index: usize, place: Place) -> (Expect, Place) {
        let end = self.readers[index].wants.end;
        let next = place.next;
        if let (Some(next), Some(end)) = (next, end)
            && next >= end
        {
            return (Expect::End, place);
        }
        match self.end {
            None => return (Expect::Wait, place),
            Some((Some(cause), _)) => return (Expect::Failed(cause), place),
            Some((None, _)) if self.awaits(next.unwrap_or(0)) => return (Expect::Wait, place),
            Some((None, _)) => {}
        }
        let Some(next) = next else {
            return (Expect::End, place);
        };
        let Known::Lost(cause) = self.known(next) else {
            return (Expect::End, place);
        };
        let wanted = next..end.unwrap_or(NO_END);
        let same = wanted.take_while(|&at| self.known(at) == Known::Lost(cause));
        let until = same.last().unwrap() + 1;
        let place = Place {
            next: Some(until),
            current: None,
        };
        (Expect::Lost(next, until, cause), place)
    }
}
