//! What one request for announcements is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use moq_model::session::SplitHorizon;
use moq_model::{Announced, AnnouncedEvent, BroadcastPath, OriginConsumer};
use moq_wire::Path;

use super::listing::Listing;
use super::wording::Wording;
use crate::context::Shared;
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
    wording: Wording<'a>,
    published: OriginConsumer,
    peer: SplitHorizon,
    announced: Announced,
    granted: Changes,
    /// What the peer was allowed when it was told last.
    grant: Arc<Grant>,
    added: Option<Added>,
    told: Told,
}

/// A walk through what is there, for what the peer is allowed in addition.
struct Added {
    all: Announced,
    /// What it was allowed before.
    before: Arc<Grant>,
    /// What was found and is not told.
    page: VecDeque<AnnouncedEvent>,
}

/// Follows what a peer may be told. A draft without costs has no last resort either.
fn announced(
    shared: &Shared,
    published: &OriginConsumer,
    listing: &Listing<'_>,
    peer: SplitHorizon,
) -> Announced {
    let announced = published.announced_for(&listing.prefix, peer);
    match shared.version.features().typed_announce {
        true => announced,
        false => announced.without_silent(),
    }
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
            announced: announced(shared, &published, &listing, peer),
            wording: Wording::new(shared, listing),
            published,
            peer,
            grant: granted.current(),
            granted,
            added: None,
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
            for path in self.wording.own.drain(..) {
                self.announced.confirm(&path);
            }
            breathe().await;
            if self.tell_added(writer)? {
                continue;
            }
            let event = tokio::select! {
                biased;
                // A start that comes in between would pass for one of those that were counted.
                () = self.granted.changed(), if self.wording.owed == 0 => {
                    self.widen();
                    continue;
                }
                event = self.announced.next() => event,
            };
            self.batch(event, writer).await?;
        }
    }

    /// Begins to look for what the peer is allowed by now and was not before.
    fn widen(&mut self) {
        let before = std::mem::replace(&mut self.grant, self.granted.current());
        if before.may_subscribe_all(&self.grant) {
            return;
        }
        let listing = &self.wording.listing;
        let all = announced(self.shared, &self.published, listing, self.peer);
        self.added = Some(Added {
            all,
            before,
            page: VecDeque::new(),
        });
    }

    /// Tells one batch of what is allowed in addition; false if nothing is left of that. What changes
    /// meanwhile is told after it.
    fn tell_added<S: SendStream>(&mut self, writer: &mut Writer<S>) -> Result<bool, StreamError> {
        let Some(added) = &mut self.added else {
            return Ok(false);
        };
        if added.page.is_empty() {
            let Some(page) = added.all.survey() else {
                self.added = None;
                return Ok(false);
            };
            added.all.promise(&[]);
            let listing = &self.wording.listing;
            let is_new = |path: &BroadcastPath| listing.is_newly_allowed(path, &added.before);
            let page = page.into_iter().filter(|(path, _)| is_new(path));
            added.page = page
                .map(|(path, route)| AnnouncedEvent::Start(path, route))
                .collect();
        }
        while writer.scratch.len() < MAX_BATCH {
            let Some(event) = added.page.pop_front() else {
                break;
            };
            self.wording.tell(event, writer);
        }
        self.count()?;
        Ok(true)
    }

    /// Counts the initial set where the draft tells its size, and begins.
    async fn start<S: SendStream>(&mut self, writer: &mut Writer<S>) -> Result<(), StreamError> {
        let announced = &mut self.announced;
        let routes = std::iter::from_fn(|| announced.next_covering());
        let covering = self.wording.covering(routes);
        let features = self.shared.version.features();
        let (mut count, mut bytes, mut owed) = (0, 0, 0);
        if let Some(event) = &covering {
            count += 1;
            bytes += self.wording.listed_len(event.suffix());
        }
        if features.announce_ok || features.announce_init {
            while let Some(page) = self.announced.survey() {
                let suffixes = page
                    .iter()
                    .map(|(path, route)| self.wording.listing.lists(path, route));
                let suffixes: Vec<Option<Path>> = suffixes.collect();
                let listed: Vec<bool> = suffixes.iter().map(Option::is_some).collect();
                for suffix in suffixes.iter().flatten() {
                    count += 1;
                    bytes += self.wording.listed_len(suffix);
                }
                self.announced.promise(&listed);
                self.told.set(count);
                self.told.check()?;
                breathe().await;
            }
            owed = count;
        }
        self.wording.begin(writer, (count, bytes), owed)?;
        if let Some(event) = covering {
            self.wording.start_one(event.suffix(), Some(&event), writer);
        }
        Ok(())
    }

    /// Takes the changes that there are after the first, as many as go into one batch.
    async fn batch<S: SendStream>(
        &mut self,
        first: AnnouncedEvent,
        writer: &mut Writer<S>,
    ) -> Result<(), StreamError> {
        self.wording.tell(first, writer);
        for _ in 1..MAX_CHANGES {
            if writer.scratch.len() >= MAX_BATCH {
                break;
            }
            let Some(event) = self.ready().await else {
                break;
            };
            self.wording.tell(event, writer);
        }
        self.count()
    }

    /// Counts what was told and what is promised, which takes as much room.
    fn count(&mut self) -> Result<(), StreamError> {
        self.told.set(self.wording.live() + self.wording.owed);
        Ok(self.told.check()?)
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
