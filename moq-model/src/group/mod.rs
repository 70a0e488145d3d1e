//! Append-only runs of frames.

mod consumer;
mod producer;

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use slab::Slab;

pub use consumer::{GroupConsumer, GroupRead};
pub use producer::GroupProducer;

use crate::budget::Charge;
use crate::clock::{self, Instant};
use crate::error::{Abort, GroupEnd, WriteError};
use crate::frame::Frame;
use crate::state::{Waiter, lock};

/// Payload bytes a group may have.
pub(crate) const MAX_BYTES: u64 = 32 << 20;
/// Frames a group may have.
pub(crate) const MAX_FRAMES: usize = 8_192;

/// One group, shared by its producer, its track and its readers.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) begun: Instant,
    state: Mutex<GroupState>,
}

/// Where a group comes from, and what it is to become.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Part of the live track.
    Live,
    /// The same, of exactly one frame, and best sent as a datagram.
    Datagram,
    /// Asked for by sequence, for those who asked only.
    Fetched(Fetched),
}

/// What a fetched group has of its own.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The number of the first frame that it holds.
    pub(crate) first: u64,
    /// The number of the first frame that it was not asked for.
    pub(crate) until: Option<u64>,
    pub(crate) charge: Charge,
}

#[derive(Debug, Default)]
struct GroupState {
    /// Empty once the group was dropped.
    frames: Vec<Frame>,
    /// How many frames were ever appended.
    appended: usize,
    bytes: u64,
    /// How the producer ended it.
    end: Option<GroupEnd>,
    /// Why its frames are gone.
    dropped: Option<GroupEnd>,
    readers: Slab<Slot>,
    /// The producing side, where it waits for the last reader to go.
    producer: Waiter,
}

impl GroupState {
    /// Makes a place for a reader.
    fn attach(&mut self) -> usize {
        if self.readers.is_empty() {
            self.readers.reserve_exact(1);
        }
        self.readers.insert(Slot::default())
    }
}

/// A reader's place in a group.
#[derive(Debug, Default)]
struct Slot {
    waiter: Waiter,
    /// Not woken by further frames: it has not taken the last ones yet.
    is_blocked: bool,
    /// Set when the reader's own limit makes the group too old for it.
    cut: Option<GroupEnd>,
}

impl Group {
    pub(crate) fn new(sequence: u64, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            sequence,
            kind,
            begun: clock::now(),
            state: Mutex::default(),
        })
    }

    /// The number of the first frame that it holds.
    pub(crate) fn first(&self) -> u64 {
        match &self.kind {
            Kind::Fetched(fetched) => fetched.first,
            Kind::Live | Kind::Datagram => 0,
        }
    }

    /// Appends a frame; says whether it is the first.
    pub(crate) fn push(&self, frame: Frame) -> Result<bool, WriteError> {
        let mut state = lock(&self.state);
        if state.dropped.is_some() {
            return Err(WriteError::Dropped);
        }
        if state.end.is_some() {
            return Err(WriteError::Closed);
        }
        let bytes = state.bytes + frame.payload.len() as u64;
        if bytes > MAX_BYTES || state.appended >= MAX_FRAMES {
            return Err(WriteError::GroupTooLarge);
        }
        state.bytes = bytes;
        state.appended += 1;
        // Many groups have one frame, and many one reader.
        if state.frames.is_empty() {
            state.frames.reserve_exact(1);
        }
        state.frames.push(frame);
        for (_, slot) in &mut state.readers {
            if !slot.is_blocked {
                slot.waiter.wake();
            }
        }
        Ok(state.appended == 1)
    }

    /// Ends the group unless it has ended; says whether it ended without a frame.
    pub(crate) fn end(&self, end: GroupEnd) -> bool {
        let mut state = lock(&self.state);
        if state.end.is_none() {
            state.end = Some(end);
            if !cfg!(sim_mutant = "skip_wake") {
                wake_all(&mut state);
            }
        }
        state.appended == 0
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.state).end.is_some()
    }

    /// Lets go of the frames: whoever has not read them gets `why` for an end.
    pub(crate) fn discard(&self, why: GroupEnd) {
        let mut state = lock(&self.state);
        state.dropped = Some(why);
        state.frames = Vec::new();
        wake_all(&mut state);
    }

    pub(crate) fn attach(&self) -> usize {
        lock(&self.state).attach()
    }

    /// As [`Self::attach`], unless the group is known not to be complete.
    pub(crate) fn attach_if_whole(&self) -> Option<usize> {
        let mut state = lock(&self.state);
        let is_whole = state.end.is_none_or(|end| end == GroupEnd::Finished);
        let is_whole = is_whole && state.dropped.is_none();
        is_whole.then(|| state.attach())
    }

    /// Ready once nobody reads the group, which is given up then, or it has ended.
    pub(crate) fn poll_unused(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.readers.is_empty() {
            state.end.get_or_insert(GroupEnd::Aborted(Abort::Cancelled));
        }
        if state.end.is_some() {
            return Poll::Ready(());
        }
        state.producer.register(cx);
        Poll::Pending
    }

    /// Ends the group for one reader only.
    pub(crate) fn cut(&self, slot: usize, why: GroupEnd) {
        if let Some(slot) = lock(&self.state).readers.get_mut(slot) {
            slot.cut = Some(why);
            slot.waiter.wake();
        }
    }
}

fn wake_all(state: &mut GroupState) {
    for (_, slot) in &mut state.readers {
        slot.waiter.wake();
    }
}
