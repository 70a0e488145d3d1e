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
        // After a time in which nothing was acknowledged there would be room for dozens for good.
        if self.writers.capacity() > MANY / 2 && self.writers.len() <= FEW {
            self.writers.shrink_to(2 * FEW);
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use bytes::Bytes;
    use moq_wire::Version;

    use super::*;
    use crate::memory::{MemoryConnection, MemorySend, memory_pair};
    use crate::transport::{RecvStream, Transport};

    async fn finished(connection: &mut MemoryConnection) -> Writer<MemorySend> {
        let stream = poll_fn(|cx| connection.poll_open_uni(cx)).await.unwrap();
        let mut writer = Writer::new(stream, Version::Lite06);
        writer.payload(Bytes::from_static(b"frame"));
        writer.finish().await.unwrap();
        writer
    }

    async fn receive(connection: &mut MemoryConnection) {
        let mut stream = poll_fn(|cx| connection.poll_accept_uni(cx)).await.unwrap();
        let chunk = poll_fn(|cx| stream.poll_read_chunk(cx)).await.unwrap();
        assert_eq!(chunk.as_deref(), Some(&b"frame"[..]));
    }

    #[tokio::test]
    async fn a_stall_leaves_no_room_behind() {
        let (mut ours, mut theirs) = memory_pair(Version::Lite06);
        let mut settling = Settling::default();
        for _ in 0..MANY {
            settling.push(finished(&mut ours).await);
        }
        assert_eq!(settling.writers.len(), MANY);
        for _ in 0..MANY {
            receive(&mut theirs).await;
        }
        settling.push(finished(&mut ours).await);
        assert_eq!(settling.writers.len(), 1);
        assert!(settling.writers.capacity() <= 2 * FEW);
    }
}
