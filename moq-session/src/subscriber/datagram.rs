//! Taking in groups that are one datagram.

use std::future::poll_fn;

use moq_model::{Abort, WriteError};
use moq_wire::{Datagram, decode_body};

use super::group::find;
use crate::context::Context;
use crate::error::SessionError;
use crate::limits::Limit;
use crate::transport::Transport;

/// Takes in groups of one frame that travel as datagrams; others are ignored.
pub(super) async fn receive<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut transport = context.transport.clone();
    loop {
        let datagram = poll_fn(|cx| transport.poll_recv_datagram(cx)).await?;
        if datagram.len() > context.limiter.limits.datagram {
            context.limiter.reach(Limit::Datagram);
            continue;
        }
        if let Ok(datagram) = decode_body::<Datagram>(datagram, context.version) {
            take_datagram(&context, datagram);
        }
    }
}

fn take_datagram<T>(context: &Context<T>, datagram: Datagram) {
    let Some(feed) = find(context, datagram.subscribe_id) else {
        return;
    };
    let sequence = datagram.sequence.0;
    if !feed.look(|account| account.expects(sequence, context.version)) {
        return;
    }
    let Datagram {
        timestamp, payload, ..
    } = datagram;
    match feed.track.create_datagram(sequence, timestamp, payload) {
        Ok(()) => feed.arrive(sequence).end(),
        // The budget has no room for it.
        Err(WriteError::Dropped) => {
            feed.give_up(sequence..sequence.saturating_add(1), Abort::Evicted);
        }
        Err(_) => {}
    }
}
