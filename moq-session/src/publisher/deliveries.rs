//! The groups of one subscription on their streams.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt};
use moq_model::{Abort, Backlog, GroupConsumer, GroupRange, NextGroup, TrackReader};
use moq_wire::{Subscribe, SubscribeId, SubscribeResponse};

use super::bounds::FrameBounds;
use super::datagram;
use super::dropped::Dropped;
use super::group::{Delivered, Delivery};
use super::outbox::{Asking, Outbox};
use super::stalled::Stalled;
use super::unacknowledged::Unacknowledged;
use crate::context::Context;
use crate::convert;
use crate::error::StreamError;
use crate::io::Writer;
use crate::schedule::{FIRST, Ladder, send_order};
use crate::transport::Transport;

/// Streams of one subscription, and the groups on them.
pub(super) struct Deliveries<T: Transport> {
    context: Context<T>,
    id: SubscribeId,
    asking: Asking<T>,
    /// Groups that are written.
    open: FuturesUnordered<Delivery<T::Send>>,
    /// Groups that are written whole and may not be acknowledged.
    unacknowledged: Unacknowledged<T::Send>,
    dropped: Dropped,
    ladder: Ladder,
    priority: u8,
    /// The frames that are wanted of the first and the last group.
    bounds: FrameBounds,
    /// The peer begins with the group that comes first.
    oldest_leads: bool,
    /// The group that goes before all others.
    leader: Option<u64>,
    /// Group streams opened so far.
    streams: u64,
    stalled: Arc<Stalled>,
}

impl<T: Transport> Deliveries<T> {
    pub(super) fn new(
        context: &Context<T>,
        outbox: &Arc<Outbox<T>>,
        request: &Subscribe,
        oldest_leads: bool,
    ) -> Self {
        Self {
            context: context.clone(),
            id: request.id,
            asking: Asking::new(outbox.clone()),
            open: FuturesUnordered::new(),
            unacknowledged: Unacknowledged::default(),
            dropped: Dropped::default(),
            ladder: Ladder::default(),
            priority: request.priority,
            bounds: FrameBounds::new(
                request.start,
                request.frame_start,
                request.last,
                request.frame_last,
            ),
            oldest_leads,
            leader: None,
            streams: 0,
            stalled: outbox.stalled(),
        }
    }

    pub(super) fn streams(&self) -> u64 {
        self.streams
    }

