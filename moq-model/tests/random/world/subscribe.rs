//! Readers that come, change their mind and go.

use moq_model::{Start, Subscription};

use super::waiter::Waiter;
use super::{AnyReader, Home, Outcome, ReaderSlot, World, pick};
use crate::reference::Order;

impl World {
    pub(super) fn subscribe(&mut self, [a, b, c, d]: [u64; 4]) -> Outcome {
        let Some(index) = self.consumed(a) else {
            return Ok(());
        };
        let readers = self.readers.iter().filter(|slot| slot.track == index);
        if readers.count() >= self.setting.readers {
            return Ok(());
        }
        let near = self.track(index).next_sequence();
        let wants = self.setting.subscription([b, c], near);
        let order = [
            Order::Newest,
            Order::Aside,
            Order::Sequence,
            Order::Sequence,
            Order::Latest,
        ];
        self.subscribe_to(index, order[d as usize % 5], wants)
    }

    fn subscribe_to(&mut self, mut index: usize, order: Order, wants: Subscription) -> Outcome {
        let consumer = self.tracks[index].consumer.clone().unwrap();
        let reader = consumer.subscribe(wants);
        if self.track(index).is_unused {
            let (home, name) = (self.track(index).feeder, self.track(index).name.clone());
            index = self.asked(home, &name, &reader.track())?;
        }
        let number = self.track_mut(index).subscribe(order, wants);
        self.note(|| format!("track {index} reader {number} {order:?} {wants:?}"));
        self.readers.push(ReaderSlot {
            track: index,
            reader: number,
            any: match order {
                Order::Newest => AnyReader::Newest(reader),
                Order::Aside => AnyReader::Aside(Box::new(reader)),
                Order::Sequence => AnyReader::Ordered(Box::new(reader.ordered())),
                Order::Latest => AnyReader::Latest(reader.latest()),
            },
            wants,
            waiter: Waiter::default(),
            is_over: false,
            at: None,
        });
        Ok(())
    }

    /// A reader in sequence whose track was aborted goes on in a new one.
    pub(super) fn resume(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let can_resume = |&at: &usize| {
            let slot = &self.readers[at];
            matches!(slot.any, AnyReader::Ordered(_)) && self.track(slot.track).aborted().is_some()
        };
        let all: Vec<_> = (0..self.readers.len()).filter(can_resume).collect();
        let Some(at) = pick(a, all.len()).map(|at| all[at]) else {
            return Ok(());
        };
        let slot = &self.readers[at];
        let AnyReader::Ordered(reader) = &slot.any else {
            return Ok(());
        };
        let position = reader.position();
        let track = self.track(slot.track);
        let (home, name, wants) = (track.feeder, track.name.clone(), slot.wants);
        let Home::Fed { broadcast, .. } = self.home_of(slot.track) else {
            return Ok(());
        };
        let consumer = broadcast.track(&name).map_err(|error| error.to_string())?;
        let index = self.asked(home, &name, &consumer)?;
        let (next, _) = position.unwrap_or_default();
        let wants = wants.with_start(Start::Floor(next));
        self.note(|| format!("track {index} is where reader {at} goes on"));
        self.subscribe_to(index, Order::Sequence, wants)?;
        self.drop_reader_at(at);
        self.set_start([u64::MAX - u64::MAX % 2, b, 0, 0])
    }

    pub(super) fn update(&mut self, [a, b, c, _]: [u64; 4]) -> Outcome {
        let is_newest = |order| matches!(order, Order::Newest | Order::Aside);
        let newest = |&at: &usize| is_newest(self.readers[at].order());
        let all: Vec<_> = (0..self.readers.len()).filter(newest).collect();
        let Some(at) = pick(a, all.len()).map(|at| all[at]) else {
            return Ok(());
        };
        let (track, number) = (self.readers[at].track, self.readers[at].reader);
        let near = self.track(track).next_sequence();
        let mut wants = self.setting.subscription([b, c], near);
        if c % 3 == 0 {
            wants.start = self.readers[at].wants.start;
        }
        self.note(|| format!("track {track} reader {number} update {wants:?}"));
        self.readers[at].wants = wants;
        match &mut self.readers[at].any {
            AnyReader::Newest(reader) => reader.update(wants),
            AnyReader::Aside(reader) => reader.update(wants),
            AnyReader::Ordered(_) | AnyReader::Latest(_) => {}
        }
        self.track_mut(track).update(number, wants);
        Ok(())
    }

    pub(super) fn drop_reader(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.readers.len()) {
            self.drop_reader_at(at);
        }
        Ok(())
    }

    fn drop_reader_at(&mut self, at: usize) {
        let slot = self.readers.swap_remove(at);
        self.note(|| format!("track {} reader {} goes", slot.track, slot.reader));
        self.track_mut(slot.track).readers[slot.reader].is_gone = true;
    }

    pub(super) fn drop_consumer(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.consumers.len()) {
            let slot = self.consumers.swap_remove(at);
            self.note(|| format!("track {} cursor {} goes", slot.track, slot.cursor));
            drop(slot.consumer);
            self.track_mut(slot.track).drop_cursor(slot.cursor);
        }
        Ok(())
    }
}
