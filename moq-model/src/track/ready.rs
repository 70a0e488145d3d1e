//! The pause of a track's input while all readers are far behind.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use super::shared::TrackShared;
use crate::clock;

/// A pause without any progress lasts this long at most.
const STALL: Duration = Duration::from_secs(2);

/// Resolves when a group may be written. Made by `TrackProducer::ready_for`.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ready {
    track: Arc<TrackShared>,
    sequence: u64,
    pause: Option<Pause>,
}

#[derive(Debug)]
struct Pause {
    slot: usize,
    timer: Pin<Box<Sleep>>,
    progress: u64,
}

impl Ready {
    pub(super) fn new(track: Arc<TrackShared>, sequence: u64) -> Self {
        Self {
            track,
            sequence,
            pause: None,
        }
    }

    /// Whether it has been polled and had to wait.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }
}

impl Future for Ready {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.track.lock();
        if state.end.is_some() || !state.is_paused(this.sequence) {
            return Poll::Ready(());
        }
        let pause = this.pause.get_or_insert_with(|| {
            let progress = this.track.watch_progress();
            Pause {
                slot: state.pause(this.sequence),
                timer: Box::pin(clock::sleep(STALL)),
                progress,
            }
        });
        state.register_paused(pause.slot, cx);
        // A reader that became starved before it was watched has told nobody.
        if !state.is_paused(this.sequence) {
            return Poll::Ready(());
        }
        while pause.timer.as_mut().poll(cx).is_ready() {
            let progress = this.track.progress();
            if progress == pause.progress {
                this.track.skip_stalled(&mut state);
                return Poll::Ready(());
            }
            pause.progress = progress;
            pause.timer.as_mut().reset(clock::now() + STALL);
        }
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(pause) = self.pause.take() {
            self.track.lock().resume(pause.slot);
            self.track.unwatch_progress();
        }
    }
}