    /// Whether no group is on its way to the transport.
    pub(super) fn is_written(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn set_bounds(&mut self, bounds: FrameBounds) {
        self.bounds = bounds;
    }

    /// Changes the priority, that of open streams included.
    pub(super) fn set_priority(&mut self, priority: u8) {
        if std::mem::replace(&mut self.priority, priority) != priority {
            self.reorder();
        }
    }

    /// Gives all groups up.
    pub(super) fn reset(&mut self, code: u32) {
        for delivery in self.open.iter_mut() {
            delivery.reset(code);
        }
        self.open.clear();
        self.asking.leave();
    }

    /// Gives streams to the groups that wait in the track, and writes what the streams take.
    pub(super) fn poll(
        &mut self,
        cx: &mut TaskContext<'_>,
        mut track: Option<&mut TrackReader>,
    ) -> Result<(), StreamError> {
        loop {
            let is_held_back = self.poll_streams(cx, track.as_deref_mut())?;
            self.poll_write(cx);
            // As long as it is held back, streams of its own are stalled: one that goes on wakes this task.
            if !is_held_back || self.stalled.is_full() {
                return Ok(());
            }
        }
    }

    /// Gives streams to the groups that wait in the track, the newest first, as far as the peer's
    /// credit goes; says whether streams that take nothing are why some still wait.
    ///
    /// Where the draft has no way to name the start of a subscription, peers begin with whatever
    /// group comes first and have no use for older ones: there the oldest leads, and goes before
    /// all others for as long as it takes. So it does for a sibling, whose readers are this end's.
    fn poll_streams(
        &mut self,
        cx: &mut TaskContext<'_>,
        track: Option<&mut TrackReader>,
    ) -> Result<bool, StreamError> {
        let mut is_held_back = false;
        if let Some(track) = track {
            while track.backlog() != Backlog::Empty {
                if self.stalled.is_full() {
                    is_held_back = true;
                    break;
                }
                if self.poll_next_stream(cx, track)?.is_pending() {
                    return Ok(false);
                }
            }
        }
        // Whoever wants no stream must not stay first among those who do.
        self.asking.leave();
        Ok(is_held_back)
    }

    /// Gives one group a stream.
    fn poll_next_stream(
        &mut self,
        cx: &mut TaskContext<'_>,
        track: &mut TrackReader,
    ) -> Result<Poll<()>, StreamError> {
        let is_older = track.backlog() == Backlog::Older;
        let stream = self.asking.poll_stream(cx, self.priority, is_older);
        let Poll::Ready(stream) = stream else {
            return Ok(Poll::Pending);
        };
        let stream = stream?;
        match self.take(cx, track) {
            Some(group) => self.deliver(cx, stream, group),
            None => self.asking.give_back(stream),
        }
        Ok(Poll::Ready(()))
    }

    /// Takes the group that goes first, and takes note of those that are lost before it.
    fn take(&mut self, cx: &TaskContext<'_>, track: &mut TrackReader) -> Option<GroupConsumer> {
        loop {
            let next = if self.oldest_leads && self.streams == 0 {
                track.take_oldest()?
            } else {
                track.take_newest()?
            };
            match next {
                NextGroup::Group(group) if group.is_datagram() => self.send(cx, group),
                NextGroup::Group(group) => return Some(group),
                NextGroup::Lost { groups, cause } => self.lost(groups, cause),
                _ => return None,
            }
        }
    }

    /// Sends a group without a stream.
    pub(super) fn send(&mut self, cx: &TaskContext<'_>, group: GroupConsumer) {
        datagram::send(&mut self.context, cx, group, self.id);
    }

    /// Takes note of what the track lost, where the peer can be told not to wait for it.
    pub(super) fn lost(&mut self, groups: GroupRange, cause: Abort) {
        if self.context.version.features().drop_type.is_some() {
            self.dropped.add(groups, convert::abort_code(cause));
        }
    }

    fn deliver(&mut self, cx: &mut TaskContext<'_>, stream: T::Send, group: GroupConsumer) {
        let sequence = group.sequence();
        if self.oldest_leads && self.streams == 0 {
            self.leader = Some(sequence);
        }
        self.streams += 1;
        let recency = self.place(sequence);
        let mut writer = Writer::new(stream, self.context.version);
        writer.set_priority(send_order(self.priority, recency));
        let frames = self.bounds.of(sequence);
        let shared = self.context.shared.clone();
        let mut delivery = Delivery::new(shared, writer, group, self.id, frames);
        // A group that is whole goes out at once, and needs no task.
        match delivery.poll_early(cx) {
            Poll::Ready(delivered) => self.account(delivered),
            Poll::Pending => {
                delivery.count(self.stalled.clone());
                self.open.push(delivery);
            }
        }
    }

    /// Finds a place for a group among those that have streams; its recency.
    fn place(&mut self, sequence: u64) -> u32 {
        let Self {
            ladder,
            open,
            unacknowledged,
            ..
        } = self;
        let count = open.len() + unacknowledged.len();
        let list = || {
            let open = open.iter().filter_map(Delivery::sequence);
            open.chain(unacknowledged.groups()).collect()
        };
        let (recency, is_moved) = ladder.add(sequence, count, list);
        if is_moved {
            self.reorder();
        }
        if self.leader == Some(sequence) {
            FIRST
        } else {
            recency
        }
    }

    /// Has all open streams sent in the order of their groups again.
    fn reorder(&mut self) {
        let (ladder, leader, priority) = (&self.ladder, self.leader, self.priority);
        let open = self.open.iter_mut().filter_map(Delivery::stream);
        for (group, writer) in open.chain(self.unacknowledged.iter_mut()) {
            let is_leader = leader == Some(group);
            let recency = if is_leader {
                FIRST
            } else {
                ladder.recency(group)
            };
            writer.set_priority(send_order(priority, recency));
        }
    }

    /// Writes what the streams take.
    fn poll_write(&mut self, cx: &mut TaskContext<'_>) {
        while let Poll::Ready(Some(delivered)) = self.open.poll_next_unpin(cx) {
            self.account(delivered);
        }
    }

    /// Takes in what became of a group.
    fn account(&mut self, delivered: Delivered<T::Send>) {
        match delivered {
            Delivered::Whole(sequence, writer) => self.unacknowledged.push(sequence, writer),
            Delivered::Cut { sequence, code } => {
                self.dropped.add(sequence..sequence.saturating_add(1), code);
            }
            Delivered::Unwanted => {}
        }
    }

    /// Waits until all that is written is acknowledged, or stopped.
    pub(super) fn poll_acknowledged(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.unacknowledged.poll_acknowledged(cx)
    }

    /// What the peer is to be told of groups that it does not get.
    pub(super) fn take_dropped(&mut self) -> impl Iterator<Item = SubscribeResponse> + use<T> {
        self.dropped.take()
    }
}
