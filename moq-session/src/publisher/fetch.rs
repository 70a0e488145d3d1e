//! Answering FETCH.

use moq_model::{Abort, GroupConsumer, GroupEnd, ReadError};
use moq_wire::{Fetch, code};

use super::{group, track};
use crate::context::Context;
use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::io::{Reader, Writer};
use crate::schedule::{LAST, send_order};
use crate::transport::Transport;

/// Answers FETCH with the frames of one group, as they come until it is complete.
///
/// What can't be delivered whole ends in a reset: the end of the stream says that it is.
pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    let request = context.in_time(reader.only_message::<Fetch>("FETCH"));
    let request = request.await??;
    if request
        .frame_last
        .is_some_and(|last| last < request.frame_start)
    {
        return Err(PeerFault::Contradiction("the end of a range of frames").into());
    }
    let _served = match context.served.begin_fetch(&context.shared) {
        Ok(served) => served,
        Err(fault) => {
            tracing::debug!(%fault, "FETCH refused");
            context.limiter.refused();
            writer.reset(code::stream::NO_CAPACITY);
            return Ok(());
        }
    };
    // A group is as slow as its readers like.
    writer.at_leisure();
    let end = tokio::select! {
        end = serve(context, &request, writer) => end?,
        error = withdrawn(reader) => return Err(error),
    };
    match end {
        GroupEnd::Finished => {
            writer.finish().await?;
            // What the peer does to its request now says nothing against the answer.
            writer.acknowledged().await
        }
        end => {
            context.limiter.refused();
            writer.reset(convert::group_end_code(end));
            Ok(())
        }
    }
}

/// Writes the frames that were asked for; says how they ended.
async fn serve<T: Transport>(
    context: &Context<T>,
    request: &Fetch,
    writer: &mut Writer<T::Send>,
) -> Result<GroupEnd, StreamError> {
    context.peer_setup().await;
    let mut group = match find(context, request).await? {
        Ok(group) => group,
        Err(reason) => return Ok(GroupEnd::Aborted(reason)),
    };
    // One group has no recency among others; live ones of its priority go before it.
    writer.set_priority(send_order(request.priority, LAST));
    group::write(context, writer, &mut group, 0..u64::MAX).await
}

async fn find<T: Transport>(
    context: &Context<T>,
    request: &Fetch,
) -> Result<Result<GroupConsumer, Abort>, StreamError> {
    let track = match track::find(context, &request.broadcast, &request.track) {
        Ok(track) => track,
        Err(reason) => return Ok(Err(reason)),
    };
    let group = context
        .in_time(track.fetch(convert::fetch(request)))
        .await?;
    Ok(group.map_err(|error| match error {
        ReadError::Aborted(reason) => reason,
        ReadError::NoGroup(_) => Abort::NotFound,
        ReadError::NoRoom(_) => Abort::Evicted,
        _ => Abort::Internal,
    }))
}

/// Waits until the peer takes its request back; the mere end of its half does not.
pub(super) async fn withdrawn<R: crate::transport::RecvStream>(
    reader: &mut Reader<R>,
) -> StreamError {
    match reader.drained().await {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}
