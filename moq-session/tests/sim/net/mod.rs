//! A network in one process: connections with delay and windows, over links that have faults.
//!
//! Whatever travels is an event with a time. One task hands the events out in the order of their
//! times; everything else is plain state behind one lock.

mod call;
mod connection;
mod control;
mod event;
mod fault;
mod pipe;
mod state;
mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::log::Log;
use crate::rng::Rng;

pub use call::{Mode, Planned};
pub use connection::SimConnection;
pub use fault::{Fault, Kind as FaultKind};
pub use state::LinkPlan;
use state::State;
pub use stream::{SimRecv, SimSend};

/// Silence after which a connection is given up, in virtual milliseconds.
pub const IDLE: u64 = 10_000;

/// The network; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Net {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

impl Net {
    pub fn new(links: &[LinkPlan], rng: Rng, log: Log) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(links, rng, log)),
                changed: Notify::new(),
            }),
        }
    }

    fn lock(&self) -> Locked<'_> {
        Locked {
            state: self
                .shared
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            changed: &self.shared.changed,
        }
    }

    /// Hands out what is due, for ever.
    pub async fn run(self) {
        loop {
            let due = {
                let mut state = self.lock();
                state.apply_due();
                state.next_due()
            };
            let changed = self.shared.changed.notified();
            match due {
                Some(due) => tokio::select! {
                    biased;
                    () = sleep_until(due) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// Notes something in the log of the run.
    pub fn note(&self, kind: crate::log::Kind, values: [u64; 4], text: impl FnOnce() -> String) {
        self.lock().log.event(kind, values, text);
    }

    /// Virtual milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.lock().log.now()
    }

    /// What happened so far, as one number, and how much it was.
    pub fn hash(&self) -> (u64, u64) {
        let state = self.lock();
        (state.log.hash(), state.log.events())
    }

    /// Halves of streams that have not ended, by link.
    pub fn open_streams(&self) -> Vec<usize> {
        self.lock().open_streams()
    }

    /// Calls of the transport so far.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// How often each kind of fault has acted.
    pub fn acted(&self) -> Vec<(FaultKind, u64)> {
        self.lock().acted()
    }
}

/// The state, and whom to tell when there is more to hand out.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    changed: &'a Notify,
}

impl std::ops::Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if std::mem::take(&mut self.state.has_news) {
            self.changed.notify_one();
        }
    }
}

/// Tasks that wait for one thing.
#[derive(Debug, Default)]
struct Wakers(Vec<Waker>);

impl Wakers {
    fn add(&mut self, cx: &Context<'_>) {
        if !self.0.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.0.push(cx.waker().clone());
        }
    }

    fn wake(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
