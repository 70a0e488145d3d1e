//! Reading only what is newest of a track.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::consumer::TrackReader;
use super::read::TrackRead;
use super::state::Step;
use crate::error::ReadError;

/// Reads the newest group, frame by frame, and leaves it as soon as there is a newer one.
///
/// For state whose past is of no interest. What is left out is reported as skipped, and never comes
/// later.
#[derive(Debug)]
pub struct LatestReader {
    reader: TrackReader,
}

impl LatestReader {
    pub(super) fn new(reader: TrackReader) -> Self {
        Self { reader }
    }

    /// The next frame of the newest group, what is left out for it, or `None` after the last frame
    /// of the track.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<TrackRead>, ReadError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<Option<TrackRead>, ReadError>> {
        let id = self.reader.id();
        let track = self.reader.shared();
        match track.consume(|state, fx| state.next_of_latest(id, cx.waker(), fx)) {
            Step::Read(read) => Poll::Ready(Ok(Some(read))),
            Step::End => Poll::Ready(Ok(None)),
            Step::Failed(reason) => Poll::Ready(Err(ReadError::Aborted(reason))),
            Step::Wait(_) | Step::Clock => Poll::Pending,
        }
    }
}
