//! In sequence.

use moq_model::{Abort, GroupEnd, Start};

use super::{Expect, NO_END, Place, Track, millis};

/// What is known of the next group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Seen(usize),
    Coming,
    Lost(Abort),
    Over,
}

impl Track {
    /// What a reader in sequence gets, where it is then, and since when it waits for what may become
    /// of the next group.
    pub fn peek_ordered(&self, index: usize, now: u64) -> (Expect, Place, Option<u64>) {
        self.peek_from(index, self.readers[index].place, now)
    }

    fn peek_from(&self, index: usize, mut place: Place, now: u64) -> (Expect, Place, Option<u64>) {
        while let Some((group, frame)) = place.current {
            let held = &self.groups[group];
            if held.is_held() && frame < held.frames.len() {
                place.current = Some((group, frame + 1));
                let expect = Expect::Frame(held.sequence, frame, held.frames[frame]);
                return (expect, place, None);
            }
            let sequence = held.sequence;
            let is_whole = held.ended == Some(GroupEnd::Finished) && frame >= held.frames.len();
            let cause = match (held.gone, held.ended) {
                _ if is_whole => {
                    place = Place {
                        next: Some(sequence + 1),
                        current: None,
                    };
                    continue;
                }
                (Some(cause), _) | (None, Some(GroupEnd::Aborted(cause))) => cause,
                _ if self.is_too_old(index, sequence) => Abort::Expired,
                _ => return (Expect::Wait, place, None),
            };
            return self.tell(index, place, sequence, sequence + 1, cause, now);
        }
        self.peek_next(index, place, now)
    }

    /// Whether a group is too old for a reader whose max age is less than the track's.
    fn is_too_old(&self, index: usize, sequence: u64) -> bool {
        let max_age = self.readers[index].wants.max_age;
        let is_hasty = self.info.is_some_and(|info| max_age < info.max_age);
        is_hasty && self.is_expired(sequence, max_age)
    }

    /// The next group, after all that were begun.
    fn peek_next(&self, index: usize, mut place: Place, now: u64) -> (Expect, Place, Option<u64>) {
        let reader = &self.readers[index];
        let (_, end) = reader.range();
        let first = place.next.or_else(|| self.first_of(index));
        let next = match first.ok_or_else(|| self.before_first(index)) {
            Ok(next) => next,
            Err(Ok(next)) => next,
            Err(Err(expect)) => return (expect, place, None),
        };
        if first.is_none() {
            place.next = Some(next);
        }
        if reader.wants.end.is_some_and(|end| next >= end) {
            return (Expect::End, place, None);
        }
        match self.known(next) {
            Known::Seen(_) if self.is_expired(next, reader.wants.max_age) => {
                let is_old = |&at: &u64| {
                    self.seen_at(at).is_some() && self.is_expired(at, reader.wants.max_age)
                };
                let until = (next..end).take_while(is_old).last().unwrap() + 1;
                place.next = Some(until);
                (Expect::Lost(next, until, Abort::Expired), place, None)
            }
            Known::Seen(group) => {
                let place = Place {
                    next: Some(next),
                    current: Some((group, 0)),
                };
                self.peek_from(index, place, now)
            }
            Known::Lost(cause) => {
                let same = (next..end).take_while(|&at| self.known(at) == Known::Lost(cause));
                let until = same.last().unwrap() + 1;
                self.tell(index, place, next, until, cause, now)
            }
            Known::Over => (self.over(), place, None),
            Known::Coming => self.wait_or_skip(index, place, (next, end), now),
        }
    }

    pub fn known(&self, sequence: u64) -> Known {
        if let Some(seen) = self.seen_at(sequence) {
            return Known::Seen(seen);
        }
        if self.is_announced(sequence) {
            return match self.aborted() {
                Some(_) => Known::Over,
                None => Known::Coming,
            };
        }
        if let Some(cause) = self.known_lost(sequence) {
            return Known::Lost(cause);
        }
        match self.end {
            None => Known::Coming,
            Some((None, _)) if sequence < self.end_sequence() => {
                Known::Lost(self.cause(sequence).unwrap_or(Abort::Missing))
            }
            Some(_) => Known::Over,
        }
    }

    fn over(&self) -> Expect {
        self.aborted().map_or(Expect::End, Expect::Failed)
    }

    /// Nothing was there yet: where to begin nevertheless, or what there is instead.
    fn before_first(&self, index: usize) -> Result<u64, Expect> {
        if self.end.is_none() || self.has_finished() && self.awaits(0) {
            return Err(Expect::Wait);
        }
        match (self.readers[index].wants.start, self.start) {
            (Start::Floor(floor), Some(start)) if self.has_finished() => Ok(start.max(floor)),
            _ => Err(self.over()),
        }
    }

    /// Groups are lost: tells that, unless they may go on elsewhere.
    fn tell(
        &self,
        index: usize,
        place: Place,
        start: u64,
        end: u64,
        cause: Abort,
        now: u64,
    ) -> (Expect, Place, Option<u64>) {
        let is_own = [
            Abort::Expired,
            Abort::Evicted,
            Abort::TooFarBehind,
            Abort::Missing,
        ]
        .contains(&cause);
        let told = Place {
            next: Some(end),
            current: None,
        };
        let told = (Expect::Lost(start, end, cause), told, None);
        if is_own || self.has_finished() {
            return told;
        }
        if let Some(reason) = self.aborted() {
            return (Expect::Failed(reason), place, None);
        }
        let goes_on = self.lowest_seen(end, NO_END).is_some();
        if goes_on && cause != Abort::SessionClosed {
            return told;
        }
        let reader = &self.readers[index];
        let since = reader.waits_since.filter(|_| reader.place == place);
        let since = since.unwrap_or(now);
        let until = since.saturating_add(millis(self.patience(index)));
        if until <= now {
            return told;
        }
        (Expect::Wait, place, Some(now))
    }

    /// A group may still come: it is waited for from when the first group behind it arrived that was
    /// ever the lowest.
    fn wait_or_skip(
        &self,
        index: usize,
        place: Place,
        (next, end): (u64, u64),
        now: u64,
    ) -> (Expect, Place, Option<u64>) {
        let Some(later) = self.lowest_seen(next, NO_END) else {
            return (Expect::Wait, place, None);
        };
        let reader = &self.readers[index];
        let arrived = self.groups[self.seen_at(later).unwrap()].begun;
        let before = reader.waits_since.filter(|_| reader.place == place);
        let since = before.map_or(arrived, |before| before.min(arrived));
        let until = since.saturating_add(millis(self.patience(index)));
        if until > now {
            return (Expect::Wait, place, Some(since));
        }
        let is_unknown =
            |&at: &u64| matches!(self.known(at), Known::Coming | Known::Lost(Abort::Missing));
        let until = (next..end.min(later))
            .take_while(is_unknown)
            .last()
            .unwrap()
            + 1;
        (Expect::Lost(next, until, Abort::Missing), place, None)
    }
}
