//! One subscription in service: from the track's groups to streams of the peer.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use moq_model::{Abort, Backlog, NextGroup, ReadError, TrackReader};
use moq_wire::{
    EncodeError, GroupSequence, GroupStart, Subscribe, SubscribeOk, SubscribeResponse,
    SubscribeUpdate, code,
};

use super::bounds::FrameBounds;
use super::deliveries::Deliveries;
use super::outbox::Outbox;
use crate::context::{Context, Shared};
use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::io::{Gate, Reader, Writer};
use crate::transport::Transport;

/// One subscription in service: what the peer asks, and what it is answered.
pub(super) struct Serving<T: Transport> {
    shared: Arc<Shared>,
    writer: Writer<T::Send>,
    /// The peer's half, until it needs no more reading.
    requests: Option<Reader<T::Recv>>,
    asked: Gate,
    /// Where groups come from, until the last one.
    track: Option<TrackReader>,
    fed: Gate,
    deliveries: Deliveries<T>,
    priority: u8,
    /// The peer was told that the track exists.
    is_accepted: bool,
    /// A group was sent without a stream.
    has_sent: bool,
    /// The group that delivery began with.
    first: Option<u64>,
    /// The sequence after the track's last group, once there is no further one.
    end: u64,
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
pub(super) enum Unserved {
    Track(Abort),
    Stream(StreamError),
}

impl<T: Transport> Serving<T> {
    pub(super) fn new(
        (context, outbox): (&Context<T>, &Arc<Outbox<T>>),
        request: &Subscribe,
        track: TrackReader,
        writer: Writer<T::Send>,
        reader: Reader<T::Recv>,
    ) -> Self {
        let has_range = context.version.features().subscribe_range;
        let is_unknown_newest =
            context.policy.shares_readers() && request.start == GroupStart::Latest;
        let oldest_leads = !has_range || is_unknown_newest;
        Self {
            shared: context.shared.clone(),
            writer,
            requests: Some(reader),
            asked: Gate::new(),
            track: Some(track),
            fed: Gate::new(),
            deliveries: Deliveries::new(context, outbox, request, oldest_leads),
            priority: request.priority,
            is_accepted: false,
            has_sent: false,
            first: None,
            end: 0,
            stage: Stage::Live,
        }
    }

    /// Both halves of the request's stream, once all is delivered.
    pub(super) fn into_streams(self) -> (Writer<T::Send>, Option<Reader<T::Recv>>) {
        (self.writer, self.requests)
    }

    /// Whether a group was sent, at least in part.
    pub(super) fn has_delivered(&self) -> bool {
        self.has_sent || self.deliveries.streams() > 0
    }

