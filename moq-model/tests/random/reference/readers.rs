//! Where readers begin.

use std::time::Duration;

use moq_model::{Start, Subscription};

use super::{NO_END, Order, Place, Reader, Track};

impl Track {
    pub fn subscribe(&mut self, order: Order, wants: Subscription) -> usize {
        self.readers.push(Reader {
            order,
            wants,
            floor: self.floor_for(&wants),
            lowest: None,
            first: None,
            told: Vec::new(),
            place: Place::default(),
            waits_since: None,
            is_starved: false,
            is_gone: false,
        });
        let reader = self.readers.len() - 1;
        self.show_lowest(reader);
        reader
    }

    /// The lowest group that somebody takes who comes now: none that is too old already.
    fn floor_for(&self, wants: &Subscription) -> Option<u64> {
        let floor = match wants.start {
            Start::Newest => return self.highest_seen(0, NO_END),
            Start::Floor(floor) => floor,
        };
        let seen = self.seen(floor, NO_END);
        let expired = seen.filter(|&sequence| self.is_expired(sequence, wants.max_age));
        Some(expired.max().map_or(floor, |expired| expired + 1))
    }

    pub fn update(&mut self, index: usize, wants: Subscription) {
        let floor = self.floor_for(&wants);
        let reader = &mut self.readers[index];
        let before = std::mem::replace(&mut reader.wants, wants);
        let is_older = wants.start != Start::Newest && before.max_age != wants.max_age;
        if before.start != wants.start || is_older {
            reader.floor = floor;
        }
        reader.lowest = reader.lowest.filter(|&lowest| {
            let (start, end) = (reader.floor.unwrap_or(NO_END), wants.end.unwrap_or(NO_END));
            start <= lowest && lowest < end
        });
        if let (Some(next), Some(floor), None) =
            (reader.place.next, reader.floor, reader.place.current)
            && floor > next
        {
            reader.place.next = Some(floor);
            reader.waits_since = None;
        }
        self.show_lowest(index);
    }

    /// Shows a reader what is there.
    fn show_lowest(&mut self, index: usize) {
        let (start, end) = self.readers[index].range();
        if let Some(lowest) = self.lowest_seen(start, end) {
            self.show_reader(index, lowest, lowest);
        }
        self.begin(index);
    }

    /// Shows all readers a group.
    pub fn show_readers(&mut self, sequence: u64) {
        let readers = self.readers.iter().filter(|reader| !reader.is_gone);
        let is_mixed = readers.clone().any(|reader| !reader.begins_at_newest());
        let is_clear = self.is_local || self.start.is_some() || is_mixed;
        let floor = if is_clear { sequence } else { 0 };
        for index in 0..self.readers.len() {
            self.show_reader(index, sequence, floor);
        }
    }

    fn show_reader(&mut self, index: usize, sequence: u64, newest: u64) {
        let reader = &mut self.readers[index];
        reader.floor.get_or_insert(newest);
        // Until it has taken anything, a reader begins lower if something lower comes.
        if reader.takes(sequence) && reader.place.next.is_none() && reader.told.is_empty() {
            let lowest = reader
                .lowest
                .map_or(sequence, |lowest| lowest.min(sequence));
            reader.lowest = Some(lowest);
            reader.first = reader.first.map(|first| first.min(sequence));
        }
    }

    pub fn begin_all(&mut self) {
        for index in 0..self.readers.len() {
            self.begin(index);
        }
    }

    /// Finds the first group of a reader, once something is there and the track says where it
    /// begins.
    pub fn begin(&mut self, index: usize) {
        self.readers[index].first = self.first_of(index);
    }

    /// The first group of a reader, as far as that is clear.
    pub fn first_of(&self, index: usize) -> Option<u64> {
        let reader = &self.readers[index];
        if reader.first.is_some() {
            return reader.first;
        }
        let lowest = reader.lowest?;
        let start = match self.start {
            Some(start) => start,
            None if self.end.is_some() => lowest,
            None => return None,
        };
        let first = self.first_alive(start.max(reader.range().0));
        Some(first.min(lowest))
    }

    /// How long a reader waits for what may still come.
    pub fn patience(&self, index: usize) -> Duration {
        let patience = self.readers[index].wants.patience;
        patience.unwrap_or_else(|| self.max_age())
    }

    /// The group and the frame that would come next for a reader in sequence.
    pub fn position(&self, index: usize) -> Option<(u64, usize)> {
        let reader = &self.readers[index];
        let frame = reader.place.current.map_or(0, |(_, frame)| frame);
        let group = reader.place.next.or(reader.first)?;
        Some((group, frame))
    }
}
