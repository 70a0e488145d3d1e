//! A pass of a driver, and what a defect of quinn-proto costs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use quinn_proto::{ConnectionError, ConnectionHandle, EndpointEvent};

use crate::connection::now;
use crate::driver::Driver;
use crate::limit::LogLimit;

/// What quinn-proto may be at work on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// What is received, before it is known whose it is.
    Datagram,
    /// The connection of this key.
    Connection(usize),
}

/// How often defects are told of, by what they cost.
#[derive(Debug, Default)]
pub(super) struct Defects {
    packets: LogLimit,
    connections: LogLimit,
}

impl Driver {
    fn pass(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = now();
        if self.hub().is_closed() {
            // With it goes the way to those that accept, who learn by that.
            self.admission = None;
        }
        let has_more = self.receive(cx, now);
        self.take_strays(now);
        self.expire(now);
        let woke = self.take_events(now);
        if woke && !self.is_waiting_for_tasks {
            // The tasks that were woken run before this one does again, and what they write can
            // leave together with what there is.
            self.is_waiting_for_tasks = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_waiting_for_tasks = false;
        self.transmit(now);
        self.woken.drain(..).for_each(Waker::wake);
        if self.table.open() == 0 && self.hub().is_closed() {
            return Poll::Ready(());
        }
        self.rest(cx, has_more);
        Poll::Pending
    }

    /// Has quinn-proto work on something. Where it panics, that is what is lost, and nothing else.
    pub(super) fn attempt<T>(
        &mut self,
        work: Work,
        attempted: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.work = work;
        let output = catch_unwind(AssertUnwindSafe(|| attempted(self)));
        if output.is_err() {
            match self.work {
                Work::Datagram => {
                    if let Some(unsaid) = self.defects.packets.say(now()) {
                        tracing::error!(
                            unsaid,
                            "a packet was dropped by a defect; the panic tells where"
                        );
                    }
                }
                Work::Connection(key) => self.let_go(key),
            }
        }
        output.ok()
    }

    /// Takes note that what is attempted turns out to be for something else.
    pub(super) fn turn_to(&mut self, work: Work) {
        self.work = work;
    }

    /// Lets go of a connection that quinn-proto has panicked at.
    pub(super) fn let_go(&mut self, key: usize) {
        let Some(connection) = self.table.get(key).cloned() else {
            return;
        };
        let mut state = connection.lock();
        if let Some(unsaid) = self.defects.connections.say(now()) {
            let peer = state.deadlines.sent_to();
            tracing::error!(
                %peer, unsaid, "a connection was dropped by a defect; the panic tells where"
            );
        }
        state.break_off(&mut self.woken);
        drop(state);
        // From here on the endpoint answers what comes for it with a reset.
        let _ = self
            .endpoint
            .handle_event(ConnectionHandle(key), EndpointEvent::drained());
        self.remove(key);
        self.woken.drain(..).for_each(Waker::wake);
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().pass(cx)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.hub().abandon());
        // With the runtime gone, nothing would ever wake those that wait.
        for connection in self.table.iter() {
            let mut state = connection.lock();
            state.end(ConnectionError::LocallyClosed, &mut self.woken);
        }
        self.woken.drain(..).for_each(Waker::wake);
    }
}
