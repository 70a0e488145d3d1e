//! Answering ANNOUNCE_REQUEST: what this end has, as it changes.

use std::collections::BTreeMap;

use moq_model::{Announced, AnnouncedEvent, BroadcastPath};
use moq_wire::{
    AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, EncodeError, Path, Route, code,
};

use super::listing::Listing;
use crate::context::{Context, Shared};
use crate::convert;
use crate::error::StreamError;
use crate::io::{Reader, Writer};
use crate::transport::{SendStream, Transport};

/// So many changes are taken at once.
const MAX_CHANGES: usize = 1_024;
/// With so many bytes no further change is added to a write.
const MAX_BATCH: usize = 16 << 10;

pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    let request = context.in_time(reader.only_message::<AnnounceRequest>("ANNOUNCE_REQUEST"));
    let request = request.await??;
    let setup = context.peer_setup().await;
    let declared = match context.version.features().exclude_hop {
        true => request.exclude_hop,
        false => setup.hop.unwrap_or_default(),
    };
    let Some(prefix) = context.absolute(&request.prefix) else {
        return tell_nothing(context, writer, reader).await;
    };
    let mut granted = context.grant.changes();
    let mut grant = granted.current();
    let mut listing = Listing::new(context, prefix, request.include_hidden);
    let peer = || context.peer(declared);
    let published = context.publish.consume();
    let mut announced = published.announced_for(&listing.prefix, peer());

    let mut own = Vec::new();
    let initial = initial_set(&mut announced, &mut listing, &mut own);
    let mut encoder = match tell_initial(context, writer, initial) {
        Ok(encoder) => encoder,
        Err(error) => {
            tracing::warn!(%error, "the initial set is withheld");
            own.clear();
            tell_initial(context, writer, BTreeMap::new())?
        }
    };

    loop {
        writer.flush().await?;
        for path in own.drain(..) {
            announced.confirm(&path);
        }
        tokio::select! {
            end = reader.ended("a second message") => {
                writer.reset(after(end)?);
                return Ok(());
            }
            () = granted.changed() => {
                let before = std::mem::replace(&mut grant, granted.current());
                let all = published.announced_for(&listing.prefix, peer());
                for event in listing.newly_allowed(all, &before) {
                    own.extend(tell(event, &mut listing, &mut encoder, writer));
                }
            }
            event = announced.next() => {
                own.extend(tell(event, &mut listing, &mut encoder, writer));
                for _ in 1..MAX_CHANGES {
                    // What is confirmed is the last change of a path, so it has to be out before the next.
                    if !own.is_empty() || writer.scratch.len() >= MAX_BATCH {
                        break;
                    }
                    let Some(event) = announced.try_next() else {
                        break;
                    };
                    own.extend(tell(event, &mut listing, &mut encoder, writer));
                }
            }
        }
    }
}

/// What there is already, and which broadcasts of it are this process's own.
fn initial_set(
    announced: &mut Announced,
    listing: &mut Listing<'_>,
    own: &mut Vec<BroadcastPath>,
) -> BTreeMap<Path, Route> {
    let mut initial = BTreeMap::new();
    while let Some(event) = announced.try_next() {
        let path = own_path(&event).cloned();
        let events = listing.apply(event);
        own.extend(path.filter(|_| !events.is_empty()));
        for event in events {
            match event {
                // As the encoder has it: a start changes nothing of what is there.
                AnnounceEvent::Start { suffix, route } => {
                    initial.entry(suffix).or_insert(route);
                }
                AnnounceEvent::Update { suffix, route } => {
                    initial.insert(suffix, route);
                }
                AnnounceEvent::End { suffix } => {
                    initial.remove(&suffix);
                }
            }
        }
    }
    initial
}

/// Answers a request for what cannot exist: with an empty set, because a reset would cost some
/// subscribers their session.
async fn tell_nothing<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    tell_initial(context, writer, BTreeMap::new())?;
    writer.flush().await?;
    let end = reader.ended("a second message").await;
    writer.reset(after(end)?);
    Ok(())
}

/// Tells the initial set, and how large it is where the draft says so; after an error, nothing.
fn tell_initial<S: SendStream>(
    context: &Shared,
    writer: &mut Writer<S>,
    initial: BTreeMap<Path, Route>,
) -> Result<AnnounceEncoder, EncodeError> {
    let before = writer.scratch.len();
    if context.version.features().announce_ok {
        writer.message(&AnnounceOk {
            hop: convert::wire_hop(context.hop),
            active: initial.len() as u64,
        })?;
    }
    let initial: Vec<_> = initial
        .into_iter()
        .map(|(suffix, route)| AnnounceEvent::Start { suffix, route })
        .collect();
    AnnounceEncoder::with_initial(context.version, &initial, &mut writer.scratch)
        .inspect_err(|_| writer.scratch.truncate(before))
}

/// Tells a change. Returns the path of an own broadcast that the peer then knows.
fn tell<S: SendStream>(
    change: AnnouncedEvent,
    listing: &mut Listing<'_>,
    encoder: &mut AnnounceEncoder,
    writer: &mut Writer<S>,
) -> Option<BroadcastPath> {
    let path = own_path(&change).cloned();
    let mut is_told = false;
    for event in listing.apply(change) {
        is_told = put(encoder, &event, writer);
    }
    path.filter(|_| is_told)
}

/// A broadcast of this process that an event tells of: its publisher may wait for that.
fn own_path(event: &AnnouncedEvent) -> Option<&BroadcastPath> {
    match event {
        AnnouncedEvent::Start(path, route) | AnnouncedEvent::Update(path, route)
            if route.hops.is_empty() =>
        {
            Some(path)
        }
        _ => None,
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

/// Tells a change, and says whether the peer has it then. A route that takes the place of one which was
/// withheld is a new one to the peer.
fn put<S: SendStream>(
    encoder: &mut AnnounceEncoder,
    event: &AnnounceEvent,
    writer: &mut Writer<S>,
) -> bool {
    let result = match encoder.encode(event, &mut writer.scratch) {
        Err(EncodeError::NotAnnounced) => match event {
            AnnounceEvent::Update { suffix, route } => {
                let (suffix, route) = (suffix.clone(), route.clone());
                encoder.encode(&AnnounceEvent::Start { suffix, route }, &mut writer.scratch)
            }
            _ => Ok(()),
        },
        result => result,
    };
    match result {
        // The peer keeps what it was told before.
        Ok(()) | Err(EncodeError::AlreadyAnnounced | EncodeError::NotInVersion) => true,
        Err(error) => {
            tracing::debug!(%error, ?event, "announcement withheld");
            false
        }
    }
}
