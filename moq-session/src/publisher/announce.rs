//! Answering ANNOUNCE_REQUEST: what this end has, as it changes.

use std::collections::BTreeMap;

use moq_model::{AnnouncedEvent, BroadcastPath, HopId, Route};
use moq_wire::{
    AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, EncodeError, Path, code,
};

use crate::context::{Context, Shared};
use crate::convert;
use crate::error::StreamError;
use crate::io::{Reader, Writer};
use crate::transport::{SendStream, Transport};

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
    let mut listing = Listing::new(context, prefix, request.include_hidden);
    let mut announced = context
        .publish
        .consume()
        .announced_for(&listing.prefix, context.peer(declared));

    let mut initial = BTreeMap::new();
    while let Some(event) = announced.try_next() {
        for event in listing.apply(event) {
            match event {
                AnnounceEvent::Start { suffix, route }
                | AnnounceEvent::Update { suffix, route } => {
                    initial.insert(suffix, route);
                }
                AnnounceEvent::End { suffix } => {
                    initial.remove(&suffix);
                }
            }
        }
    }
    let mut encoder = tell_initial(context, writer, initial);

    loop {
        writer.flush().await?;
        tokio::select! {
            end = reader.ended("a second message") => {
                writer.reset(after(end)?);
                return Ok(());
            }
            event = announced.next() => {
                for event in listing.apply(event) {
                    put(&mut encoder, &event, writer);
                }
            }
        }
    }
}

/// Answers a request for what cannot exist: with an empty set, because a reset would cost some
/// subscribers their session.
async fn tell_nothing<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    tell_initial(context, writer, BTreeMap::new());
    writer.flush().await?;
    let end = reader.ended("a second message").await;
    writer.reset(after(end)?);
    Ok(())
}

/// Tells the initial set, and how large it is where the draft says so.
fn tell_initial<S: SendStream>(
    context: &Shared,
    writer: &mut Writer<S>,
    initial: BTreeMap<Path, moq_wire::Route>,
) -> AnnounceEncoder {
    if context.version.features().announce_ok {
        writer.message(&AnnounceOk {
            hop: convert::wire_hop(context.hop),
            active: initial.len() as u64,
        });
    }
    let initial: Vec<_> = initial
        .into_iter()
        .map(|(suffix, route)| AnnounceEvent::Start { suffix, route })
        .collect();
    AnnounceEncoder::with_initial(context.version, &initial, &mut writer.scratch).unwrap_or_else(
        |error| {
            tracing::warn!(%error, "the initial set is withheld");
            AnnounceEncoder::new(context.version)
        },
    )
}

/// The code that answers the end of the peer's half.
fn after(end: Result<(), StreamError>) -> Result<u32, StreamError> {
    match end {
        Ok(()) => Ok(code::stream::CANCELLED),
        Err(StreamError::Peer(_)) => Ok(code::stream::MALFORMED_TRACK),
        Err(error) => Err(error),
    }
}

/// Tells a change. A route that takes the place of one which was withheld is a new one to the peer.
fn put<S: SendStream>(
    encoder: &mut AnnounceEncoder,
    event: &AnnounceEvent,
    writer: &mut Writer<S>,
) {
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
    if let Err(error) = result {
        tracing::debug!(%error, ?event, "announcement withheld");
    }
}

/// What one Announce stream has told, and has to tell.
struct Listing<'a> {
    context: &'a Shared,
    prefix: BroadcastPath,
    include_hidden: bool,
    /// Routes at the prefix or above it. They all are the empty suffix, so only the longest is told.
    covering: BTreeMap<BroadcastPath, Route>,
    /// Who publishes what was told, by suffix; only where the draft can't replace a route.
    publishers: BTreeMap<Path, Option<HopId>>,
}

impl<'a> Listing<'a> {
    fn new(context: &'a Shared, prefix: BroadcastPath, include_hidden: bool) -> Self {
        Self {
            context,
            prefix,
            include_hidden,
            covering: BTreeMap::new(),
            publishers: BTreeMap::new(),
        }
    }

