//! What one request for announcements is told.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use moq_model::session::SplitHorizon;
use moq_model::{Announced, AnnouncedEvent, BroadcastPath, OriginConsumer, Route};
use moq_wire::{AnnounceEncoder, AnnounceEvent, AnnounceOk, EncodeError, Path};

use super::listing::Listing;
use crate::context::Shared;
use crate::convert;
use crate::error::StreamError;
use crate::grant::Grant;
use crate::granted::Changes;
use crate::io::Writer;
use crate::limiter::Told;
use crate::transport::SendStream;

/// So many changes are taken at once.
const MAX_CHANGES: usize = 256;
/// With so many bytes no further change is added to a write.
const MAX_BATCH: usize = 16 << 10;

/// What one request was told, and what is still to be told.
pub(super) struct Telling<'a> {
    shared: &'a Shared,
    listing: Listing<'a>,
    published: OriginConsumer,
    peer: SplitHorizon,
    announced: Announced,
    granted: Changes,
    /// What the peer was allowed when it was told last.
    grant: Arc<Grant>,
    encoder: AnnounceEncoder,
    /// So many starts are still to come of those that were counted.
    owed: usize,
    /// What was there in the beginning is being told, without a count.
    is_filling: bool,
    /// The paths of this process that the batch on its way tells of.
    own: Vec<BroadcastPath>,
    told: Told,
}

/// Begins the answer: with the size of the initial set where the draft says so, and with the head of a
/// list of so many `bytes` where it has one.
pub(super) fn begin<S: SendStream>(
    shared: &Shared,
    writer: &mut Writer<S>,
    count: usize,
    bytes: usize,
) -> Result<AnnounceEncoder, EncodeError> {
    let features = shared.version.features();
    if features.announce_ok {
        writer.message(&AnnounceOk {
            hop: convert::wire_hop(shared.hop),
            active: count as u64,
        })?;
    }
    let mut encoder = AnnounceEncoder::new(shared.version);
    if features.announce_init {
        encoder.begin_list(count, bytes, &mut writer.scratch)?;
    }
    Ok(encoder)
}

