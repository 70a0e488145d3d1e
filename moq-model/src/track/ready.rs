//! The pause of a track's input while all readers are far behind.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::TrackShared;
use super::timer::Timer;
use crate::clock;

/// Resolves when a group may be written. Made by `TrackProducer::ready` and `TrackFeed::ready_for`.
///
/// Cancel safe.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ready {
    track: Arc<TrackShared>,
    sequence: u64,
    /// Its place among the inputs that wait.
    place: Option<usize>,
    timer: Timer,
}

impl Ready {
    pub(super) fn new(track: Arc<TrackShared>, sequence: u64) -> Self {
        Self {
            track,
            sequence,
            place: None,
            timer: Timer::default(),
        }
    }
}

impl Future for Ready {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            // Most inputs never wait, and need not know the time.
            if this.place.is_none() && this.track.look(|state| state.is_input_open(this.sequence)) {
                return Poll::Ready(());
            }
            let (now, place) = (clock::now(), &mut this.place);
            let until = this
                .track
                .change(|state, fx| state.poll_input(place, this.sequence, now, cx.waker(), fx));
            match until {
                None => return Poll::Ready(()),
                Some(until) if this.timer.poll(Some(until), cx) => {}
                Some(_) => return Poll::Pending,
            }
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.track.read(|state, fx| state.resume(place, fx));
        }
    }
}
