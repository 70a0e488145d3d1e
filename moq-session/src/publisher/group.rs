//! Delivering one group on a stream of its own.

use std::future::poll_fn;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use moq_model::{GroupConsumer, GroupEnd};
use moq_wire::{FrameEncoder, GroupHeader, SubscribeId, UniStream, code};

use crate::context::Shared;
use crate::convert;
use crate::error::StreamError;
use crate::io::Writer;
use crate::transport::SendStream;

/// Frames that are encoded before they are written.
const BATCH: usize = 64;
/// Room for frame headers, so that an allocation serves many.
const HEADERS: usize = 1_024;

/// Writes these frames of `group` to a stream, from its header to its end; yields the stream if it
/// ended well.
///
/// A group that does not finish, or that the peer does not want, is reset.
pub(super) async fn deliver<S: SendStream>(
    context: Arc<Shared>,
    mut writer: Writer<S>,
    mut group: GroupConsumer,
    id: SubscribeId,
    frames: Range<u64>,
) -> Option<Writer<S>> {
    let header = GroupHeader {
        subscribe_id: id,
        sequence: moq_wire::GroupSequence(group.sequence()),
        frame_start: frames.start,
    };
    writer.stream_type(UniStream::Group.code());
    writer.message(&header);
    let end = write(&context, &mut writer, &mut group, frames).await;
    drop(group);
    match end {
        Ok(GroupEnd::Finished) => {
            writer.end();
            return Some(writer);
        }
        Ok(end) => writer.reset(convert::group_end_code(end)),
        Err(error) => {
            tracing::trace!(%error, "group not delivered");
            writer.reset(code::stream::CANCELLED);
        }
    }
    None
}

/// Writes those of these frames that `group` yields, until it or they end; says how.
pub(super) async fn write<S: SendStream>(
    context: &Shared,
    writer: &mut Writer<S>,
    group: &mut GroupConsumer,
    frames: Range<u64>,
) -> Result<GroupEnd, StreamError> {
    let mut delivery = Delivery {
        frames,
        next: 0,
        encoder: FrameEncoder::new(context.version),
        writer,
        bytes: 0,
        is_watched: false,
    };
    poll_fn(|cx| delivery.poll(cx, group, context)).await
}

struct Delivery<'a, S: SendStream> {
    encoder: FrameEncoder,
    writer: &'a mut Writer<S>,
    /// The frames that are wanted, and the next one of the group, both counted from the first one
    /// that it yields.
    frames: Range<u64>,
    next: u64,
    bytes: u64,
    /// A stop is going to wake this task.
    is_watched: bool,
}

impl<S: SendStream> Delivery<'_, S> {
    /// Moves frames until the group has ended, or until there are none or the stream takes no more.
    fn poll(
        &mut self,
        cx: &mut TaskContext<'_>,
        group: &mut GroupConsumer,
        context: &Shared,
    ) -> Poll<Result<GroupEnd, StreamError>> {
        let mut is_idle = true;
        loop {
            match self.poll_write(cx, group, context) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(()) => {}
            }
            match self.poll_read(cx, group) {
                Poll::Ready(Ok(None)) => is_idle = false,
                Poll::Ready(Ok(Some(end))) => return Poll::Ready(Ok(end)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // Asking costs a lock, which a wake by a frame need not pay.
                Poll::Pending if self.is_watched && !is_idle => return Poll::Pending,
                Poll::Pending => return self.poll_stopped(cx),
            }
        }
    }

    /// Notices a peer that stops the stream while there is nothing to write.
    fn poll_stopped(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<GroupEnd, StreamError>> {
        self.is_watched = true;
        match self.writer.poll_closed(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // Nothing has ended the stream, so nothing but a stop or the connection can.
            Poll::Ready(Ok(())) => Poll::Ready(Err(StreamError::Transport)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut TaskContext<'_>,
        group: &mut GroupConsumer,
        context: &Shared,
    ) -> ControlFlow<Poll<Result<GroupEnd, StreamError>>> {
        match self.writer.poll_flush(cx) {
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

    fn poll_read(
        &mut self,
        cx: &TaskContext<'_>,
        group: &mut GroupConsumer,
    ) -> Poll<Result<Option<GroupEnd>, StreamError>> {
        if self.next >= self.frames.end {
            return Poll::Ready(Ok(Some(GroupEnd::Finished)));
        }
        if self.writer.scratch.capacity() < HEADERS / 8 {
            self.writer.scratch.reserve(HEADERS);
        }
        let mut is_encodable = true;
        let read = group.poll_frames(cx, BATCH, |frame| {
            let index = self.next;
            self.next += 1;
            if !self.frames.contains(&index) {
                return;
            }
            let len = frame.payload.len();
            let header = self
                .encoder
                .header(frame.timestamp, len, &mut self.writer.scratch);
            is_encodable &= header.is_ok();
            self.bytes += len as u64;
            self.writer.payload(frame.payload);
        });
        match read {
            Poll::Ready(_) if !is_encodable => {
                Poll::Ready(Ok(Some(GroupEnd::Aborted(moq_model::Abort::Malformed))))
            }
            Poll::Ready(end) => Poll::Ready(Ok(end)),
            Poll::Pending => Poll::Pending,
        }
    }
}