impl<'a> Telling<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        listing: Listing<'a>,
        published: OriginConsumer,
        peer: SplitHorizon,
    ) -> Self {
        let mut granted = shared.grant.changes();
        Self {
            shared,
            announced: published.announced_for(&listing.prefix, peer),
            listing,
            published,
            peer,
            grant: granted.current(),
            granted,
            encoder: AnnounceEncoder::new(shared.version),
            owed: 0,
            is_filling: false,
            own: Vec::new(),
            told: Told::new(shared),
        }
    }

    /// Prepares the beginning of the answer, which waits for nothing that the peer does.
    pub(super) async fn begin<S: SendStream>(
        &mut self,
        writer: &mut Writer<S>,
    ) -> Result<(), StreamError> {
        self.start(writer).await?;
        match self.ready().await {
            Some(first) => self.batch(first, writer).await,
            None => Ok(()),
        }
    }

    /// The next change, if it is there.
    async fn ready(&mut self) -> Option<AnnouncedEvent> {
        let announced = &mut self.announced;
        poll_fn(|cx| match announced.poll_next(cx) {
            Poll::Ready(event) => Poll::Ready(Some(event)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Tells what there is and what changes, one batch after the other, for as long as the peer listens.
    pub(super) async fn run<S: SendStream>(
        mut self,
        writer: &mut Writer<S>,
    ) -> Result<Infallible, StreamError> {
        loop {
            writer.flush().await?;
            for path in self.own.drain(..) {
                self.announced.confirm(&path);
            }
            breathe().await;
            let event = tokio::select! {
                biased;
                () = self.granted.changed() => {
                    self.widen(writer);
                    continue;
                }
                event = self.announced.next() => event,
            };
            self.batch(event, writer).await?;
        }
    }

    /// Tells what the peer is allowed by now and was not before.
    fn widen<S: SendStream>(&mut self, writer: &mut Writer<S>) {
        let before = std::mem::replace(&mut self.grant, self.granted.current());
        let all = self
            .published
            .announced_for(&self.listing.prefix, self.peer);
        for event in self.listing.newly_allowed(all, &before) {
            self.tell(event, writer);
        }
        self.told.set(self.encoder.live());
    }

    /// Counts the initial set where the draft tells its size, and begins.
    async fn start<S: SendStream>(&mut self, writer: &mut Writer<S>) -> Result<(), StreamError> {
        let covering = self.covering();
        let features = self.shared.version.features();
        let (mut count, mut bytes) = (0, 0);
        if let Some(event) = &covering {
            count += 1;
            bytes += self.encoder.listed_len(event.suffix());
        }
        if features.announce_ok || features.announce_init {
            while let Some(page) = self.announced.survey() {
                let suffixes = page
                    .iter()
                    .map(|(path, route)| self.listing.lists(path, route));
                let suffixes: Vec<Option<Path>> = suffixes.collect();
                let listed: Vec<bool> = suffixes.iter().map(Option::is_some).collect();
                for suffix in suffixes.iter().flatten() {
                    count += 1;
                    bytes += self.encoder.listed_len(suffix);
                }
                self.announced.promise(&listed);
                self.told.set(count);
                self.told.check()?;
                breathe().await;
            }
            self.owed = count;
        } else {
            self.is_filling = true;
        }
        self.encoder = begin(self.shared, writer, count, bytes)?;
        if let Some(event) = covering {
            self.start_one(event.suffix(), Some(&event), writer);
        }
        Ok(())
    }

    /// Looks at the routes that cover the whole prefix, and says what is told of them.
    fn covering(&mut self) -> Option<AnnounceEvent> {
        while let Some(event) = self.announced.next_covering() {
            let path = own_path(&event).cloned();
            self.listing.apply(event);
            self.own.extend(path);
        }
        let event = self.listing.covered();
        if event.is_none() {
            self.own.clear();
        }
        event
    }

    /// Takes the changes that there are after the first, as many as go into one batch.
    async fn batch<S: SendStream>(
        &mut self,
        first: AnnouncedEvent,
        writer: &mut Writer<S>,
    ) -> Result<(), StreamError> {
        let is_filling = self.is_filling;
        self.tell(first, writer);
        for _ in 1..MAX_CHANGES {
            if writer.scratch.len() >= MAX_BATCH {
                break;
            }
            let Some(event) = self.ready().await else {
                self.is_filling = false;
                break;
            };
            self.tell(event, writer);
        }
        self.told.set(self.encoder.live());
        // Later, a reset would cost the session more than the few that come.
        if is_filling {
            self.told.check()?;
        }
        Ok(())
    }

    /// Tells a change.
    fn tell<S: SendStream>(&mut self, change: AnnouncedEvent, writer: &mut Writer<S>) {
        let own = own_path(&change).cloned();
        let suffix = match &change {
            AnnouncedEvent::Start(path, _) if self.owed > 0 => self.listing.suffix(path),
            _ => None,
        };
        let events = self.listing.apply(change);
        let is_told = match suffix {
            Some(suffix) => {
                // One text is held for both.
                let suffix = events
                    .first()
                    .map_or(suffix, |event| event.suffix().clone());
                self.start_one(&suffix, events.first(), writer)
            }
            None => {
                let mut is_told = false;
                for event in &events {
                    is_told = self.put(event, writer);
                }
                is_told
            }
        };
        self.own.extend(own.filter(|_| is_told));
    }

    /// Tells the start of one path of the initial set. It was counted, so it is told in any case: without a
    /// route that can be told, as the last resort. Says whether the peer has the route.
    fn start_one<S: SendStream>(
        &mut self,
        suffix: &Path,
        event: Option<&AnnounceEvent>,
        writer: &mut Writer<S>,
    ) -> bool {
        let is_owed = self.owed > 0;
        self.owed = self.owed.saturating_sub(1);
        if is_owed && self.shared.version.features().announce_init {
            return self.encoder.list(suffix, &mut writer.scratch).is_ok();
        }
        if event.is_some_and(|event| self.put(event, writer)) {
            return true;
        }
        if is_owed {
            let (suffix, route) = (suffix.clone(), self.listing.route(Route::LAST_RESORT));
            let start = route.map(|route| AnnounceEvent::Start { suffix, route });
            if let Some(start) = start {
                self.put(&start, writer);
            }
        }
        false
    }

    /// Tells a change, and says whether the peer has it then. A route that takes the place of one which was
    /// withheld is a new one to the peer.
    fn put<S: SendStream>(&mut self, event: &AnnounceEvent, writer: &mut Writer<S>) -> bool {
        let encoder = &mut self.encoder;
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

/// Lets the session's other tasks run.
async fn breathe() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
