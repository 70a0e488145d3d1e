//! One subscription in service: from the track's groups to streams of the peer.

mod groups;

use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use moq_model::{Abort, TrackReader};
use moq_wire::{
    EncodeError, GroupSequence, GroupStart, Subscribe, SubscribeId, SubscribeOk, SubscribeResponse,
    SubscribeUpdate,
};

use super::bounds::FrameBounds;
use super::group::Delivery;
use super::settling::Settling;
use super::waiting::Waiting;
use crate::context::Context;
use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::io::{Gate, Reader, Writer};
use crate::transport::Transport;

/// One subscription in service.
pub(super) struct Serving<T: Transport> {
    context: Context<T>,
    id: SubscribeId,
    writer: Writer<T::Send>,
    /// The peer's half, until it needs no more reading.
    requests: Option<Reader<T::Recv>>,
    gate: Gate,
    /// Where groups come from, until the last one.
    track: Option<TrackReader>,
    waiting: Waiting,
    /// Groups that are written.
    deliveries: FuturesUnordered<Delivery<T::Send>>,
    /// Groups that are written whole and may not be acknowledged.
    settling: Settling<T::Send>,
    priority: u8,
    /// The frames that are wanted of the first and the last group.
    bounds: FrameBounds,
    /// The peer was told that the track exists.
    is_accepted: bool,
    /// The peer begins with the group that comes first.
    oldest_leads: bool,
    /// The group that delivery began with.
    first: Option<u64>,
    /// The sequence after the track's last group, once there is no further one.
    end: u64,
    /// Group streams opened so far.
    streams: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Groups come, or are on their way.
    Live,
    /// All groups are delivered; the last answer is on its way.
    Flushing,
    /// What is left is the acknowledgement of this stream's end.
    Ending,
}

/// Why a subscription is not served to its end.
pub(super) enum Failure {
    Track(Abort),
    Stream(StreamError),
}

impl<T: Transport> Serving<T> {
    pub(super) fn new(
        context: &Context<T>,
        request: &Subscribe,
        track: TrackReader,
        writer: Writer<T::Send>,
        reader: Reader<T::Recv>,
    ) -> Self {
        let has_range = context.version.features().subscribe_range;
        let is_sibling_newest = context.is_sibling && request.start == GroupStart::Latest;
        Self {
            context: context.clone(),
            id: request.id,
            writer,
            requests: Some(reader),
            gate: Gate::new(),
            track: Some(track),
            waiting: Waiting::default(),
            deliveries: FuturesUnordered::new(),
            settling: Settling::default(),
            priority: request.priority,
            bounds: FrameBounds::new(
                request.start,
                request.frame_start,
                request.last,
                request.frame_last,
            ),
            is_accepted: false,
            oldest_leads: !has_range || is_sibling_newest,
            first: None,
            end: 0,
            streams: 0,
            stage: Stage::Live,
        }
    }

    /// Both halves of the request's stream, once all is delivered.
    pub(super) fn into_streams(self) -> (Writer<T::Send>, Option<Reader<T::Recv>>) {
        (self.writer, self.requests)
    }

    /// Whether a group was sent, at least in part.
    pub(super) fn has_delivered(&self) -> bool {
        self.streams > 0
    }

