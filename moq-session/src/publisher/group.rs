//! Delivering one group on a stream of its own.

use std::future::{Future, poll_fn};
use std::ops::{ControlFlow, Range};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use moq_model::{Abort, GroupConsumer, GroupEnd};
use moq_wire::{FrameEncoder, GroupHeader, GroupSequence, SubscribeId, UniStream, code};

use super::stalled::{Stall, Stalled};
use crate::context::Shared;
use crate::convert;
use crate::error::StreamError;
use crate::io::Writer;
use crate::transport::SendStream;

/// Frames that are encoded before they are written.
const BATCH: usize = 64;

/// Writes frames of a group to a stream, from its header to its end.
///
/// A group that does not finish, or that the peer does not want, is reset.
pub(super) struct Delivery<S: SendStream> {
    context: Arc<Shared>,
    /// Until it is over.
    work: Option<(Writer<S>, GroupConsumer)>,
    pump: Pump,
    /// Where it counts while it is stalled.
    stall: Option<Stall>,
}

/// What became of a group's stream.
pub(super) enum Delivered<S: SendStream> {
    /// Everything is written, and may not be acknowledged.
    Whole(u64, Writer<S>),
    /// It was reset with this code, which may overtake even the header, so that the peer can't know
    /// what group it was.
    Cut { sequence: u64, code: u32 },
    /// The peer does not want it, or is gone.
    Unwanted,
}

impl<S: SendStream> Delivery<S> {
    /// Begins the stream with the group's header.
    pub(super) fn new(
        context: Arc<Shared>,
        mut writer: Writer<S>,
        group: GroupConsumer,
        id: SubscribeId,
        frames: Range<u64>,
    ) -> Self {
        writer.make_room();
        let header = GroupHeader {
            subscribe_id: id,
            sequence: GroupSequence(group.sequence()),
            frame_start: frames.start,
        };
        let put = UniStream::Group
            .put(&mut writer.scratch, writer.version)
            .and_then(|()| writer.message(&header));
        let mut pump = Pump::new(&context, frames);
        pump.is_malformed = put.is_err();
        Self {
            context,
            work: Some((writer, group)),
            pump,
            stall: None,
        }
    }

    /// Counts there, from now on, while the stream takes nothing.
    pub(super) fn count(&mut self, counts: Arc<Stalled>) {
        let mut stall = Stall::new(counts);
        let is_stalled = |(writer, _): &(Writer<S>, _)| writer.is_held_up();
        stall.set(self.work.as_ref().is_some_and(is_stalled));
        self.stall = Some(stall);
    }

    /// The group, and its stream, unless it is over.
    pub(super) fn stream(&mut self) -> Option<(u64, &mut Writer<S>)> {
        let (writer, group) = self.work.as_mut()?;
        Some((group.sequence(), writer))
    }

    /// The group's number, unless it is over.
    pub(super) fn sequence(&self) -> Option<u64> {
        self.work.as_ref().map(|(_, group)| group.sequence())
    }

    /// Gives the group up.
    pub(super) fn reset(&mut self, code: u32) {
        if let Some((mut writer, _)) = self.work.take() {
            writer.reset(code);
            self.stall = None;
        }
    }

    /// Polls on behalf of another task than the one that is going to.
    pub(super) fn poll_early(&mut self, cx: &mut TaskContext<'_>) -> Poll<Delivered<S>> {
        let polled = Pin::new(&mut *self).poll(cx);
        self.pump.is_watched = false;
        polled
    }
}

/// Nothing in it is ever pinned.
impl<S: SendStream> Unpin for Delivery<S> {}

impl<S: SendStream> Future for Delivery<S> {
    type Output = Delivered<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Delivered<S>> {
        let Self {
            context,
            work,
            pump,
            stall,
        } = &mut *self;
        let Some((writer, group)) = work else {
            return Poll::Ready(Delivered::Unwanted);
        };
        let Poll::Ready(end) = pump.poll(cx, writer, group, context) else {
            if let Some(stall) = stall {
                stall.set(writer.is_held_up());
            }
            return Poll::Pending;
        };
        let Some((mut writer, group)) = work.take() else {
            return Poll::Ready(Delivered::Unwanted);
        };
        Poll::Ready(match end {
            Ok(GroupEnd::Finished) => {
                writer.end();
                Delivered::Whole(group.sequence(), writer)
            }
            Ok(end) => {
                let (sequence, code) = (group.sequence(), convert::group_end_code(end));
                writer.reset(code);
                Delivered::Cut { sequence, code }
            }
            Err(error) => {
                tracing::trace!(%error, "group not delivered");
                writer.reset(code::stream::CANCELLED);
                Delivered::Unwanted
            }
        })
    }
}

