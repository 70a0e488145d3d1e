//! The reading side of a track.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::fetch::Fetch;
use super::latest::LatestReader;
use super::ordered::OrderedReader;
use super::readers::{Pick, ReaderId, Taken};
use super::shared::TrackShared;
use super::state::{TrackEnd, TrackState};
use super::subscription::{Subscription, TrackInfo};
use crate::error::{Abort, ReadError};
use crate::group::GroupConsumer;
use crate::ranges::GroupRange;

/// A track to read from; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct TrackConsumer {
    track: Arc<TrackShared>,
}

impl TrackConsumer {
    pub(crate) fn new(track: Arc<TrackShared>) -> Self {
        Self { track }
    }

    /// A track that was refused before it existed.
    #[must_use]
    pub fn refused(name: &str, reason: Abort) -> Self {
        let track = TrackShared::pending(name.into(), crate::Budget::default(), None);
        track.end(TrackEnd::Aborted(reason));
        Self { track }
    }

    /// The track's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.track.name
    }

    /// Waits for the track's properties.
    ///
    /// # Errors
    /// [`ReadError::Aborted`] if the track was refused.
    ///
    /// Cancel safe.
    pub async fn info(&self) -> Result<TrackInfo, ReadError> {
        let slot = self.track.lock().watchers.insert(Default::default());
        let watch = Watch {
            track: &self.track,
            slot,
        };
        poll_fn(|cx| watch.poll_info(cx)).await
    }

    /// Reads one group without subscribing: one that is held or still grows and, where a peer
    /// feeds the track, any other one too, for which the peer is asked.
    ///
    /// Whoever fetches the same group of a peer at the same time shares one request, which is taken
    /// back when nobody reads it any more. A refusal by the peer is how the group ends.
    ///
    /// # Errors
    /// [`ReadError::Aborted`] if the track was refused, and with [`Abort::NotFound`] where there is
    /// no such group and nobody to ask for it.
    ///
    /// Cancel safe. Draft: FETCH.
    pub async fn fetch(&self, fetch: Fetch) -> Result<GroupConsumer, ReadError> {
        self.info().await?;
        let group = self.track.fetch(&fetch);
        group.ok_or(ReadError::Aborted(Abort::NotFound))
    }

    /// Begins to read.
    #[must_use]
    pub fn subscribe(&self, subscription: Subscription) -> TrackReader {
        let id = self.track.lock().subscribe(subscription);
        TrackReader {
            track: self.track.clone(),
            id,
            subscription,
        }
    }
}

/// A place in the list of those who wait for a track's properties.
struct Watch<'a> {
    track: &'a TrackShared,
    slot: usize,
}

impl Watch<'_> {
    fn poll_info(&self, cx: &Context<'_>) -> Poll<Result<TrackInfo, ReadError>> {
        let mut state = self.track.lock();
        if let Some(info) = state.info {
            return Poll::Ready(Ok(info));
        }
        match state.end {
            Some(TrackEnd::Aborted(reason)) => return Poll::Ready(Err(ReadError::Aborted(reason))),
            Some(TrackEnd::Finished) => return Poll::Ready(Ok(TrackInfo::default())),
            None => {}
        }
        state.watchers[self.slot].register(cx);
        Poll::Pending
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.track.lock().watchers.try_remove(self.slot);
    }
}

/// One reader's place in a track. Dropping it ends the subscription.
#[derive(Debug)]
pub struct TrackReader {
    track: Arc<TrackShared>,
    id: ReaderId,
    subscription: Subscription,
}

impl TrackReader {
    /// The track that is read.
    #[must_use]
    pub fn track(&self) -> TrackConsumer {
        TrackConsumer::new(self.track.clone())
    }

    /// What was asked for.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The next group, newest first, or `None` after the last one.
    ///
    /// A group that became too old or was dropped for memory is yielded too, with that as its end.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next_group(&mut self) -> Result<Option<GroupConsumer>, ReadError> {
        poll_fn(|cx| self.poll_next_group(cx)).await
    }

    /// Poll form of [`Self::next_group`].
    ///
    /// # Errors
    /// As [`Self::next_group`].
    pub fn poll_next_group(
        &mut self,
        cx: &Context<'_>,
    ) -> Poll<Result<Option<GroupConsumer>, ReadError>> {
        self.poll_take(&mut self.track.lock(), cx, Pick::Newest)
    }

    /// Takes a group from a track whose lock is held; who finds none is woken by the next change.
    pub(super) fn poll_take(
        &self,
        state: &mut TrackState,
        cx: &Context<'_>,
        pick: Pick,
    ) -> Poll<Result<Option<GroupConsumer>, ReadError>> {
        if let Some(Taken { group, slot }) = state.take(self.id, pick) {
            let track = self.track.clone();
            let group = GroupConsumer::live(track, self.id, group, slot);
            return Poll::Ready(Ok(Some(group)));
        }
        match state.end {
            Some(TrackEnd::Finished) if state.is_complete() => Poll::Ready(Ok(None)),
            Some(TrackEnd::Aborted(reason)) => Poll::Ready(Err(ReadError::Aborted(reason))),
            _ => {
                state.register_reader(self.id, cx);
                Poll::Pending
            }
        }
    }

    /// The group that reading began with, once it has begun.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.track.lock().first(self.id)
    }

    /// Groups that are not going to come, of those that were lost since this was asked last; nothing
    /// before reading has begun.
    pub fn take_lost(&mut self) -> Vec<GroupRange> {
        self.track.lock().take_lost(self.id)
    }

    /// The sequence after the highest group of the track, even if that never came; final once the
    /// track is finished.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.track.lock().end_sequence()
    }

    /// Replaces what is wanted; groups that were yielded before are not yielded again.
    pub fn update(&mut self, subscription: Subscription) {
        self.subscription = subscription;
        self.track.lock().update(self.id, subscription);
    }

    /// Reads the groups in sequence instead.
    #[must_use]
    pub fn ordered(self) -> OrderedReader {
        OrderedReader::new(self)
    }

    /// Reads only the newest group instead, and leaves it for a newer one.
    #[must_use]
    pub fn latest(self) -> LatestReader {
        LatestReader::new(self)
    }

    pub(super) fn shared(&self) -> &TrackShared {
        &self.track
    }

    pub(super) fn id(&self) -> ReaderId {
        self.id
    }
}

impl Drop for TrackReader {
    fn drop(&mut self) {
        self.track.lock().unsubscribe(self.id);
    }
}
