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
pub(super) struct Unacknowledged<S: SendStream> {
    /// With their groups, in the order in which they were finished.
    writers: VecDeque<(u64, Writer<S>)>,
    /// So many streams are the reason to ask all of them.
    sweep_at: usize,
}

impl<S: SendStream> Default for Unacknowledged<S> {
    fn default() -> Self {
        Self {
            writers: VecDeque::new(),
            sweep_at: MANY,
        }
    }
}

impl<S: SendStream> Unacknowledged<S> {
    pub(super) fn len(&self) -> usize {
        self.writers.len()
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = u64> {
        self.writers.iter().map(|(group, _)| *group)
    }

    /// The groups, with their streams.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Writer<S>)> {
        self.writers
            .iter_mut()
            .map(|(group, writer)| (*group, writer))
    }

    /// Takes a group's finished stream in, and lets go of some that are acknowledged by now.
    pub(super) fn push(&mut self, group: u64, writer: Writer<S>) {
        if self.writers.len() < FEW {
            self.writers.reserve_exact(1);
        }
        self.writers.push_back((group, writer));
        if self.writers.len() <= FEW {
            return;
        }
        let mut cx = Context::from_waker(Waker::noop());
        let _ = self.poll_acknowledged(&mut cx);
        if self.writers.len() > self.sweep_at {
            self.writers
                .retain_mut(|(_, writer)| writer.poll_closed(&mut cx).is_pending());
            // Each stream that is asked in vain is paid for by one that came since the last time.
            self.sweep_at = MANY.max(2 * self.writers.len());
        }
        // After a time in which nothing was acknowledged there would be room for dozens for good.
        if self.writers.capacity() > MANY / 2 && self.writers.len() <= FEW {
            self.writers.shrink_to(2 * FEW);
        }
    }

    /// Waits until all are acknowledged, or stopped.
    pub(super) fn poll_acknowledged(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some((_, first)) = self.writers.front_mut() {
            // What became of a stream that was stopped is its reader's own wish.
            let _ = ready!(first.poll_closed(cx));
            self.writers.pop_front();
        }
        Poll::Ready(())
    }
}

/// So many are not asked, because the acknowledgement of the latest is hardly there.
const FEW: usize = 4;
/// Beyond it all are asked now and then: one that is held back must not keep those after it.
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
        let mut streams = Unacknowledged::default();
        for group in 0..MANY {
            streams.push(group as u64, finished(&mut ours).await);
        }
        assert_eq!(streams.writers.len(), MANY);
        for _ in 0..MANY {
            receive(&mut theirs).await;
        }
        streams.push(64, finished(&mut ours).await);
        assert_eq!(streams.writers.len(), 1);
        assert!(streams.writers.capacity() <= 2 * FEW);
    }

    #[tokio::test]
    async fn a_peer_that_acknowledges_nothing_is_asked_seldom() {
        let (mut ours, mut theirs) = memory_pair(Version::Lite06);
        theirs.allow_uni(1 << 14);
        let mut streams = Unacknowledged::default();
        let (mut sweeps, mut sweep_at) = (0, MANY);
        for group in 0..10_000 {
            streams.push(group, finished(&mut ours).await);
            if streams.sweep_at != sweep_at {
                sweep_at = streams.sweep_at;
                sweeps += 1;
            }
        }
        assert_eq!(streams.len(), 10_000);
        assert!(sweeps <= 8, "each is asked about once in all");
        for _ in 0..10_000 {
            receive(&mut theirs).await;
        }
        streams.push(10_000, finished(&mut ours).await);
        assert_eq!(streams.len(), 1);
    }

    #[tokio::test]
    async fn one_that_is_held_back_does_not_keep_those_after_it() {
        let (mut ours, mut theirs) = memory_pair(Version::Lite06);
        let mut streams = Unacknowledged::default();
        streams.push(0, finished(&mut ours).await);
        let _held_back = poll_fn(|cx| theirs.poll_accept_uni(cx)).await.unwrap();
        for group in 1..10 * MANY as u64 {
            streams.push(group, finished(&mut ours).await);
            receive(&mut theirs).await;
            assert!(streams.len() <= MANY + 1);
        }
    }
}
