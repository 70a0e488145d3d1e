//! Answering ANNOUNCE_REQUEST: what this end has, as it changes.

use std::convert::Infallible;

use moq_wire::{AnnounceRequest, code};

use super::listing::Listing;
use super::telling::Telling;
use super::wording::begin;
use crate::context::Context;
use crate::error::StreamError;
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
    // A peer that has ended its half already gets the beginning, as far as the stream takes it.
    let failed = tokio::select! {
        biased;
        failed = tell(telling, writer) => failed,
        end = reader.ended("a second message") => {
            context.limiter.withdrawn();
            writer.reset(after(end)?);
            return Ok(());
        }
    };
    failed.map(|never| match never {})
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

/// The code that answers the end of the peer's half.
fn after(end: Result<(), StreamError>) -> Result<u32, StreamError> {
    match end {
        Ok(()) => Ok(code::stream::CANCELLED),
        Err(StreamError::Peer(_)) => Ok(code::stream::MALFORMED_TRACK),
        Err(error) => Err(error),
    }
}
