//! What happened in a run: a hash over everything, and on request the text.

use std::fmt;

use tokio::time::Instant;

use crate::rng;

#[derive(Debug)]
pub struct Log {
    start: Instant,
    hash: u64,
    events: u64,
    is_verbose: bool,
}

impl Log {
    pub fn new(is_verbose: bool) -> Self {
        Self {
            start: Instant::now(),
            hash: 0,
            events: 0,
            is_verbose,
        }
    }

    /// Virtual milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    pub fn start(&self) -> Instant {
        self.start
    }

    /// Notes an event; `text` is only asked for when somebody reads along.
    pub fn event(&mut self, kind: Kind, values: [u64; 4], text: impl FnOnce() -> String) {
        let [a, b, c, d] = values;
        self.hash = rng::hash(&[self.hash, self.now(), kind as u64, a, b, c, d]);
        self.events += 1;
        if self.is_verbose {
            println!("{:>7} ms  {kind:<9} {}", self.now(), text());
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn events(&self) -> u64 {
        self.events
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Wire,
    Ended,
    Fault,
    Node,
    Publish,
    Read,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wire => "wire",
            Self::Ended => "ended",
            Self::Fault => "fault",
            Self::Node => "node",
            Self::Publish => "publish",
            Self::Read => "read",
        })
    }
}
