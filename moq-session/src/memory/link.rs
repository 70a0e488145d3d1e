//! What both ends of a memory pair share: who waits for what, and how it ended.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use slab::Slab;

use super::handle::Handle;
use super::pipe::{MemoryRecv, MemorySend, Pipe, WINDOW};
use super::wakers::Wakers;
use crate::transport::{End, TransportError, TransportStats};

/// Streams of a kind that one end may have open at first.
const CREDIT: usize = 128;
/// Datagrams that wait to be read; further ones are lost.
const MAX_DATAGRAMS: usize = 1_024;

/// Never locked together with a stream.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ending: Option<Ending>,
    sides: [Side; 2],
    /// What each side measures.
    stats: [TransportStats; 2],
    /// How many handles there ever were.
    handles: u64,
    /// All streams, to tell them the end.
    pipes: Slab<Weak<Pipe>>,
    /// Who waits for the end.
    watching: Wakers,
}

/// What an end may take, and open.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) uni: Queue<MemoryRecv>,
    pub(super) bi: Queue<(MemorySend, MemoryRecv)>,
    pub(super) datagrams: Queue<Bytes>,
    /// For streams that it opens.
    pub(super) uni_credit: Purse,
    pub(super) bi_credit: Purse,
    /// Streams and datagrams of the other end that came, and its answers to pings.
    heard: u64,
    /// It answers no pings for now.
    is_silent: bool,
    /// It has a ping to answer once it does.
    is_pinged: bool,
    /// Bytes in flight on a stream on which it sends.
    window: Window,
}

/// As many bytes as may be in flight on one stream.
#[derive(Debug)]
struct Window(usize);

impl Default for Window {
    fn default() -> Self {
        Self(WINDOW)
    }
}

/// How many streams of a kind an end may open.
#[derive(Debug)]
pub(super) struct Purse {
    open: usize,
    allowed: usize,
    opening: Wakers,
}

/// Closes the connection when an end is gone.
#[derive(Debug)]
pub(super) struct LinkEnd {
    link: Arc<Link>,
    side: usize,
}

/// What waits to be taken, and who waits for more.
#[derive(Debug)]
pub(super) struct Queue<T> {
    items: VecDeque<T>,
    taking: Wakers,
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// Without a word.
    Lost,
    /// By one side, with a code and a reason.
    Closed(usize, u32, Arc<str>),
}

/// Given back when the stream is done with that it was taken for.
#[derive(Debug)]
pub(super) struct Credit {
    link: Weak<Link>,
    side: usize,
    purse: Choice,
}

