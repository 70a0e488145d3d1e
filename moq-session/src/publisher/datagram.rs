//! Delivering a group of one frame without a stream.

use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use bytes::BytesMut;
use moq_model::{GroupConsumer, GroupRead};
use moq_wire::{Datagram, Encode, GroupSequence, SubscribeId};

use crate::context::Context;
use crate::transport::Transport;

/// Sends the frame of `group` if it fits into a datagram now; it is lost otherwise.
pub(super) fn send<T: Transport>(
    context: &mut Context<T>,
    cx: &TaskContext<'_>,
    mut group: GroupConsumer,
    id: SubscribeId,
) {
    let sequence = group.sequence();
    let Poll::Ready(GroupRead::Frame(frame)) = group.poll_next(cx) else {
        return;
    };
    let len = frame.payload.len();
    let allowed = context.limiter.limits.datagram;
    let limit = context.transport.max_datagram_size().min(allowed);
    // Nothing that can't be sent is copied for it.
    if !context.version.features().datagrams || len > limit {
        tracing::trace!(sequence, len, limit, "datagram not sent");
        return;
    }
    let mut buf = BytesMut::with_capacity(len + MAX_HEADER);
    let datagram = Datagram {
        subscribe_id: id,
        sequence: GroupSequence(sequence),
        timestamp: frame.timestamp,
        payload: frame.payload,
    };
    let encoded = datagram.encode(&mut buf, context.version);
    if encoded.is_err() || buf.len() > limit {
        tracing::trace!(sequence, len, limit, "datagram not sent");
        return;
    }
    context.transport.send_datagram(buf.freeze());
    let served = &context.served.bytes;
    served.fetch_add(len as u64, Ordering::Relaxed);
}

/// Three integers of the longest form there is.
const MAX_HEADER: usize = 3 * 9;
