//! The future that does a session's work.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::AtomicWaker;
use moq_wire::code;

use crate::context::Context;
use crate::error::SessionError;
use crate::transport::{Transport, TransportError};

/// Work of a session; an error ends the session.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Task = Pin<Box<dyn Future<Output = Result<(), SessionError>> + Send>>;
/// Work of a session; an error ends the session.
#[cfg(target_arch = "wasm32")]
pub(crate) type Task = Pin<Box<dyn Future<Output = Result<(), SessionError>>>>;

/// Adds tasks to a driver.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Arc<Inbox>);

#[derive(Default)]
struct Inbox {
    tasks: Mutex<Vec<Task>>,
    waker: AtomicWaker,
}

impl Spawner {
    pub(crate) fn spawn(&self, task: Task) {
        self.0
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
        self.0.waker.wake();
    }

    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}

/// Does a session's work while it is polled, and ends with the session. Dropping it closes the
/// session.
///
/// Each stream is a task with a waker of its own: a wake visits only the tasks that are ready.
#[must_use = "a session makes progress only while its driver is polled"]
pub struct Driver<T: Transport> {
    context: Context<T>,
    tasks: FuturesUnordered<Task>,
}

impl<T: Transport> Driver<T> {
    pub(crate) fn new(context: Context<T>) -> Self {
        let tasks = FuturesUnordered::new();
        tasks.push(Box::pin(closed_here(context.clone())) as Task);
        tasks.push(Box::pin(lost(context.clone())));
        tasks.push(Box::pin(at_fault(context.clone())));
        Self { context, tasks }
    }

    fn poll_ended(&mut self, cx: &mut TaskContext<'_>) -> Poll<SessionError> {
        self.context.spawner.0.waker.register(cx.waker());
        loop {
            self.tasks.extend(self.context.spawner.take());
            match self.tasks.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(error),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Drops all tasks. Those that were never polled hold on to the list that they are in.
    fn give_up(&mut self) {
        self.tasks.clear();
        drop(self.context.spawner.take());
    }

    fn end(&mut self, error: &SessionError) {
        let (code, reason) = match error {
            SessionError::Peer(fault) => {
                self.context.limiter.note(fault);
                (fault.close_code(), fault.to_string())
            }
            SessionError::Closed => self.context.close.borrow().clone().unwrap_or_default(),
            SessionError::Ended => (code::session::NO_ERROR, String::new()),
            SessionError::Expired => (code::session::UNAUTHORIZED, "expired".to_owned()),
            SessionError::Transport(_) | SessionError::Panicked(_) | SessionError::Encode(_) => {
                (code::session::INTERNAL, String::new())
            }
        };
        if let SessionError::Panicked(_) = error {
            tracing::error!(%error, "session closed");
        }
        if let SessionError::Peer(_) = error {
            tracing::warn!(%error, "session closed");
        }
        let reason = self.context.limiter.reason(&reason);
        self.context.transport.close(code, reason);
        self.context.ended.send_if_modified(|ended| {
            let is_first = ended.is_none();
            if is_first {
                *ended = Some(error.clone());
            }
            is_first
        });
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// Ends when the connection does.
async fn lost<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut transport = context.transport.clone();
    let mut error = std::future::poll_fn(|cx| transport.poll_closed(cx)).await;
    if let TransportError::Closed { reason, .. } = &mut error {
        *reason = context.limiter.reason(reason).to_owned();
    }
    Err(error.into())
}

/// Ends when the peer has broken the protocol too often.
async fn at_fault<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut fault = context.limiter.fault.subscribe();
    let fault = fault.wait_for(Option::is_some).await;
    match fault.ok().and_then(|fault| fault.clone()) {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// Ends when the application closes the session, or its grant runs out.
async fn closed_here<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut close = context.close.subscribe();
    let mut granted = context.grant.changes();
    tokio::select! {
        biased;
        _ = close.wait_for(Option::is_some) => Err(SessionError::Closed),
        () = granted.expired() => Err(SessionError::Expired),
    }
}

impl<T: Transport> Future for Driver<T> {
    type Output = SessionError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<SessionError> {
        let this = &mut *self;
        // Nothing of this session is used any more after a panic, except for being dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| this.poll_ended(cx)));
        let ended = polled
            .unwrap_or_else(|panic| Poll::Ready(SessionError::Panicked(message(panic.as_ref()))));
        match ended {
            Poll::Ready(error) => {
                this.end(&error);
                this.give_up();
                Poll::Ready(error)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: Transport> Unpin for Driver<T> {}

impl<T: Transport> Drop for Driver<T> {
    fn drop(&mut self) {
        if self.context.ended.borrow().is_none() {
            self.end(&SessionError::Closed);
        }
        self.give_up();
    }
}

impl<T: Transport> fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}
