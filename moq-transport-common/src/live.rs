//! The connections of a server that may still be open.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The connections of a server that were accepted and may still be open.
#[derive(Default)]
pub struct Live(Mutex<Links>);

#[derive(Default)]
struct Links {
    links: BTreeMap<u64, Weak<dyn Closable>>,
    /// How many there ever were.
    added: u64,
}

/// A connection that its server can close.
pub trait Closable: Send + Sync {
    /// Closes the connection with a session close code.
    fn close(&self, code: u32, reason: &str);
}

/// A connection's place among those of its server, which it gives up with its drop.
pub struct Place {
    live: Arc<Live>,
    number: u64,
}

impl Live {
    /// Remembers a connection for as long as it keeps the place.
    #[must_use]
    pub fn add(self: &Arc<Self>, link: Weak<dyn Closable>) -> Place {
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
    pub fn close(&self, code: u32, reason: &str) {
        let links = std::mem::take(&mut self.lock().links);
        for link in links.values().filter_map(Weak::upgrade) {
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

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("count", &self.lock().links.len())
            .finish()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.number).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Link(Mutex<Vec<(u32, String)>>);

    impl Closable for Link {
        fn close(&self, code: u32, reason: &str) {
            self.0.lock().unwrap().push((code, reason.to_owned()));
        }
    }

    #[test]
    fn a_place_that_was_given_up_keeps_nothing() {
        let live = Arc::new(Live::default());
        let links = [Arc::new(Link::default()), Arc::new(Link::default())];
        let [first, second] = links.each_ref().map(|link| {
            let link: Arc<dyn Closable> = link.clone();
            live.add(Arc::downgrade(&link))
        });
        drop(first);
        live.close(7, "over");
        assert!(links[0].0.lock().unwrap().is_empty());
        assert_eq!(*links[1].0.lock().unwrap(), [(7, "over".to_owned())]);
        drop(second);
        assert!(live.lock().links.is_empty());
    }
}
