//! Deadlines of many connections.

use std::collections::BTreeSet;
use std::time::Instant;

/// The deadlines of connections, by key. One that moves on is left where it is until it is the
/// next, since most do so with every packet and few ever pass.
#[derive(Default)]
pub(super) struct Timers {
    queue: BTreeSet<(Instant, usize)>,
    /// By key: what the queue has.
    set: Vec<Option<Instant>>,
}

impl Timers {
    /// Has [`Self::pop`] give a key at the latest when its deadline has passed.
    pub(super) fn set(&mut self, key: usize, at: Instant) {
        if self.set.len() <= key {
            self.set.resize(key + 1, None);
        }
        if self.set[key].is_none_or(|set| at < set) {
            self.forget(key);
            self.set[key] = Some(at);
            self.queue.insert((at, key));
        }
    }

    /// Takes back a key.
    pub(super) fn forget(&mut self, key: usize) {
        if let Some(at) = self.set.get_mut(key).and_then(Option::take) {
            self.queue.remove(&(at, key));
        }
    }

    /// A key whose deadline seems to have passed.
    pub(super) fn pop(&mut self, now: Instant) -> Option<usize> {
        let &(at, key) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.forget(key);
        Some(key)
    }

    /// The next deadline, where `actual` tells what has become of a key's.
    pub(super) fn next(
        &mut self,
        mut actual: impl FnMut(usize) -> Option<Instant>,
    ) -> Option<Instant> {
        loop {
            let &(at, key) = self.queue.first()?;
            let actual = actual(key);
            if actual.is_some_and(|actual| actual <= at) {
                return Some(at);
            }
            self.forget(key);
            if let Some(actual) = actual {
                self.set(key, actual);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_comes_once_at_its_earliest_deadline() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(3, at(30));
        timers.set(3, at(10));
        timers.set(3, at(20));
        timers.set(1, at(15));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(12)), Some(3));
        assert_eq!(timers.pop(at(40)), Some(1));
        assert_eq!(timers.pop(at(40)), None);
    }

    #[test]
    fn a_forgotten_key_does_not_come() {
        let start = Instant::now();
        let mut timers = Timers::default();
        timers.set(0, start);
        timers.forget(0);
        assert_eq!(timers.pop(start), None);
        assert_eq!(timers.next(|_| Some(start)), None);
    }

    #[test]
    fn the_next_deadline_is_an_actual_one() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(0, at(10));
        timers.set(1, at(20));
        timers.set(2, at(30));
        let actual = |key: usize| [Some(at(40)), None, Some(at(30))][key];
        assert_eq!(timers.next(actual), Some(at(30)));
        assert_eq!(timers.pop(at(30)), Some(2));
        assert_eq!(timers.pop(at(39)), None);
        assert_eq!(timers.pop(at(40)), Some(0));
    }
}
