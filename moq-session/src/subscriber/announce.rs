//! Following what the peer announces.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use moq_model::session::{Source, SyncGuard};
use moq_model::{HopId, Publication, Route};
use moq_wire::{
    AnnounceDecoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, Path, varint,
};

use super::request::open;
use crate::context::{Context, Shared};
use crate::convert;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Announced, Reader, Writer};
use crate::limiter::Bucket;
use crate::limits::Limit;
use crate::transport::Transport;

/// So many times as long as one answer may take, the set may take as a whole. Other watchers wait for it.
const PATIENCE: u32 = 3;
/// Silence after which a draft that does not mark the end of the initial set has told it.
const SETTLE: Duration = Duration::from_millis(500);
/// How long to wait before asking again a peer that reset the stream; doubled each time.
const RETRY: Duration = Duration::from_millis(500);
/// The longest such wait.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// Follows the peer's announcements once somebody wants them. The guard goes when the initial set
/// is complete.
pub(super) async fn follow<T: Transport>(
    context: Context<T>,
    sync: SyncGuard,
) -> Result<(), SessionError> {
    context.wants_announcements.notified().await;
    let mut sync = Some(sync);
    let mut retry = RETRY;
    loop {
        let mut is_answered = false;
        match listen(&context, &mut sync, &mut is_answered).await {
            Ok(()) => return Ok(()),
            Err(StreamError::Peer(fault)) => return Err(fault.into()),
            // It would be no other the next time.
            Err(StreamError::Encode(error)) => return Err(error.into()),
            Err(StreamError::Transport) => return Ok(()),
            Err(_) if context.is_leaving() => return Ok(()),
            Err(error) => tracing::debug!(%error, ?retry, "announcements ended, asking again"),
        }
        sync = None;
        if is_answered {
            retry = RETRY;
        }
        clock::sleep(retry).await;
        retry = (retry * 2).min(MAX_RETRY);
    }
}

/// Follows one Announce stream to its end; what was learned on it goes with it.
async fn listen<T: Transport>(
    context: &Context<T>,
    sync: &mut Option<SyncGuard>,
    is_answered: &mut bool,
) -> Result<(), StreamError> {
    let (mut writer, mut reader) = ask(context).await?;
    // The price and the identity of the peer come with its SETUP.
    context.peer_setup().await;
    let mut table = Table::new(context);
    let mut awaited = read_ok(context, &mut reader, &mut table).await?;
    *is_answered = awaited.is_some();
    // What was learned would be lost with the stream.
    reader.at_leisure();
    let is_listed = context.version.features().announce_init;
    let mut decoder = AnnounceDecoder::new(context.version).with_room(table.room());
    let until = clock::now() + context.answer_timeout * PATIENCE;
    let mut pace = Pace::new(context);
    let mut granted = context.grant.changes();
    loop {
        if awaited == Some(0) {
            *sync = None;
        }
        let is_marked = is_listed || awaited.is_some();
        let wait = match is_marked {
            true => context.answer_timeout,
            false => SETTLE,
        };
        let limit = sync.as_ref().map(|_| until.min(clock::now() + wait));
        let announced = tokio::select! {
            biased;
            () = granted.changed() => {
                table.admit();
                continue;
            }
            announced = within(limit, reader.announced(&mut decoder)) => announced,
        };
        let Some(announced) = announced else {
            *sync = None;
            continue;
        };
        let announced = announced?;
        *is_answered = true;
        awaited = awaited.or_else(|| decoder.listed());
        match announced {
            None => break,
            Some(Announced::Listed) => {}
            // No more of the set will be known here.
            Some(Announced::LeftOut) => {
                context.limiter.reach(Limit::Announces);
                *sync = None;
            }
            Some(Announced::Event(event)) => {
                pace.keep(&event, awaited).await;
                awaited = awaited.map(|left| left.saturating_sub(1));
                table.apply(event)?;
            }
        }
    }
    *sync = None;
    writer.finish().await
}

/// Asks for everything, hidden paths included.
async fn ask<T: Transport>(
    context: &Context<T>,
) -> Result<(Writer<T::Send>, Reader<T::Recv>), StreamError> {
    let (mut writer, reader) = open(context, BiStream::Announce)
        .await
        .map_err(|_| StreamError::Timeout)?;
    writer.message(&AnnounceRequest {
        prefix: Path::default(),
        exclude_hop: convert::wire_hop(context.hop),
        include_hidden: true,
    })?;
    writer.flush().await?;
    Ok((writer, reader))
}

/// Waits for the next announcement, without a limit if there is none.
async fn within<F: Future>(limit: Option<Instant>, announced: F) -> Option<F::Output> {
    match limit {
        Some(limit) => clock::timeout_at(limit, announced).await.ok(),
        None => Some(announced.await),
    }
}

/// Reads ANNOUNCE_OK where the draft has it; says how many announcements the initial set has.
async fn read_ok<T: Transport>(
    context: &Context<T>,
    reader: &mut Reader<T::Recv>,
    table: &mut Table<'_>,
) -> Result<Option<u64>, StreamError> {
    if !context.version.features().announce_ok {
        return Ok(None);
    }
    let ok = context
        .in_time(reader.message::<AnnounceOk>("ANNOUNCE_OK"))
        .await??;
    let Some(ok) = ok else { return Ok(Some(0)) };
    // A sibling is no further hop.
    table.sender = (!context.is_sibling).then(|| convert::hop(ok.hop));
    Ok(Some(ok.active))
}

/// How fast announcements are taken in.
struct Pace<'a> {
    context: &'a Shared,
    bucket: Bucket,
    /// How many of the initial set may come as fast as they can.
    initial: usize,
}

