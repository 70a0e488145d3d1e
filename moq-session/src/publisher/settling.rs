//! Group streams that are finished, and not yet acknowledged.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker, ready};

use crate::io::Writer;
use crate::transport::SendStream;

/// Streams whose end the peer may not have yet.
///
/// Nobody needs to know when it has it before the track ends. So no acknowledgement wakes anybody;
/// a stream is asked when others follow it.
#[derive(Debug)]
pub(super) struct Settling<S: SendStream> {
    /// In the order in which they were finished.
    writers: VecDeque<Writer<S>>,
}

impl<S: SendStream> Default for Settling<S> {
    fn default() -> Self {
        Self {
            writers: VecDeque::new(),
        }
    }
}

impl<S: SendStream> Settling<S> {
    /// Takes a finished stream in, and lets go of some that are acknowledged by now.
    pub(super) fn push(&mut self, writer: Writer<S>) {
        if self.writers.len() < FEW {
            self.writers.reserve_exact(1);
        }
        self.writers.push_back(writer);
        let mut cx = Context::from_waker(Waker::noop());
        if self.writers.len() > MANY {
            self.writers
                .retain_mut(|writer| writer.poll_closed(&mut cx).is_pending());
        } else if self.writers.len() > FEW {
            let _ = self.poll_settled(&mut cx);
        }
    }

    /// Waits until all are acknowledged, or stopped.
    pub(super) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(first) = self.writers.front_mut() {
            // What became of a stream that was stopped is its reader's own wish.
            let _ = ready!(first.poll_closed(cx));
            self.writers.pop_front();
        }
        Poll::Ready(())
    }
}

/// So many are not asked, because the acknowledgement of the latest is hardly there.
const FEW: usize = 4;
/// Beyond it all are asked: one that is held back must not keep those after it.
const MANY: usize = 64;