    /// Whether the peer has ended it before its end.
    pub(super) fn is_unsubscribed(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Gives the subscription up with a code of its own, and the groups that are not delivered
    /// with another.
    pub(super) fn fail(mut self, code: u32, groups: u32) {
        self.deliveries.reset(groups);
        self.writer.reset(code);
    }

    /// Serves until all is delivered, or the peer has left.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Unserved>> {
        if self.stage == Stage::Live {
            if self.poll_requests(cx).map_err(Unserved::Stream)?.is_ready() {
                return self.poll_unsubscribed(cx);
            }
            self.accept().map_err(Unserved::Stream)?;
            self.poll_track(cx)?;
            // The start goes out before the groups, as far as the stream takes it.
            let is_flushed = self
                .writer
                .poll_flush(cx)
                .map_err(Unserved::Stream)?
                .is_ready();
            let delivered = self.deliveries.poll(cx, self.track.as_mut());
            delivered.map_err(Unserved::Stream)?;
            if is_flushed {
                self.tell_dropped().map_err(Unserved::Stream)?;
            }
            let is_written = self.track.is_none() && self.deliveries.is_written();
            if is_written && self.deliveries.poll_acknowledged(cx).is_ready() {
                self.tell_dropped().map_err(Unserved::Stream)?;
                // Said last: there are relays that let go of a track once they know its end.
                let (end, streams) = (GroupSequence(self.end), Some(self.deliveries.streams()));
                self.respond(&SubscribeResponse::End { end, streams })
                    .map_err(Unserved::Stream)?;
                self.stage = Stage::Flushing;
            }
        }
        ready!(self.writer.poll_flush(cx)).map_err(Unserved::Stream)?;
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

    /// Takes updates, of which the last one counts; ready when the peer has unsubscribed.
    fn poll_requests(&mut self, cx: &TaskContext<'_>) -> Result<Poll<()>, StreamError> {
        let has_updates = self.shared.version.features().subscribe_range;
        let mut last = None;
        while let Some(reader) = &mut self.requests {
            let message = self.asked.poll(cx, |cx| {
                reader.poll_message::<SubscribeUpdate>(cx, "SUBSCRIBE_UPDATE")
            });
            match message {
                Poll::Ready(Ok(Some(update))) if has_updates => last = Some(update),
                Poll::Ready(Ok(Some(_))) => {
                    return Err(PeerFault::Unexpected("SUBSCRIBE_UPDATE").into());
                }
                Poll::Ready(Ok(None)) => return Ok(Poll::Ready(())),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        if let Some(update) = last {
            self.update(&update);
        }
        Ok(Poll::Pending)
    }

    fn update(&mut self, update: &SubscribeUpdate) {
        self.priority = update.priority;
        self.deliveries.set_priority(update.priority);
        if self.shared.policy.shares_readers() && convert::is_newest(update.start, update.max_age) {
            // It still does not know where it begins.
            return;
        }
        self.deliveries.set_bounds(FrameBounds::new(
            update.start,
            update.frame_start,
            update.last,
            update.frame_last,
        ));
        let subscription = convert::subscription(
            update.priority,
            update.max_age,
            update.start,
            update.last,
            self.shared.version,
        );
        // One that changes nothing would still wake whoever feeds the track.
        if let Some(track) = &mut self.track
            && *track.subscription() != subscription
        {
            track.update(subscription);
            self.fed.open();
        }
    }

    /// Takes what needs no stream of the track, and its end.
    fn poll_track(&mut self, cx: &TaskContext<'_>) -> Result<(), Unserved> {
        while let Some(track) = &mut self.track {
            let Poll::Ready(next) = self.fed.poll(cx, |cx| track.poll_aside(cx)) else {
                break;
            };
            match next {
                Ok(Some(NextGroup::Group(group))) => {
                    self.has_sent = true;
                    self.deliveries.send(cx, group);
                }
                Ok(Some(NextGroup::Lost { groups, cause })) => {
                    self.begin().map_err(Unserved::Stream)?;
                    self.deliveries.lost(groups, cause);
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.end = track.end();
                    self.track = None;
                }
                Err(ReadError::Aborted(reason)) => return Err(Unserved::Track(reason)),
                Err(_) => return Err(Unserved::Track(Abort::Internal)),
            }
        }
        let backlog = self.track.as_ref().map(TrackReader::backlog);
        if backlog.is_some_and(|backlog| backlog != Backlog::Empty) {
            self.begin().map_err(Unserved::Stream)?;
        }
        Ok(())
    }

    /// Tells the peer once which group delivery begins with.
    fn begin(&mut self) -> Result<(), StreamError> {
        if self.first.is_none()
            && let Some(first) = self.track.as_ref().and_then(TrackReader::first)
        {
            self.first = Some(first);
            self.respond(&SubscribeResponse::Start(GroupSequence(first)))?;
        }
        Ok(())
    }

    /// Leaves: unfinished groups are reset, this half ends well.
    fn poll_unsubscribed(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Unserved>> {
        self.deliveries.reset(code::stream::CANCELLED);
        if self.writer.poll_flush(cx).is_ready() {
            self.writer.end();
        }
        Poll::Ready(Ok(()))
    }

    fn tell_dropped(&mut self) -> Result<(), StreamError> {
        let mut dropped = self.deliveries.take_dropped();
        dropped.try_for_each(|dropped| self.respond(&dropped))
    }

    /// Queues an answer, unless the draft has none of this kind.
    fn respond(&mut self, response: &SubscribeResponse) -> Result<(), StreamError> {
        match response.put(&mut self.writer.scratch, self.shared.version) {
            Ok(()) | Err(EncodeError::NotInVersion) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
