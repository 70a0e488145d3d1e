//! The reading side of a track.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::fetch::Fetch;
use super::info::{Subscription, TrackInfo};
use super::latest::LatestReader;
use super::ordered::OrderedReader;
use super::shared::{State, TrackShared};
use super::state::{Backlog, Newest, ReaderId, TrackEnd};
use crate::broadcast::BroadcastShared;
use crate::error::{Abort, ReadError};
use crate::group::GroupConsumer;
use crate::ranges::GroupRange;

/// A track to read from; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct TrackConsumer {
    track: Arc<TrackShared>,
    /// Where the track can be asked for again, once it ended because nobody read it.
    broadcast: Option<Arc<BroadcastShared>>,
}

impl TrackConsumer {
    pub(crate) fn new(track: Arc<TrackShared>, broadcast: Option<Arc<BroadcastShared>>) -> Self {
        Self { track, broadcast }
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
    /// Cancel safe. Draft: TRACK.
    pub async fn info(&self) -> Result<TrackInfo, ReadError> {
        let slot = self.track.change(|state, fx| state.add_watcher(fx));
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
    /// [`ReadError::Aborted`] if the track was refused, [`ReadError::NoGroup`] if the group is not held
    /// and there is nobody to ask for it, [`ReadError::NoRoom`] if the budget has no room for it.
    ///
    /// Cancel safe. Draft: FETCH.
    pub async fn fetch(&self, fetch: Fetch) -> Result<GroupConsumer, ReadError> {
        self.info().await?;
        self.track.fetch(&fetch)
    }

    /// Begins to read.
    ///
    /// A track of a peer that ended because nobody read it is asked for again.
    ///
    /// Draft: SUBSCRIBE.
    #[must_use]
    pub fn subscribe(&self, subscription: Subscription) -> TrackReader {
        let mut track = self.track.clone();
        if let Some(broadcast) = &self.broadcast {
            for _ in 0..ATTEMPTS {
                if !track.look(State::is_unused) {
                    break;
                }
                track = broadcast.request(&track.name);
            }
        }
        let id = track.change(|state, fx| state.subscribe(subscription, fx));
        TrackReader {
            track,
            id,
            subscription,
            backlog: Backlog::Empty,
        }
    }
}

/// How often a track is asked for that ends again at once.
const ATTEMPTS: usize = 3;

/// A place in the list of those who wait for a track's properties.
struct Watch<'a> {
    track: &'a TrackShared,
    slot: usize,
}

impl Watch<'_> {
    fn poll_info(&self, cx: &Context<'_>) -> Poll<Result<TrackInfo, ReadError>> {
        self.track.read(|state, fx| {
            if let Some(info) = state.info() {
                return Poll::Ready(Ok(info));
            }
            match state.end() {
                Some(TrackEnd::Aborted(reason)) => Poll::Ready(Err(ReadError::Aborted(reason))),
                Some(TrackEnd::Finished) => Poll::Ready(Ok(TrackInfo::default())),
                None => {
                    state.watch(self.slot, cx.waker(), fx);
                    Poll::Pending
                }
            }
        })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let slot = self.slot;
        self.track.read(|state, fx| state.remove_watcher(slot, fx));
    }
}

/// One reader's place in a track. Dropping it ends the subscription.
#[derive(Debug)]
pub struct TrackReader {
    track: Arc<TrackShared>,
    id: ReaderId,
    subscription: Subscription,
    /// What it left in the track, as of the last call that told.
    backlog: Backlog,
}

/// What a track yields next, newest group first.
#[derive(Debug)]
#[non_exhaustive]
pub enum NextGroup {
    /// A group to read, perhaps while it grows.
    Group(GroupConsumer),
    /// These groups are not going to come.
    Lost {
        /// Their sequences.
        groups: GroupRange,
        /// Why all of them are lost.
        cause: Abort,
    },
}

impl TrackReader {
    /// The track that is read.
    #[must_use]
    pub fn track(&self) -> TrackConsumer {
        // Only a track that is made on demand can be asked for again.
        let upstream = self.track.upstream.as_ref();
        let broadcast = upstream.and_then(|_| self.track.home());
        TrackConsumer::new(self.track.clone(), broadcast)
    }

    /// What was asked for.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The newest group that was not yielded yet or, without any, groups that are lost; `None` once
    /// every group from the first one on is accounted for and the track is finished.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<NextGroup>, ReadError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<Option<NextGroup>, ReadError>> {
        let id = self.id;
        let next = self
            .track
            .read(|state, fx| state.next_newest(id, cx.waker(), fx));
        self.yielded(next)
    }

    /// What the track has for this reader, with its groups as handles.
    pub(super) fn yielded(&self, next: Newest) -> Poll<Result<Option<NextGroup>, ReadError>> {
        match next {
            Newest::Group(taken) => {
                let group = GroupConsumer::taken(self.track.clone(), self.id, taken);
                Poll::Ready(Ok(Some(NextGroup::Group(group))))
            }
            Newest::Lost(groups, cause) => Poll::Ready(Ok(Some(NextGroup::Lost { groups, cause }))),
            Newest::End => Poll::Ready(Ok(None)),
            Newest::Failed(reason) => Poll::Ready(Err(ReadError::Aborted(reason))),
            Newest::Wait => Poll::Pending,
        }
    }

    /// What this reader leaves in the track, as of the last call of [`Self::poll_aside`],
    /// [`Self::take_newest`] or [`Self::take_oldest`].
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.backlog
    }

    pub(super) fn set_backlog(&mut self, backlog: Backlog) {
        self.backlog = backlog;
    }

    /// As [`Self::next`], passing over what is lost.
    ///
    /// # Errors
    /// As [`Self::next`].
    ///
    /// Cancel safe.
    pub async fn next_group(&mut self) -> Result<Option<GroupConsumer>, ReadError> {
        loop {
            match self.next().await? {
                Some(NextGroup::Group(group)) => return Ok(Some(group)),
                Some(NextGroup::Lost { .. }) => {}
                None => return Ok(None),
            }
        }
    }

    /// The lowest group that this reader accounts for; `None` before that is known.
    ///
    /// Reading begins with it. A lower group that came late and was taken lowers it.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.track.look(|state| state.first(self.id))
    }

    /// The sequence after the highest group of the track, even if that never came; final once the
    /// track is finished.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.track.look(State::end_sequence)
    }

    /// Replaces what is wanted; groups that were yielded before are not yielded again.
    ///
    /// Draft: SUBSCRIBE_UPDATE.
    pub fn update(&mut self, subscription: Subscription) {
        self.subscription = subscription;
        let id = self.id;
        self.track
            .change(|state, fx| state.update(id, subscription, fx));
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
        let id = self.id;
        self.track.consume(|state, fx| state.unsubscribe(id, fx));
        self.track.plan_release();
    }
}
