//! Answering TRACK.

use moq_model::{Abort, ReadError, TrackConsumer};
use moq_wire::Track;

use super::fetch::withdrawn;
use crate::context::{Context, Shared};
use crate::convert;
use crate::error::StreamError;
use crate::io::{Reader, Writer};
use crate::limiter::{Kind, Slot};
use crate::transport::Transport;

/// Finds a track that the peer may read.
///
/// # Errors
/// The reason for which the request is refused; a track that exists may still be refused later.
pub(super) fn find(
    context: &Shared,
    broadcast: &moq_wire::Path,
    track: &str,
) -> Result<TrackConsumer, Abort> {
    let path = context.absolute(broadcast).ok_or(Abort::Unroutable)?;
    if !context.grant.may_subscribe(&path) {
        return Err(Abort::Unroutable);
    }
    let peer = context.peer(context.peer_hop());
    let broadcast = context.publish.consume().broadcast_for(&path, &peer)?;
    Ok(broadcast.track(track)?)
}

/// Answers TRACK with TRACK_INFO.
pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    let _slot = Slot::take(&context.shared, Kind::Tracks)?;
    context.limiter.track_asked();
    let request = context.in_time(reader.only_message::<Track>("TRACK"));
    let request = request.await??;
    context.peer_setup().await;
    let info = match find(context, &request.broadcast, &request.track) {
        Ok(track) => tokio::select! {
            info = context.in_time(track.info()) => info?,
            error = withdrawn(reader) => return Err(error),
        },
        Err(reason) => Err(ReadError::Aborted(reason)),
    };
    match info {
        Ok(info) => {
            writer.message(&convert::wire_track_info(&info))?;
            writer.finish().await?;
            context.in_time(writer.acknowledged()).await?
        }
        Err(ReadError::Aborted(reason)) => {
            context.limiter.refused();
            writer.reset(convert::abort_code(reason));
            Ok(())
        }
        Err(_) => Err(StreamError::Transport),
    }
}