    /// Whether the peer has ended it before its end.
    pub(super) fn is_unsubscribed(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Gives the subscription up with a code of its own, and the groups that are not delivered
    /// with another.
    pub(super) fn fail(mut self, code: u32, groups: u32) {
        for delivery in self.deliveries.iter_mut() {
            delivery.reset(groups);
        }
        self.writer.reset(code);
    }

    /// Serves until all is delivered, or the peer has left.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Failure>> {
        if self.stage == Stage::Live {
            if self.poll_requests(cx).map_err(Failure::Stream)?.is_ready() {
                return self.poll_unsubscribed(cx);
            }
            self.accept().map_err(Failure::Stream)?;
            self.poll_track(cx)?;
            // The start goes out before the groups, as far as the stream takes it.
            let is_flushed = self
                .writer
                .poll_flush(cx)
                .map_err(Failure::Stream)?
                .is_ready();
            self.poll_streams(cx).map_err(Failure::Stream)?;
            while let Poll::Ready(Some(delivered)) = self.deliveries.poll_next_unpin(cx) {
                self.settle(delivered);
            }
            if is_flushed {
                self.tell_dropped().map_err(Failure::Stream)?;
            }
            let is_written = self.waiting.is_empty() && self.deliveries.is_empty();
            if self.track.is_none() && is_written && self.settling.poll_settled(cx).is_ready() {
                self.tell_dropped().map_err(Failure::Stream)?;
                // Said last: there are relays that let go of a track once they know its end.
                let (end, streams) = (GroupSequence(self.end), Some(self.streams));
                self.respond(&SubscribeResponse::End { end, streams })
                    .map_err(Failure::Stream)?;
                self.stage = Stage::Flushing;
            }
        }
        ready!(self.writer.poll_flush(cx)).map_err(Failure::Stream)?;
        if self.stage == Stage::Live {
            return Poll::Pending;
        }
        if self.stage == Stage::Flushing {
            self.writer.end();
            self.stage = Stage::Ending;
        }
        // The answer is complete: a peer that has stopped the stream by now has what it wants.
        self.writer.poll_closed(cx).map(|_| Ok(()))
    }

    /// Accepts the subscription where the draft says so, unless the peer has left already.
    fn accept(&mut self) -> Result<(), StreamError> {
        if std::mem::replace(&mut self.is_accepted, true) {
            return Ok(());
        }
        self.respond(&SubscribeResponse::Ok(SubscribeOk {
            priority: self.priority,
            max_age: Duration::ZERO,
            start: None,
            last: None,
        }))
    }

    /// Takes updates; ready when the peer has unsubscribed.
    fn poll_requests(&mut self, cx: &TaskContext<'_>) -> Result<Poll<()>, StreamError> {
        let has_updates = self.context.version.features().subscribe_range;
        while let Some(reader) = &mut self.requests {
            let message = self.gate.poll(cx, |cx| {
                reader.poll_message::<SubscribeUpdate>(cx, "SUBSCRIBE_UPDATE")
            });
            match message {
                Poll::Ready(Ok(Some(update))) if has_updates => self.update(&update),
                Poll::Ready(Ok(Some(_))) => {
                    return Err(PeerFault::Unexpected("SUBSCRIBE_UPDATE").into());
                }
                Poll::Ready(Ok(None)) => return Ok(Poll::Ready(())),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        Ok(Poll::Pending)
    }

    fn update(&mut self, update: &SubscribeUpdate) {
        let version = self.context.version;
        if self.context.is_sibling && convert::is_newest(update.start, update.max_age) {
            // It still does not know where it begins.
            self.priority = update.priority;
            return;
        }
        let subscription = convert::subscription(
            update.priority,
            update.max_age,
            update.start,
            update.last,
            version,
        );
        self.priority = update.priority;
        self.bounds = FrameBounds::new(
            update.start,
            update.frame_start,
            update.last,
            update.frame_last,
        );
        if let Some(track) = &mut self.track {
            track.update(subscription);
        }
    }

    /// Leaves: unfinished groups are reset, this half ends well.
    fn poll_unsubscribed(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Failure>> {
        self.deliveries.clear();
        if self.writer.poll_flush(cx).is_ready() {
            self.writer.end();
        }
        Poll::Ready(Ok(()))
    }

    fn tell_dropped(&mut self) -> Result<(), StreamError> {
        let mut dropped = self.waiting.take_dropped();
        dropped.try_for_each(|dropped| self.respond(&dropped))
    }

    /// Queues an answer, unless the draft has none of this kind.
    fn respond(&mut self, response: &SubscribeResponse) -> Result<(), StreamError> {
        match response.put(&mut self.writer.scratch, self.context.version) {
            Ok(()) | Err(EncodeError::NotInVersion) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
