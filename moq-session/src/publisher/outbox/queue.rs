//! Who of a session gets the next stream: plain data.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How much a stream is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) priority: u8,
    /// Only older groups wait; the newest has its stream.
    pub(super) is_older: bool,
}

/// A place in the queue; the lowest is the first one.
///
/// Higher priority goes first, then whoever has a newest group waiting, then whoever waits for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    priority: Reverse<u8>,
    is_older: bool,
    turn: u64,
}

impl Place {
    pub(super) fn wish(self) -> Wish {
        Wish {
            priority: self.priority.0,
            is_older: self.is_older,
        }
    }
}

/// All that want a stream, each with a name `W` to tell it by.
#[derive(Debug)]
pub(super) struct Queue<W> {
    waiting: BTreeMap<Place, W>,
    turns: u64,
}

impl<W> Queue<W> {
    pub(super) fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            turns: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn enter(&mut self, wish: Wish, name: W) -> Place {
        self.turns += 1;
        let place = Place {
            priority: Reverse(wish.priority),
            is_older: wish.is_older,
            turn: self.turns,
        };
        self.waiting.insert(place, name);
        place
    }

    pub(super) fn leave(&mut self, place: Place) {
        self.waiting.remove(&place);
    }

    pub(super) fn name_mut(&mut self, place: Place) -> Option<&mut W> {
        self.waiting.get_mut(&place)
    }

    pub(super) fn is_first(&self, place: Place) -> bool {
        let first = self.waiting.first_key_value();
        first.is_some_and(|(first, _)| *first == place)
    }

    pub(super) fn first(&self) -> Option<&W> {
        self.waiting.first_key_value().map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(priority: u8, is_older: bool) -> Wish {
        Wish { priority, is_older }
    }

    #[test]
    fn the_best_of_all_goes_first_whoever_came_first() {
        let mut queue = Queue::new();
        let mut places = Vec::new();
        for (name, priority, is_older) in [
            ("low", 1, false),
            ("old", 7, true),
            ("new", 7, false),
            ("newer", 7, false),
            ("high", 9, true),
        ] {
            places.push(queue.enter(wish(priority, is_older), name));
        }
        let mut order = Vec::new();
        while let Some(&first) = queue.first() {
            order.push(first);
            let place = places.iter().find(|&&place| queue.is_first(place));
            queue.leave(*place.unwrap());
        }
        assert_eq!(order, ["high", "new", "newer", "old", "low"]);
        assert!(queue.is_empty());
    }

    #[test]
    fn equals_take_turns() {
        let mut queue = Queue::new();
        let mut places = ["a", "b", "c"].map(|name| queue.enter(wish(3, true), name));
        for turn in 0..7 {
            let at = turn % 3;
            assert!(queue.is_first(places[at]), "turn {turn}");
            queue.leave(places[at]);
            places[at] = queue.enter(places[at].wish(), "again");
        }
    }
}
