//! Answering ANNOUNCE_REQUEST: what this end has, as it changes.

use std::convert::Infallible;

use moq_model::platform::clock;
use moq_wire::{AnnounceRequest, code};

use super::LASTING;
use super::listing::Listing;
use super::telling::Telling;
use super::wording::begin;
use crate::context::Context;
use crate::error::{PeerFault, StreamError};
use crate::io::{Reader, Writer};
use crate::limiter::{Kind, Slot};
use crate::transport::{SendStream, Transport};

/// Tells what there is, page by page, and then what changes, until the peer ends the request.
///
/// The peer may take it when it likes: a reset would end the session of some subscribers. While it takes
/// nothing, no change is looked at, so that many of them become one.
pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    let _slot = Slot::take(&context.shared, Kind::Announces)?;
    let request = context.in_time(reader.only_message::<AnnounceRequest>("ANNOUNCE_REQUEST"));
    let request = request.await??;
    writer.at_leisure();
    let setup = context.peer_setup().await;
    let declared = match context.version.features().exclude_hop {
        true => request.exclude_hop,
        false => setup.hop.unwrap_or_default(),
    };
    let mut telling = context.absolute(&request.prefix).map(|prefix| {
        let published = context.publish.consume();
        let peer = context.peer(declared);
        let listing = Listing::new(&context.shared, prefix, request.include_hidden);
        Telling::new(&context.shared, listing, published, peer)
    });
    match &mut telling {
        Some(telling) => telling.begin(writer).await?,
        // What cannot exist is an empty set, because of what a reset would cost.
        None => drop(begin(context, writer, 0, 0)?),
    }
    let begun = clock::now();
    // A peer that has ended its half already gets the beginning, as far as the stream takes it.
    let end = tokio::select! {
        biased;
        failed = tell(telling, writer) => failed.map(|never| match never {}),
        end = reader.ended("a second message") => end,
    };
    let code = match end {
        Ok(()) | Err(StreamError::Reset(_) | StreamError::Stopped(_)) => code::stream::CANCELLED,
        Err(StreamError::Peer(PeerFault::Unexpected(_))) => code::stream::MALFORMED_TRACK,
        Err(error) => return Err(error),
    };
    // Who has listened for a while may end it as it likes.
    if clock::now().saturating_duration_since(begun) < LASTING {
        context.limiter.withdrawn();
    }
    writer.reset(code);
    Ok(())
}

async fn tell<S: SendStream>(
    telling: Option<Telling<'_>>,
    writer: &mut Writer<S>,
) -> Result<Infallible, StreamError> {
    match telling {
        Some(telling) => telling.run(writer).await,
        None => {
            writer.flush().await?;
            std::future::pending().await
        }
    }
}