/// Writes those of these frames that `group` yields, until it or they end; says how.
pub(super) async fn write<S: SendStream>(
    context: &Shared,
    writer: &mut Writer<S>,
    group: &mut GroupConsumer,
    frames: Range<u64>,
) -> Result<GroupEnd, StreamError> {
    let mut pump = Pump::new(context, frames);
    poll_fn(|cx| pump.poll(cx, writer, group, context)).await
}

/// How far the frames of a group have come.
struct Pump {
    encoder: FrameEncoder,
    /// The frames that are wanted, and the next one of the group, both counted from the first one
    /// that it yields.
    frames: Range<u64>,
    next: u64,
    bytes: u64,
    /// A frame, or the number of the group, has no form on the wire.
    is_malformed: bool,
    /// A stop is going to wake this task.
    is_watched: bool,
}

impl Pump {
    fn new(context: &Shared, frames: Range<u64>) -> Self {
        Self {
            encoder: FrameEncoder::new(context.version),
            frames,
            next: 0,
            bytes: 0,
            is_malformed: false,
            is_watched: false,
        }
    }

    /// Moves frames until the group has ended, or until there are none or the stream takes no more.
    fn poll<S: SendStream>(
        &mut self,
        cx: &mut TaskContext<'_>,
        writer: &mut Writer<S>,
        group: &mut GroupConsumer,
        context: &Shared,
    ) -> Poll<Result<GroupEnd, StreamError>> {
        let mut is_idle = true;
        // Nothing is read while the stream does not take what was.
        let mut read = Poll::Ready(None);
        if !writer.is_held_up() {
            read = self.poll_read(cx, writer, group);
        }
        loop {
            match self.poll_write(cx, writer, group, context) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(()) => {}
            }
            match read {
                Poll::Ready(None) => is_idle = false,
                Poll::Ready(Some(end)) => return Poll::Ready(Ok(end)),
                // Asking costs a lock, which a wake by a frame need not pay.
                Poll::Pending if self.is_watched && !is_idle => return Poll::Pending,
                Poll::Pending => return self.poll_stopped(cx, writer),
            }
            read = self.poll_read(cx, writer, group);
        }
    }

    /// Notices a peer that stops the stream while there is nothing to write.
    fn poll_stopped<S: SendStream>(
        &mut self,
        cx: &mut TaskContext<'_>,
        writer: &mut Writer<S>,
    ) -> Poll<Result<GroupEnd, StreamError>> {
        self.is_watched = true;
        match writer.poll_closed(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // Nothing has ended the stream, so nothing but a stop or the connection can.
            Poll::Ready(Ok(())) => Poll::Ready(Err(StreamError::Transport)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_write<S: SendStream>(
        &mut self,
        cx: &mut TaskContext<'_>,
        writer: &mut Writer<S>,
        group: &mut GroupConsumer,
        context: &Shared,
    ) -> ControlFlow<Poll<Result<GroupEnd, StreamError>>> {
        match writer.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                context
                    .served
                    .bytes
                    .fetch_add(std::mem::take(&mut self.bytes), Ordering::Relaxed);
                ControlFlow::Continue(())
            }
            Poll::Ready(Err(error)) => ControlFlow::Break(Poll::Ready(Err(error))),
            Poll::Pending => ControlFlow::Break(group.poll_cut(cx).map(Ok)),
        }
    }

    fn poll_read<S: SendStream>(
        &mut self,
        cx: &TaskContext<'_>,
        writer: &mut Writer<S>,
        group: &mut GroupConsumer,
    ) -> Poll<Option<GroupEnd>> {
        if self.is_malformed {
            return Poll::Ready(Some(GroupEnd::Aborted(Abort::Malformed)));
        }
        if self.next >= self.frames.end {
            return Poll::Ready(Some(GroupEnd::Finished));
        }
        group.poll_frames(cx, BATCH, |frame| {
            let index = self.next;
            self.next += 1;
            if self.is_malformed || !self.frames.contains(&index) {
                return;
            }
            let len = frame.payload.len();
            writer.make_room();
            let header = self
                .encoder
                .header(frame.timestamp, len, &mut writer.scratch);
            if header.is_err() {
                self.is_malformed = true;
                return;
            }
            self.bytes += len as u64;
            writer.payload(frame.payload);
        })
    }
}
