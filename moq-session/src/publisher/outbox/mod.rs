//! Streams for what a session serves: whoever is first in the queue gets the next one.

mod queue;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use moq_wire::code;

use super::stalled::Stalled;
use crate::error::StreamError;
use crate::transport::{SendStream, Transport};
use queue::{Place, Queue, Wish};

/// Where all subscriptions of a session get their streams.
///
/// While the peer's credit lasts, nobody waits in the queue. The transport is asked on behalf of
/// the first in the queue only, so that nobody else can take a stream from it.
pub(super) struct Outbox<T: Transport> {
    inner: Mutex<Inner<T>>,
    /// Wakes the first in the queue.
    credit: Arc<Credit>,
    waker: Waker,
    /// Group streams of the session that take nothing.
    stalled: Arc<AtomicUsize>,
}

struct Inner<T: Transport> {
    transport: T,
    queue: Queue<Waker>,
    /// A stream whose group went before it was taken.
    spare: Option<T::Send>,
}

/// The first in the queue, for the transport. It may call while it holds locks of its own.
struct Credit(AtomicWaker);

impl Wake for Credit {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}

impl<T: Transport> Outbox<T> {
    pub(super) fn new(transport: T) -> Arc<Self> {
        let credit = Arc::new(Credit(AtomicWaker::new()));
        let inner = Inner {
            transport,
            queue: Queue::new(),
            spare: None,
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            waker: credit.clone().into(),
            credit,
            stalled: Arc::default(),
        })
    }

    /// Where the group streams of one more subscription are counted that take nothing.
    pub(super) fn stalled(&self) -> Arc<Stalled> {
        Stalled::new(self.stalled.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_open(&self, inner: &mut Inner<T>) -> Poll<Result<T::Send, StreamError>> {
        if let Some(spare) = inner.spare.take() {
            return Poll::Ready(Ok(spare));
        }
        let mut cx = TaskContext::from_waker(&self.waker);
        let opened = inner.transport.poll_open_uni(&mut cx);
        opened.map_err(|_| StreamError::Transport)
    }
}

impl<T: Transport> Drop for Inner<T> {
    fn drop(&mut self) {
        if let Some(spare) = &mut self.spare {
            spare.reset(code::stream::CANCELLED);
        }
    }
}

/// One subscription's way to streams.
pub(super) struct Asking<T: Transport> {
    outbox: Arc<Outbox<T>>,
    /// Where it waits.
    place: Option<Place>,
    /// It took a stream, and whoever is first by now was not told.
    owes: bool,
}

impl<T: Transport> Asking<T> {
    pub(super) fn new(outbox: Arc<Outbox<T>>) -> Self {
        Self {
            outbox,
            place: None,
            owes: false,
        }
    }

    /// Waits for a stream. With `is_older`, whoever wants one for a newest group goes first.
    ///
    /// A caller that wants none any more calls [`Self::leave`].
    pub(super) fn poll_stream(
        &mut self,
        cx: &TaskContext<'_>,
        priority: u8,
        is_older: bool,
    ) -> Poll<Result<T::Send, StreamError>> {
        if self.place.is_none() {
            let mut inner = self.outbox.lock();
            if inner.queue.is_empty() {
                let opened = self.outbox.poll_open(&mut inner);
                if opened.is_ready() {
                    self.owes = false;
                    return opened;
                }
            }
        }
        self.poll_queued(cx, Wish { priority, is_older })
    }

    fn poll_queued(
        &mut self,
        cx: &TaskContext<'_>,
        wish: Wish,
    ) -> Poll<Result<T::Send, StreamError>> {
        let outbox = self.outbox.clone();
        let mut inner = outbox.lock();
        let place = self.take_place(&mut inner, cx, wish);
        if !inner.queue.is_first(place) {
            let first = self.owed(&inner);
            drop(inner);
            first.inspect(Waker::wake_by_ref);
            return Poll::Pending;
        }
        self.owes = false;
        // Before the transport is asked, which may call as soon as it has been.
        outbox.credit.0.register(cx.waker());
        let opened = outbox.poll_open(&mut inner);
        if opened.is_ready() {
            inner.queue.leave(place);
            self.place = None;
            self.owes = !inner.queue.is_empty();
        }
        opened
    }

    /// Its place in the queue, which it takes anew for another wish.
    fn take_place(&mut self, inner: &mut Inner<T>, cx: &TaskContext<'_>, wish: Wish) -> Place {
        if let Some(place) = self.place {
            if place.wish() == wish {
                if let Some(waker) = inner.queue.name_mut(place) {
                    waker.clone_from(cx.waker());
                }
                return place;
            }
            self.owes |= inner.queue.is_first(place);
            inner.queue.leave(place);
        }
        let place = inner.queue.enter(wish, cx.waker().clone());
        self.place = Some(place);
        place
    }

    /// Whom to tell that it is first.
    fn owed(&mut self, inner: &Inner<T>) -> Option<Waker> {
        let is_owed = std::mem::take(&mut self.owes);
        inner.queue.first().filter(|_| is_owed).cloned()
    }

    /// Gives a stream back that is not used.
    pub(super) fn give_back(&mut self, stream: T::Send) {
        self.owes = true;
        let before = self.outbox.lock().spare.replace(stream);
        if let Some(mut before) = before {
            before.reset(code::stream::CANCELLED);
        }
        self.leave();
    }

    /// Wants no stream any more.
    pub(super) fn leave(&mut self) {
        if self.place.is_none() && !self.owes {
            return;
        }
        let outbox = self.outbox.clone();
        let mut inner = outbox.lock();
        if let Some(place) = self.place.take() {
            self.owes |= inner.queue.is_first(place);
            inner.queue.leave(place);
        }
        let first = self.owed(&inner);
        drop(inner);
        first.inspect(Waker::wake_by_ref);
    }
}

impl<T: Transport> Drop for Asking<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;