    /// What the peer is told of a change.
    fn apply(&mut self, event: AnnouncedEvent) -> Vec<AnnounceEvent> {
        let (path, route) = match event {
            AnnouncedEvent::Start(path, route) => (path, Some((route, true))),
            AnnouncedEvent::Update(path, route) => (path, Some((route, false))),
            AnnouncedEvent::End(path) => (path, None),
            _ => return Vec::new(),
        };
        match path.strip_prefix(&self.prefix) {
            Some(suffix) if !suffix.is_root() => self.below(&path, &suffix, route),
            _ => self.cover(path, route.map(|(route, _)| route)),
        }
    }

    fn below(
        &mut self,
        path: &BroadcastPath,
        suffix: &BroadcastPath,
        route: Option<(Route, bool)>,
    ) -> Vec<AnnounceEvent> {
        if (suffix.is_hidden() && !self.include_hidden) || !self.context.grant.may_subscribe(path) {
            return Vec::new();
        }
        let suffix = convert::wire_path(suffix);
        match route {
            Some((route, true)) => self.start(suffix, &route).into_iter().collect(),
            Some((route, false)) => self.replace(suffix, &route),
            None => vec![self.end(suffix)],
        }
    }

    /// Applies a change at or above the prefix.
    fn cover(&mut self, path: BroadcastPath, route: Option<Route>) -> Vec<AnnounceEvent> {
        if !self.context.grant.may_subscribe(&self.prefix) {
            return Vec::new();
        }
        let before = self
            .covering
            .last_key_value()
            .map(|(path, route)| (path.clone(), route.clone()));
        match route {
            Some(route) => self.covering.insert(path, route),
            None => self.covering.remove(&path),
        };
        let suffix = Path::default();
        let after = self.covering.last_key_value();
        let after = after.map(|(path, route)| (path.clone(), route.clone()));
        match (before, after) {
            (None, Some((_, route))) => self.start(suffix, &route).into_iter().collect(),
            (Some(before), Some(after)) if before != after => self.replace(suffix, &after.1),
            (Some(_), None) => vec![self.end(suffix)],
            _ => Vec::new(),
        }
    }

    fn start(&mut self, suffix: Path, route: &Route) -> Option<AnnounceEvent> {
        let chain = self.chain(route)?;
        if !self.can_replace() {
            let publisher = route.hops.first().copied();
            self.publishers.insert(suffix.clone(), publisher);
        }
        let route = convert::wire_route(chain, route);
        Some(AnnounceEvent::Start { suffix, route })
    }

    fn end(&mut self, suffix: Path) -> AnnounceEvent {
        self.publishers.remove(&suffix);
        AnnounceEvent::End { suffix }
    }

    /// Replaces a route. Where the draft can't, the peer keeps the one it has as long as its
    /// publisher is the same, by a start that is withheld if the peer was told before; the route of
    /// another publisher leads to other content, which an end and a start say.
    fn replace(&mut self, suffix: Path, route: &Route) -> Vec<AnnounceEvent> {
        if self.can_replace() {
            return vec![match self.chain(route) {
                Some(hops) => {
                    let route = convert::wire_route(hops, route);
                    AnnounceEvent::Update { suffix, route }
                }
                None => AnnounceEvent::End { suffix },
            }];
        }
        let publisher = route.hops.first().copied();
        let told = self.publishers.get(&suffix);
        let is_same = told.is_none_or(|told| *told == publisher);
        let Some(start) = self.start(suffix.clone(), route) else {
            return vec![self.end(suffix)];
        };
        match is_same {
            true => vec![start],
            false => vec![AnnounceEvent::End { suffix }, start],
        }
    }

    /// Whether the draft has a word for another route. Before routes were told at all, a repetition
    /// was one, which some subscribers take for a violation.
    fn can_replace(&self) -> bool {
        let features = self.context.version.features();
        features.typed_announce || (features.announce_replace && features.hop_count)
    }

    /// The chain as the draft wants it, or `None` if there is no room for the peer in it.
    fn chain(&self, route: &Route) -> Option<Vec<HopId>> {
        let mut hops = route.hops.clone();
        if hops.len() >= HopId::MAX_CHAIN {
            return None;
        }
        if self.context.version.features().sender_in_chain {
            hops.push(self.context.hop);
        }
        Some(hops)
    }
}
