//! The connections of a server that may still be open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::{direct, reference};

/// The connections that were accepted and may still be open.
#[derive(Default)]
pub(crate) struct Live(Mutex<Links>);

#[derive(Default)]
struct Links {
    links: BTreeMap<u64, LiveLink>,
    /// How many there ever were.
    added: u64,
}

/// A connection of either engine, if it still is.
pub(crate) enum LiveLink {
    Direct(Weak<direct::Link>),
    Reference(Weak<reference::Link>),
}

/// A connection's place among those of its server, which it gives up with its drop.
pub(crate) struct Place {
    live: Arc<Live>,
    number: u64,
}

impl Live {
    /// Remembers a connection for as long as it keeps the place.
    pub(crate) fn add(self: &Arc<Self>, link: LiveLink) -> Place {
        let mut live = self.lock();
        let number = live.added;
        live.added += 1;
        live.links.insert(number, link);
        Place {
            live: self.clone(),
            number,
        }
    }

    /// Closes all of them, with a session close code.
    pub(crate) fn close(&self, code: u32, reason: &str) {
        let links = std::mem::take(&mut self.lock().links);
        for link in links.values() {
            link.close(code, reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Links> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.live.lock().links.remove(&self.number);
    }
}

impl LiveLink {
    fn close(&self, code: u32, reason: &str) {
        match self {
            Self::Direct(link) => {
                if let Some(link) = link.upgrade() {
                    link.close(code, reason);
                }
            }
            Self::Reference(link) => {
                if let Some(link) = link.upgrade() {
                    link.close(code, reason);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_given_up_keeps_nothing() {
        let live = Arc::new(Live::default());
        let first = live.add(LiveLink::Direct(Weak::new()));
        let second = live.add(LiveLink::Direct(Weak::new()));
        drop(first);
        let numbers: Vec<_> = live.lock().links.keys().copied().collect();
        assert_eq!(numbers, [1]);
        live.close(0, "");
        drop(second);
        assert!(live.lock().links.is_empty());
    }
}
