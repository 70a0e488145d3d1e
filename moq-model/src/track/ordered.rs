//! Reading a track in sequence.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::consumer::TrackReader;
use super::read::TrackRead;
use super::state::Step;
use super::timer::Timer;
use crate::clock;
use crate::error::ReadError;

/// Reads groups in sequence, and frames in order within them.
///
/// Every group from the first one on is yielded whole or reported as skipped, with the cause. What
/// is known to be missing is reported at once. A group that may still come is waited for, for as
/// long as the subscription's patience goes, from when a group behind it arrived. A group that was
/// lost with its session is not skipped: the track ends with it, and [`Self::position`] says where
/// to go on elsewhere.
#[derive(Debug)]
pub struct OrderedReader {
    reader: TrackReader,
    timer: Timer,
}

impl OrderedReader {
    pub(super) fn new(reader: TrackReader) -> Self {
        Self {
            reader,
            timer: Timer::default(),
        }
    }

    /// The group and the frame that would come next, for going on elsewhere; `None` before it is
    /// clear where the track begins.
    #[must_use]
    pub fn position(&self) -> Option<(u64, usize)> {
        let id = self.reader.id();
        self.reader.shared().look(|state| state.position(id))
    }

    /// The next frame, what is missing before it, or `None` after the last one.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if a group has to be waited for.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<TrackRead>, ReadError> {
        let next = Next {
            reader: self,
            is_waiting: false,
        };
        next.await
    }

    /// Poll form of [`Self::next`]. While it is pending, the track's input does not wait for this
    /// reader.
    ///
    /// # Errors
    /// As [`Self::next`].
    ///
    /// # Panics
    /// As [`Self::next`].
    pub fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<TrackRead>, ReadError>> {
        let id = self.reader.id();
        loop {
            let track = self.reader.shared();
            let step = track.consume(|state, fx| {
                let step = state.next_in_order(id, None, cx.waker(), fx);
                if step != Step::Clock {
                    return step;
                }
                state.next_in_order(id, Some(clock::now()), cx.waker(), fx)
            });
            match step {
                Step::Read(read) => return Poll::Ready(Ok(Some(read))),
                Step::End => return Poll::Ready(Ok(None)),
                Step::Failed(reason) => return Poll::Ready(Err(ReadError::Aborted(reason))),
                Step::Wait(until) if self.timer.poll(until, cx) => {}
                Step::Wait(_) | Step::Clock => return Poll::Pending,
            }
        }
    }

    /// Has the input wait for this reader again, which does not wait itself any more.
    fn stop_waiting(&self) {
        let id = self.reader.id();
        let track = self.reader.shared();
        track.read(|state, fx| state.set_starved(id, false, fx));
    }
}

/// The next read; whoever drops it while it waits does not wait any more.
struct Next<'a> {
    reader: &'a mut OrderedReader,
    is_waiting: bool,
}

impl Future for Next<'_> {
    type Output = Result<Option<TrackRead>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let next = self.reader.poll_next(cx);
        self.is_waiting = next.is_pending();
        next
    }
}

impl Drop for Next<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.reader.stop_waiting();
        }
    }
}
