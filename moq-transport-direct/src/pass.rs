//! A pass of a driver, and what a defect of quinn-proto costs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use quinn_proto::{
    ConnectionError, ConnectionHandle, EndpointEvent, TransportError, TransportErrorCode,
};

use crate::conn::now;
use crate::driver::Driver;

/// What quinn-proto may be at work on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// What is received, before it is known whose it is.
    Datagram,
    /// The connection of this key.
    Connection(usize),
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
        if self.open == 0 && self.hub().is_closed() {
            return Poll::Ready(());
        }
        self.rest(cx, has_more);
        Poll::Pending
    }

    /// Lets go of what quinn-proto panicked at: a connection costs itself, and no other.
    fn let_go(&mut self, work: Work) {
        let Work::Connection(key) = work else {
            tracing::error!("a packet was dropped by a defect; the panic tells where");
            return;
        };
        let Some(conn) = self.conn(key).cloned() else {
            return;
        };
        let mut state = conn.lock();
        let peer = state.sent_to;
        tracing::error!(%peer, "a connection was dropped by a defect; the panic tells where");
        state.is_broken = true;
        state.end(broken(), &mut self.woken);
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
        let this = self.get_mut();
        // What a pass leaves undone by that is what a network may lose.
        match catch_unwind(AssertUnwindSafe(|| this.pass(cx))) {
            Ok(polled) => polled,
            Err(panic) => {
                let Some(work) = this.work.take() else {
                    resume_unwind(panic);
                };
                this.let_go(work);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.hub().abandon());
        // With the runtime gone, nothing would ever wake those that wait.
        for slot in self.conns.iter().flatten() {
            let mut state = slot.conn.lock();
            state.end(ConnectionError::LocallyClosed, &mut self.woken);
        }
        self.woken.drain(..).for_each(Waker::wake);
    }
}

/// How a connection ends in which quinn-proto panicked.
fn broken() -> ConnectionError {
    ConnectionError::TransportError(TransportError {
        code: TransportErrorCode::INTERNAL_ERROR,
        frame: None,
        reason: "a defect in this end's QUIC; please report the panic".to_owned(),
    })
}
