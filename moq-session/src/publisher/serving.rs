//! One subscription in service: from the track's groups to streams of the peer.

use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use moq_model::{Abort, GroupConsumer, ReadError, TrackReader};
use moq_wire::{
    GroupStart, Subscribe, SubscribeId, SubscribeOk, SubscribeResponse, SubscribeUpdate,
};

use super::bounds::FrameBounds;
use super::datagram;
use super::group::{Delivered, Delivery};
use super::settling::Settling;
use super::waiting::Waiting;
use crate::context::Context;
use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::io::{Gate, Reader, Writer};
use crate::schedule::send_order;
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
                request.end,
                request.frame_end,
            ),
            is_accepted: false,
            oldest_leads: !has_range || is_sibling_newest,
            first: None,
            end: 0,
            streams: 0,
            stage: Stage::Live,
        }
    }

    /// Both halves of the request's stream; groups that are not delivered by now are reset.
    pub(super) fn into_streams(self) -> (Writer<T::Send>, Option<Reader<T::Recv>>) {
        (self.writer, self.requests)
    }

    /// Serves until all is delivered, or the peer has left.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Failure>> {
        if self.stage == Stage::Live {
            if self.poll_requests(cx).map_err(Failure::Stream)?.is_ready() {
                return self.poll_unsubscribed(cx);
            }
            self.accept();
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
                self.tell_dropped();
            }
            let is_written = self.waiting.is_empty() && self.deliveries.is_empty();
            if self.track.is_none() && is_written && self.settling.poll_settled(cx).is_ready() {
                self.tell_dropped();
                // Said last: there are relays that let go of a track once they know its end.
                let buf = &mut self.writer.scratch;
                SubscribeResponse::put_end(self.end, self.streams, buf, self.context.version);
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
    fn accept(&mut self) {
        if !std::mem::replace(&mut self.is_accepted, true) {
            self.respond(&SubscribeResponse::Ok(SubscribeOk {
                priority: self.priority,
                max_age: Duration::ZERO,
                start: None,
                end: None,
            }));
        }
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
            update.end,
            version,
        );
        self.priority = update.priority;
        self.bounds = FrameBounds::new(
            update.start,
            update.frame_start,
            update.end,
            update.frame_end,
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

    /// Takes the groups that are there, and the end of the track.
    fn poll_track(&mut self, cx: &TaskContext<'_>) -> Result<(), Failure> {
        while let Some(track) = &mut self.track {
            match track.poll_next_group(cx) {
                Poll::Ready(Ok(Some(group))) if group.is_datagram() => {
                    datagram::send(&mut self.context, cx, group, self.id);
                }
                Poll::Ready(Ok(Some(group))) => {
                    self.begin();
                    self.waiting.insert(group);
                }
                Poll::Ready(Ok(None)) => {
                    self.end = track.end();
                    self.note_lost();
                    self.track = None;
                }
                Poll::Ready(Err(ReadError::Aborted(reason))) => return Err(Failure::Track(reason)),
                Poll::Ready(Err(_)) => return Err(Failure::Track(Abort::Internal)),
                Poll::Pending => {
                    self.note_lost();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes note of what the track lost, where the peer can be told not to wait for it.
    fn note_lost(&mut self) {
        if self.context.version.features().drop_type.is_some()
            && let Some(track) = &mut self.track
        {
            for groups in track.take_lost() {
                self.waiting.lost(groups);
            }
        }
    }

    /// Tells the peer once which group delivery begins with.
    fn begin(&mut self) {
        if self.first.is_none()
            && let Some(first) = self.track.as_ref().and_then(TrackReader::first)
        {
            self.first = Some(first);
            self.respond(&SubscribeResponse::Start(first));
        }
    }

    fn tell_dropped(&mut self) {
        for dropped in self.waiting.take_dropped() {
            self.respond(&dropped);
        }
    }

    fn respond(&mut self, response: &SubscribeResponse) {
        response.put(&mut self.writer.scratch, self.context.version);
    }

    /// Gives streams to waiting groups, the newest first, as far as the peer's credit goes.
    ///
    /// Where the draft has no way to name the start of a subscription, peers begin with whatever
    /// group comes first and have no use for older ones: there the oldest leads, and goes before
    /// all others for as long as it takes. So it does for a sibling, whose readers are this end's.
    fn poll_streams(&mut self, cx: &mut TaskContext<'_>) -> Result<(), StreamError> {
        loop {
            self.waiting.give_up(cx);
            if self.waiting.is_empty() {
                return Ok(());
            }
            let Poll::Ready(stream) = self.context.transport.poll_open_uni(cx) else {
                return Ok(());
            };
            let stream = stream.map_err(|_| StreamError::Transport)?;
            let leads = self.streams == 0 && self.oldest_leads;
            let group = if leads {
                self.waiting.pop_oldest()
            } else {
                self.waiting.pop_newest()
            };
            if let Some(group) = group {
                self.deliver(cx, stream, group, leads);
            }
        }
    }

    fn deliver(
        &mut self,
        cx: &mut TaskContext<'_>,
        stream: T::Send,
        group: GroupConsumer,
        leads: bool,
    ) {
        let recency = if leads { u64::MAX } else { group.sequence() };
        let order = send_order(self.priority, self.first.unwrap_or_default(), recency);
        let mut writer = Writer::new(stream, self.context.version);
        writer.set_priority(order);
        self.streams += 1;
        let frames = self.bounds.of(group.sequence());
        let shared = self.context.shared.clone();
        let mut delivery = Delivery::new(shared, writer, group, self.id, frames);
        // A group that is whole goes out at once, and needs no task.
        match delivery.poll_early(cx) {
            Poll::Ready(delivered) => self.settle(delivered),
            Poll::Pending => self.deliveries.push(delivery),
        }
    }

    /// Takes in what became of a group.
    fn settle(&mut self, delivered: Delivered<T::Send>) {
        match delivered {
            Delivered::Whole(writer) => self.settling.push(writer),
            Delivered::Cut { sequence, code } => self.waiting.drop_group(sequence, code),
            Delivered::Unwanted => {}
        }
    }
}