impl<'a> Pace<'a> {
    fn new(context: &'a Shared) -> Self {
        let limits = &context.limiter.limits;
        Self {
            context,
            bucket: Bucket::new(limits.announce_rate),
            initial: limits.announces,
        }
    }

    /// Waits where announcements come too fast, outside of an initial set that is still `awaited`.
    async fn keep(&mut self, event: &AnnounceEvent, awaited: Option<u64>) {
        if matches!(event, AnnounceEvent::End { .. }) {
            return;
        }
        if awaited.is_some_and(|left| left > 0) && self.initial > 0 {
            self.initial -= 1;
            return;
        }
        let wait = self.bucket.take(clock::now());
        if !wait.is_zero() {
            self.context.limiter.reach(Limit::AnnounceRate);
            clock::sleep(wait).await;
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        self.context.limiter.announced.store(0, Ordering::Relaxed);
    }
}

/// The routes that one Announce stream has told.
struct Table<'a> {
    context: &'a Shared,
    /// Who appends itself to each chain by ANNOUNCE_OK.
    sender: Option<HopId>,
    /// By suffix; `None` for a route that is live and of no use here.
    routes: BTreeMap<Path, Option<Publication>>,
    /// Those of them that are not granted, in case they will be.
    refused: BTreeMap<Path, moq_wire::Route>,
    /// How many of them are of use.
    published: usize,
}

impl<'a> Table<'a> {
    fn new(context: &'a Shared) -> Self {
        Self {
            context,
            sender: None,
            routes: BTreeMap::new(),
            refused: BTreeMap::new(),
            published: 0,
        }
    }

    /// How many announcements are taken in, and the rest left out. What a client makes is its own fault,
    /// and too much of it ends its session instead.
    fn room(&self) -> usize {
        match self.context.is_relay {
            true => self.context.limiter.limits.announces,
            false => usize::MAX,
        }
    }

    fn apply(&mut self, event: AnnounceEvent) -> Result<(), PeerFault> {
        let applied = self.change(event);
        let announced = &self.context.limiter.announced;
        announced.store(self.published, Ordering::Relaxed);
        applied
    }

    fn change(&mut self, event: AnnounceEvent) -> Result<(), PeerFault> {
        match event {
            AnnounceEvent::Start { suffix, route } | AnnounceEvent::Update { suffix, route } => {
                let publication = self.announce(&suffix, &route);
                self.refused.remove(&suffix);
                if !self.is_granted(&suffix) {
                    self.refused.insert(suffix.clone(), route);
                }
                // The new route is in place before the old one goes, so that nobody sees a gap.
                self.published += usize::from(publication.is_some());
                let before = self.routes.insert(suffix, publication).flatten();
                self.published -= usize::from(before.is_some());
                let allowed = self.context.limiter.limits.announces;
                if self.routes.len() > allowed {
                    return Err(self.context.limiter.exceed(Limit::Announces, allowed));
                }
            }
            AnnounceEvent::End { suffix } => {
                self.refused.remove(&suffix);
                let before = self.routes.remove(&suffix).flatten();
                self.published -= usize::from(before.is_some());
            }
        }
        Ok(())
    }

    /// Takes in what is granted by now.
    fn admit(&mut self) {
        for (suffix, route) in std::mem::take(&mut self.refused) {
            if self.is_granted(&suffix) {
                let publication = self.announce(&suffix, &route);
                self.published += usize::from(publication.is_some());
                self.routes.insert(suffix, publication);
            } else {
                self.refused.insert(suffix, route);
            }
        }
    }

    fn is_granted(&self, suffix: &Path) -> bool {
        let path = self.context.absolute(suffix);
        path.is_none_or(|path| self.context.grant.may_publish(&path))
    }

    fn announce(&self, suffix: &Path, route: &moq_wire::Route) -> Option<Publication> {
        let path = self.context.absolute(suffix)?;
        if !self.context.grant.may_publish(&path) {
            tracing::debug!(%path, "announcement ignored: not granted");
            return None;
        }
        let hops = self.chain(route.hops.iter().copied().map(convert::hop).collect())?;
        let (warm_cost, cold_cost) = self.price(route);
        let route = Route {
            hops,
            warm_cost,
            cold_cost,
        };
        let source = Source::Requests(self.context.source.clone());
        Some(
            self.context
                .subscribe
                .announce(&path, route, source, Some(self.context.id)),
        )
    }

    /// The chain as it is stored here, or `None` for a route that would lead in a circle or has
    /// no room.
    fn chain(&self, mut hops: Vec<HopId>) -> Option<Vec<HopId>> {
        if let Some(sender) = self.sender {
            if !sender.is_anonymous() && hops.contains(&sender) {
                return None;
            }
            hops.push(sender);
        }
        if hops.contains(&self.context.hop) {
            return None;
        }
        if hops.first().is_none_or(|hop| hop.is_anonymous()) {
            if hops.is_empty() {
                hops.push(HopId::ANONYMOUS);
            }
            hops.insert(0, self.context.stamp);
        }
        (hops.len() <= HopId::MAX_CHAIN).then_some(hops)
    }

    /// The route's costs with the price of this link.
    fn price(&self, route: &moq_wire::Route) -> (u64, u64) {
        if self.context.is_leaving() {
            return (Route::MAX_COST, Route::MAX_COST);
        }
        if !self.context.version.features().typed_announce || self.context.is_sibling {
            return (route.warm_cost, route.cold_cost);
        }
        let link = self
            .context
            .peer
            .borrow()
            .as_ref()
            .and_then(|setup| setup.cost)
            .unwrap_or(1);
        let add = |cost: u64| cost.saturating_add(link).min(varint::MAX);
        (add(route.warm_cost), add(route.cold_cost))
    }
}
