//! Taking in groups from streams of their own.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use moq_model::platform::clock;
use moq_model::{Abort, GroupProducer, Timescale, WriteError};
use moq_wire::{FrameDecoder, FrameHeader, GroupHeader, SubscribeId, code};

use super::failure::GroupFailure;
use super::feed::Feed;
use crate::context::Context;
use crate::error::StreamError;
use crate::io::{Intake, Reader};
use crate::limiter::{Buffered, Held};
use crate::transport::{RecvStream, Transport};

/// Payload bytes a frame may have.
const MAX_FRAME: u64 = 32 << 20;

/// Takes in one group stream, whose type has been read.
pub(super) async fn receive<T: Transport>(context: &Context<T>, mut reader: Reader<T::Recv>) {
    let header = context.in_time(reader.only_message::<GroupHeader>("a group header"));
    let header = match header.await.and_then(|header| header) {
        Ok(header) => header,
        Err(error) => {
            if let StreamError::Peer(fault) = &error {
                context.limiter.strike(fault);
            }
            return reader.stop(code::stream::CANCELLED);
        }
    };
    let sequence = header.sequence.0;
    let Some(feed) = find(context, header.subscribe_id) else {
        return reader.stop(code::stream::CANCELLED);
    };
    feed.count();
    if header.frame_start != 0 {
        // Frames were never asked for: what stands before them would be missing.
        return reader.stop(code::stream::MALFORMED_TRACK);
    }
    if !feed.look(|account| account.expects(sequence, context.version)) {
        feed.change(|account| account.contradict(context.version));
        return reader.stop(code::stream::CANCELLED);
    }
    let producer = match feed.track.create(sequence) {
        Ok(producer) => producer,
        // One of the two is wanted, so this says nothing against the group.
        Err(WriteError::Duplicate) => {
            feed.arrive(sequence).end();
            return reader.stop(code::stream::INTERNAL);
        }
        Err(error) => {
            // The track has ended, which is told otherwise, or the budget has no room.
            if error == WriteError::Dropped {
                feed.give_up(sequence..sequence.saturating_add(1), Abort::Evicted);
            }
            return reader.stop(code::stream::CANCELLED);
        }
    };
    let arrival = feed.arrive(sequence);
    let mut group = Inbound::new(producer);
    match group.fill(context, &feed, &mut reader).await {
        Ok(()) => group.finish(),
        Err(failure) => {
            tracing::debug!(sequence, ?failure, "group not received whole");
            failure.count(&context.limiter);
            group.abort(failure.abort);
            if let Some(code) = failure.stop {
                reader.stop(code);
            }
            if failure.abort == Abort::SessionClosed {
                return;
            }
        }
    }
    arrival.end();
}

/// The subscription that a group is of.
pub(super) fn find<T>(context: &Context<T>, id: SubscribeId) -> Option<Arc<Feed>> {
    context.subscribing.feeds().get(&id).cloned()
}

/// A group on its way in; dropping it tells readers that the session took it down.
pub(super) struct Inbound {
    producer: Option<GroupProducer>,
}

impl Inbound {
    async fn fill<T: Transport>(
        &mut self,
        context: &Context<T>,
        feed: &Feed,
        reader: &mut Reader<T::Recv>,
    ) -> Result<(), GroupFailure> {
        let mut decoder = FrameDecoder::new(context.version);
        while let Some(header) = frame_header(reader, &mut decoder).await? {
            let Some(producer) = &mut self.producer else {
                return Ok(());
            };
            ready(context, feed, producer.sequence()).await;
            let frame = self
                .frame(reader, header, &context.limiter.buffered)
                .await?;
            self.append(frame)?;
        }
        Ok(())
    }

    /// The frame whose header was read: its timestamp and payload.
    pub(super) async fn frame<R: RecvStream>(
        &mut self,
        reader: &mut Reader<R>,
        header: FrameHeader,
        buffered: &Buffered,
    ) -> Result<(u64, Bytes), GroupFailure> {
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let mut arriving = Arriving {
            group: self.producer.as_mut(),
            held: buffered.hold(),
        };
        let payload = match len {
            0 => Bytes::new(),
            _ => reader.payload(len, &mut arriving).await?,
        };
        Ok((header.timestamp.unwrap_or_else(arrival_time), payload))
    }

    pub(super) fn new(producer: GroupProducer) -> Self {
        Self {
            producer: Some(producer),
        }
    }

    pub(super) fn append(
        &mut self,
        (timestamp, payload): (u64, Bytes),
    ) -> Result<(), GroupFailure> {
        if let Some(producer) = &mut self.producer {
            producer.append_at(timestamp, payload)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) {
        if let Some(producer) = self.producer.take() {
            producer.finish();
        }
    }

    pub(super) fn abort(mut self, reason: Abort) {
        if let Some(producer) = self.producer.take() {
            producer.abort(reason);
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            producer.abort(Abort::SessionClosed);
        }
    }
}

/// The header of the next frame, unless that is too large; `None` after the last one.
pub(super) async fn frame_header<R: RecvStream>(
    reader: &mut Reader<R>,
    decoder: &mut FrameDecoder,
) -> Result<Option<FrameHeader>, GroupFailure> {
    let header = reader.frame_header(decoder).await?;
    if header.is_some_and(|header| header.len > MAX_FRAME) {
        return Err(GroupFailure {
            abort: Abort::FrameTooLarge,
            stop: Some(code::stream::FRAME_TOO_LARGE),
            fault: None,
        });
    }
    Ok(header)
}

/// A frame on its way: its bytes count for the group and for all streams of the session.
struct Arriving<'a> {
    group: Option<&'a mut GroupProducer>,
    held: Held<'a>,
}

impl Intake for Arriving<'_> {
    type Error = GroupFailure;

    fn arrive(&mut self, bytes: usize) -> Result<(), GroupFailure> {
        self.held.grow(bytes).map_err(StreamError::from)?;
        match &mut self.group {
            Some(group) => Ok(group.arrive(bytes as u64)?),
            None => Ok(()),
        }
    }

    fn poll_closed(&self, cx: &TaskContext<'_>) -> Poll<GroupFailure> {
        match &self.group {
            Some(group) => group.poll_closed(cx).map(|()| WriteError::Dropped.into()),
            None => Poll::Pending,
        }
    }
}

/// The time for frames of drafts without timestamps.
fn arrival_time() -> u64 {
    Timescale::MILLIS.from_duration(clock::unix())
}

/// Waits while all readers are far behind; the transport is told that the stream is held up.
async fn ready<T: Transport>(context: &Context<T>, feed: &Feed, sequence: u64) {
    let mut ready = pin!(feed.track.ready_for(sequence));
    let is_ready = poll_fn(|cx| Poll::Ready(ready.as_mut().poll(cx).is_ready())).await;
    if is_ready {
        return;
    }
    let _pause = Pause::begin(context);
    ready.await;
}

/// Counts a stream as held up.
struct Pause<'a, T: Transport> {
    context: &'a Context<T>,
}

impl<'a, T: Transport> Pause<'a, T> {
    fn begin(context: &'a Context<T>) -> Self {
        let count = context
            .subscribing
            .paused_streams
            .fetch_add(1, Ordering::Relaxed)
            + 1;
        context.transport.set_paused_streams(count);
        Self { context }
    }
}

impl<T: Transport> Drop for Pause<'_, T> {
    fn drop(&mut self) {
        let count = self
            .context
            .subscribing
            .paused_streams
            .fetch_sub(1, Ordering::Relaxed)
            - 1;
        self.context.transport.set_paused_streams(count);
    }
}
