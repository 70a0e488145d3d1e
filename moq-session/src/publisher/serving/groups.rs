//! The groups of one subscription, from the track to streams.

use std::task::{Context as TaskContext, Poll};

use moq_model::{Abort, GroupConsumer, GroupRange, NextGroup, ReadError, TrackReader};
use moq_wire::{GroupSequence, SubscribeResponse};

use super::{Failure, Serving};
use crate::convert;
use crate::error::StreamError;
use crate::io::Writer;
use crate::publisher::datagram;
use crate::publisher::group::{Delivered, Delivery};
use crate::schedule::send_order;
use crate::transport::Transport;

impl<T: Transport> Serving<T> {
    /// Takes the groups that are there, and the end of the track.
    pub(super) fn poll_track(&mut self, cx: &TaskContext<'_>) -> Result<(), Failure> {
        while self.poll_next(cx)?.is_ready() {}
        Ok(())
    }

    /// Takes one group, or the end of the track.
    fn poll_next(&mut self, cx: &TaskContext<'_>) -> Result<Poll<()>, Failure> {
        let Some(track) = &mut self.track else {
            return Ok(Poll::Pending);
        };
        match track.poll_next(cx) {
            Poll::Ready(Ok(Some(NextGroup::Group(group)))) if group.is_datagram() => {
                datagram::send(&mut self.context, cx, group, self.id);
            }
            Poll::Ready(Ok(Some(NextGroup::Group(group)))) => {
                self.begin().map_err(Failure::Stream)?;
                self.waiting.insert(group);
            }
            Poll::Ready(Ok(Some(NextGroup::Lost { groups, cause }))) => {
                self.note_lost(groups, cause).map_err(Failure::Stream)?;
            }
            Poll::Ready(Ok(Some(_))) => {}
            Poll::Ready(Ok(None)) => {
                self.end = track.end();
                self.track = None;
            }
            Poll::Ready(Err(ReadError::Aborted(reason))) => return Err(Failure::Track(reason)),
            Poll::Ready(Err(_)) => return Err(Failure::Track(Abort::Internal)),
            Poll::Pending => return Ok(Poll::Pending),
        }
        Ok(Poll::Ready(()))
    }

    /// Takes note of what the track lost, where the peer can be told not to wait for it.
    fn note_lost(&mut self, groups: GroupRange, cause: Abort) -> Result<(), StreamError> {
        if self.context.version.features().drop_type.is_some() {
            self.begin()?;
            self.waiting.lost(groups, convert::abort_code(cause));
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

    /// Gives streams to waiting groups, the newest first, as far as the peer's credit goes.
    ///
    /// Where the draft has no way to name the start of a subscription, peers begin with whatever
    /// group comes first and have no use for older ones: there the oldest leads, and goes before
    /// all others for as long as it takes. So it does for a sibling, whose readers are this end's.
    pub(super) fn poll_streams(&mut self, cx: &mut TaskContext<'_>) -> Result<(), StreamError> {
        loop {
            if self.waiting.is_delayed() {
                self.waiting.give_up(cx);
            }
            if self.waiting.is_empty() {
                return Ok(());
            }
            let Poll::Ready(stream) = self.context.transport.poll_open_uni(cx) else {
                self.waiting.give_up(cx);
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
    pub(super) fn settle(&mut self, delivered: Delivered<T::Send>) {
        match delivered {
            Delivered::Whole(writer) => self.settling.push(writer),
            Delivered::Cut { sequence, code } => self.waiting.drop_group(sequence, code),
            Delivered::Unwanted => {}
        }
    }
}