/// Finds the credit of a kind.
type Choice = fn(&mut Side) -> &mut Purse;

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was queued for a side.
    pub(super) fn poll_take<T>(
        &self,
        handle: &Handle,
        cx: &Context<'_>,
        queue: impl FnOnce(&mut Side) -> &mut Queue<T>,
    ) -> Poll<Result<T, TransportError>> {
        let mut state = self.lock();
        if let Some(ending) = &state.ending {
            return Poll::Ready(Err(ending.seen_by(handle.side)));
        }
        let queue = queue(&mut state.sides[handle.side]);
        match queue.items.pop_front() {
            Some(item) => Poll::Ready(Ok(item)),
            None => {
                queue.taking.add(handle.id, cx);
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_open_uni(
        self: &Arc<Self>,
        handle: &Handle,
        cx: &Context<'_>,
    ) -> Poll<Result<MemorySend, TransportError>> {
        let (side, purse): (_, Choice) = (handle.side, |side| &mut side.uni_credit);
        let opened = self.poll_open(handle, purse, cx, |state, credit| {
            let (send, recv) = self.pipe(state, side, Some(credit));
            state.sides[1 - side].heard += 1;
            (send, state.sides[1 - side].uni.push(recv))
        });
        opened.map_ok(|(send, taking)| {
            taking.wake();
            send
        })
    }

    pub(super) fn poll_open_bi(
        self: &Arc<Self>,
        handle: &Handle,
        cx: &Context<'_>,
    ) -> Poll<Result<(MemorySend, MemoryRecv), TransportError>> {
        let (side, purse): (_, Choice) = (handle.side, |side| &mut side.bi_credit);
        let opened = self.poll_open(handle, purse, cx, |state, credit| {
            let (send, theirs) = self.pipe(state, side, Some(credit));
            let (answer, recv) = self.pipe(state, 1 - side, None);
            state.sides[1 - side].heard += 1;
            let taking = state.sides[1 - side].bi.push((answer, theirs));
            ((send, recv), taking)
        });
        opened.map_ok(|(streams, taking)| {
            taking.wake();
            streams
        })
    }

    /// Opens what `open` makes, as soon as there is credit for it.
    fn poll_open<R>(
        self: &Arc<Self>,
        handle: &Handle,
        purse: Choice,
        cx: &Context<'_>,
        open: impl FnOnce(&mut State, Credit) -> R,
    ) -> Poll<Result<R, TransportError>> {
        let side = handle.side;
        let mut state = self.lock();
        if let Some(ending) = &state.ending {
            return Poll::Ready(Err(ending.seen_by(side)));
        }
        let credit = purse(&mut state.sides[side]);
        if credit.open >= credit.allowed {
            credit.opening.add(handle.id, cx);
            return Poll::Pending;
        }
        credit.open += 1;
        let link = Arc::downgrade(self);
        Poll::Ready(Ok(open(&mut state, Credit { link, side, purse })))
    }

    /// Both halves of one direction of a stream, on which `side` sends.
    fn pipe(
        self: &Arc<Self>,
        state: &mut State,
        side: usize,
        credit: Option<Credit>,
    ) -> (MemorySend, MemoryRecv) {
        let (link, window) = (Arc::downgrade(self), state.sides[side].window.0);
        let entry = state.pipes.vacant_entry();
        let pipe = Arc::new(Pipe::new(link, entry.key(), side, window, credit));
        entry.insert(Arc::downgrade(&pipe));
        (MemorySend(pipe.clone()), MemoryRecv(pipe))
    }

    /// Lets go of a stream of which neither half is left.
    pub(super) fn forget(&self, pipe: usize) {
        self.lock().pipes.try_remove(pipe);
    }

    pub(super) fn send_datagram(&self, to: usize, payload: Bytes) {
        let mut state = self.lock();
        if state.ending.is_some() {
            return;
        }
        state.sides[to].heard += 1;
        let queue = &mut state.sides[to].datagrams;
        if queue.items.len() >= MAX_DATAGRAMS {
            return;
        }
        let taking = queue.push(payload);
        drop(state);
        taking.wake();
    }

    pub(super) fn allow(&self, side: usize, purse: Choice, count: usize) {
        let mut state = self.lock();
        let purse = purse(&mut state.sides[side]);
        purse.allowed = count;
        let opening = mem::take(&mut purse.opening);
        drop(state);
        opening.wake();
    }

    /// Sets how many bytes may be in flight on each stream that is opened from now on, from this side.
    pub(super) fn allow_bytes(&self, side: usize, count: usize) {
        self.lock().sides[side].window = Window(count);
    }

    pub(super) fn stats(&self, side: usize) -> TransportStats {
        self.lock().stats[side]
    }

    pub(super) fn measure(&self, side: usize, stats: TransportStats) {
        self.lock().stats[side] = stats;
    }

    pub(super) fn heard(&self, side: usize) -> u64 {
        self.lock().sides[side].heard
    }

    /// Has the other side answer, if it does.
    pub(super) fn ping(&self, side: usize) {
        let mut state = self.lock();
        state.sides[1 - side].is_pinged = true;
        state.answer(1 - side);
    }

    pub(super) fn set_silent(&self, side: usize, is_silent: bool) {
        let mut state = self.lock();
        state.sides[side].is_silent = is_silent;
        state.answer(side);
    }

    /// The number of a further handle.
    pub(super) fn new_handle(&self) -> u64 {
        let mut state = self.lock();
        state.handles += 1;
        state.handles
    }

    /// Forgets who waits by a handle.
    pub(super) fn drop_handle(&self, side: usize, handle: u64) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let side = &mut state.sides[side];
        let waiting = [
            &mut side.uni.taking,
            &mut side.bi.taking,
            &mut side.datagrams.taking,
            &mut side.uni_credit.opening,
            &mut side.bi_credit.opening,
            &mut state.watching,
        ];
        let forgotten = waiting.map(|wakers| wakers.remove(handle));
        drop(guard);
        drop(forgotten);
    }

    pub(super) fn close(&self, side: usize, code: u32, reason: &str) {
        self.end(Ending::Closed(side, code, reason.into()));
    }

    pub(super) fn lose(&self) {
        self.end(Ending::Lost);
    }

    /// Ends the connection, unless it has ended, and tells everybody who waits for anything.
    fn end(&self, ending: Ending) {
        let mut state = self.lock();
        if state.ending.is_some() {
            return;
        }
        state.ending = Some(ending.clone());
        let sides = mem::take(&mut state.sides);
        let watching = mem::take(&mut state.watching);
        let pipes = state.pipes.iter().map(|(_, pipe)| pipe.clone());
        let pipes: Vec<_> = pipes.collect();
        drop(state);
        watching.wake();
        for pipe in pipes.iter().filter_map(Weak::upgrade) {
            pipe.end(&ending);
        }
        for side in sides {
            side.uni.taking.wake();
            side.bi.taking.wake();
            side.datagrams.taking.wake();
            side.uni_credit.opening.wake();
            side.bi_credit.opening.wake();
        }
    }

    pub(super) fn poll_ended(&self, handle: &Handle, cx: &Context<'_>) -> Poll<TransportError> {
        let mut state = self.lock();
        match &state.ending {
            Some(ending) => Poll::Ready(ending.seen_by(handle.side)),
            None => {
                state.watching.add(handle.id, cx);
                Poll::Pending
            }
        }
    }
}

impl State {
    /// Has a side answer a ping, unless it is silent.
    fn answer(&mut self, side: usize) {
        let from = &mut self.sides[side];
        if from.is_pinged && !from.is_silent {
            from.is_pinged = false;
            self.sides[1 - side].heard += 1;
        }
    }
}

impl Ending {
    pub(super) fn seen_by(&self, side: usize) -> TransportError {
        match self {
            Self::Lost => TransportError::TimedOut,
            Self::Closed(by, code, reason) => TransportError::Closed {
                by: if *by == side { End::Local } else { End::Peer },
                code: *code,
                reason: (**reason).to_owned(),
            },
        }
    }
}

impl<T> Queue<T> {
    /// Adds one; the caller wakes who waits for it, without the lock.
    fn push(&mut self, item: T) -> Wakers {
        self.items.push_back(item);
        mem::take(&mut self.taking)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            taking: Wakers::default(),
        }
    }
}

impl LinkEnd {
    pub(super) fn new(link: Arc<Link>, side: usize) -> Self {
        Self { link, side }
    }
}

impl Drop for LinkEnd {
    fn drop(&mut self) {
        self.link.close(self.side, 0, "dropped");
    }
}

impl Default for Purse {
    fn default() -> Self {
        Self {
            open: 0,
            allowed: CREDIT,
            opening: Wakers::default(),
        }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        let Some(link) = self.link.upgrade() else {
            return;
        };
        let mut state = link.lock();
        let purse = (self.purse)(&mut state.sides[self.side]);
        // An ended connection has forgotten what was open.
        purse.open = purse.open.saturating_sub(1);
        let opening = mem::take(&mut purse.opening);
        drop(state);
        opening.wake();
    }
}
