//! Bytes that have arrived and are of no use yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::PeerFault;
use crate::limits::Limit;

/// Bytes of frames and messages on their way, by all streams of a session.
#[derive(Debug)]
pub(crate) struct Buffered {
    used: AtomicU64,
    /// Bytes of messages among them.
    messages: AtomicU64,
    limit: u64,
}

impl Buffered {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            limit,
        }
    }

    /// Holds nothing so far; what it comes to hold is given back with it.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            all: self,
            bytes: 0,
        }
    }

    /// Messages may have a sixteenth, so that frames always have room.
    fn for_messages(&self) -> u64 {
        self.limit / 16
    }
}

/// The bytes of one frame on its way.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    all: &'a Buffered,
    bytes: u64,
}

impl Held<'_> {
    /// Takes more bytes.
    ///
    /// # Errors
    /// [`PeerFault::Exceeded`] where that is too much, together with all others.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), PeerFault> {
        let bytes = bytes as u64;
        self.bytes += bytes;
        let used = self.all.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        within(used, self.all.limit)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of one message on its way.
#[derive(Debug)]
pub(crate) struct Partial {
    all: Arc<Buffered>,
    bytes: u64,
}

impl Partial {
    pub(crate) fn new(all: &Arc<Buffered>) -> Self {
        Self {
            all: all.clone(),
            bytes: 0,
        }
    }

    /// Says how many bytes there are now.
    ///
    /// # Errors
    /// [`PeerFault::Exceeded`] where there are more than before, and that is too much, together with
    /// all others.
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), PeerFault> {
        let (bytes, before) = (bytes as u64, self.bytes);
        self.bytes = bytes;
        if bytes <= before {
            self.give_back(before - bytes);
            return Ok(());
        }
        let more = bytes - before;
        let messages = self.all.messages.fetch_add(more, Ordering::Relaxed) + more;
        let used = self.all.used.fetch_add(more, Ordering::Relaxed) + more;
        within(messages, self.all.for_messages())?;
        within(used, self.all.limit)
    }

    /// Says that there are none.
    pub(crate) fn clear(&mut self) {
        if self.bytes > 0 {
            self.give_back(self.bytes);
            self.bytes = 0;
        }
    }

    fn give_back(&self, bytes: u64) {
        self.all.messages.fetch_sub(bytes, Ordering::Relaxed);
        self.all.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

fn within(used: u64, allowed: u64) -> Result<(), PeerFault> {
    if used <= allowed {
        return Ok(());
    }
    Err(PeerFault::Exceeded {
        limit: Limit::Buffered,
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_on_their_way_share_what_is_allowed() {
        let all = Buffered::new(10);
        let (mut one, mut other) = (all.hold(), all.hold());
        assert!(one.grow(9).is_ok());
        assert!(other.grow(1).is_ok());
        assert!(other.grow(1).is_err());
        assert!(other.grow(1_000).is_err(), "a flood is given back with it");
        drop(other);
        assert!(one.grow(1).is_ok());
        assert!(one.grow(1).is_err());
    }

    #[test]
    fn messages_on_their_way_have_a_sixteenth() {
        let all = Arc::new(Buffered::new(160));
        let (mut one, mut other) = (Partial::new(&all), Partial::new(&all));
        assert!(one.set(9).is_ok());
        assert!(other.set(1).is_ok());
        assert!(other.set(2).is_err());
        assert!(other.set(1_000).is_err());
        assert!(other.set(1).is_ok(), "less than before is never too much");
        drop(one);
        assert!(other.set(10).is_ok());
        let mut frame = all.hold();
        assert!(frame.grow(150).is_ok());
        assert!(frame.grow(1).is_err(), "they share what is allowed");
    }
}
