//! One subscription at the peer.

mod answers;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::OptionFuture;
use moq_model::session::TrackFeed;
use moq_model::{Abort, Demand, TrackInfo};
use moq_wire::{BiStream, Subscribe, SubscribeId, SubscribeUpdate, code};

use super::completion::{complete, find_start};
use super::feed::{Account, Feed};
use super::request::{Name, answered_again, failure, note_refusal, open, written};
use super::wish::Wish;
use crate::context::Context;
use crate::error::{PeerFault, StreamError};
use crate::io::{Reader, Writer};
use crate::limits::Limit;
use crate::transport::Transport;

/// A subscription that ended early.
pub(super) struct Failed {
    pub(super) reason: Abort,
    /// Whether the track may be there all the same.
    pub(super) retry: Retry,
}

/// What a second attempt at a track that failed is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// Nothing.
    Vain,
    /// The publisher contradicted itself, or ended its answers without the track's end.
    Contradicted,
    /// The publisher lost the track after it had sent all groups of it up to this one.
    Lost(u64),
}

impl From<Abort> for Failed {
    fn from(reason: Abort) -> Self {
        Self {
            reason,
            retry: Retry::Vain,
        }
    }
}

/// Subscribes for as long as somebody reads, and returns when the track is over. `from` is the
/// group that an attempt before it has reached, `answers` where the answer to TRACK came.
///
/// # Errors
/// Why the track ended early.
pub(super) async fn run<T: Transport>(
    context: &Context<T>,
    name: &Name,
    track: &TrackFeed,
    info: TrackInfo,
    from: Option<u64>,
    answers: Option<&mut Reader<T::Recv>>,
) -> Result<(), Failed> {
    let feed = Feed::new(track.clone());
    feed.change(|account| account.floor = from);
    let id = context.subscribing.next_id();
    context.subscribing.feeds().insert(id, feed.clone());
    let mut registered = Registered {
        context,
        id,
        feed: feed.clone(),
        is_over: false,
    };

    let (writer, mut reader) = open(context, BiStream::Subscribe).await?;
    let mut subscription = Subscription {
        context,
        feed,
        writer,
        info,
        from,
        sent: None,
        demand: None,
        is_accepted: !context.version.features().subscribe_ok,
    };
    let asked = subscription.request(id, name).await;
    asked.map_err(|error| failure(&error))?;
    let outcome = subscription.follow(&mut reader, answers).await;
    registered.is_over = true;
    outcome
}

fn is_contradiction(error: &StreamError) -> bool {
    matches!(
        error,
        StreamError::Peer(PeerFault::Contradiction(_) | PeerFault::Truncated(_))
    )
}

/// Waits until an attempt has brought nothing in time, not even what the one before it ended with:
/// whoever answers may number other groups.
async fn fruitless<T: Transport>(context: &Context<T>, feed: &Feed) -> StreamError {
    let sign = feed.when(|account| (account.came > 0 || account.end.is_some()).then_some(()));
    match context.in_time(sign).await {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}

/// Takes the subscription out of the table in the end; its late groups are stopped then.
struct Registered<'a, T: Transport> {
    context: &'a Context<T>,
    id: SubscribeId,
    feed: Arc<Feed>,
    /// The subscription came to an end by itself.
    is_over: bool,
}

impl<T: Transport> Drop for Registered<'_, T> {
    fn drop(&mut self) {
        self.context.subscribing.feeds().remove(&self.id);
        // A publisher that leaves after the end of its track has taken nothing along.
        if !self.is_over && self.feed.look(Account::is_whole) {
            self.feed.track.clone().finish();
        }
    }
}

struct Subscription<'a, T: Transport> {
    context: &'a Context<T>,
    feed: Arc<Feed>,
    writer: Writer<T::Send>,
    info: TrackInfo,
    from: Option<u64>,
    /// What the peer was asked for last.
    sent: Option<Wish>,
    /// What the readers wanted then.
    demand: Option<Demand>,
    /// The publisher has accepted, aloud or in silence.
    is_accepted: bool,
}

/// How the peer's half of the stream came to its end.
enum Ended {
    Finished,
    Unused,
}

impl<T: Transport> Subscription<'_, T> {
    async fn request(&mut self, id: SubscribeId, name: &Name) -> Result<(), StreamError> {
        let demand = self.feed.track.demand().current();
        let wish = self.wish(demand);
        (self.sent, self.demand) = (Some(wish), demand);
        self.writer.message(&Subscribe {
            id,
            broadcast: name.broadcast.clone(),
            track: name.track.clone(),
            priority: wish.priority,
            max_age: wish.max_age,
            start: wish.start,
            last: None,
            frame_start: 0,
            frame_last: None,
        })?;
        written(self.writer.flush().await)
    }

    fn wish(&self, demand: Option<Demand>) -> Wish {
        let begun = self.feed.look(|account| account.start);
        Wish::new(demand, &self.info, begun, self.from, self.context.version)
    }

    async fn update(&mut self, demand: Demand) -> Result<(), StreamError> {
        let wish = self.wish(Some(demand));
        let features = self.context.version.features();
        // Where the draft has a word for the newest group, nothing is left to say once it is known.
        let is_said = !features.start_is_floor && self.demand == Some(demand);
        if is_said || self.sent == Some(wish) || !features.subscribe_range {
            return Ok(());
        }
        (self.sent, self.demand) = (Some(wish), Some(demand));
        self.writer.message(&SubscribeUpdate {
            priority: wish.priority,
            max_age: wish.max_age,
            start: wish.start,
            last: None,
            frame_start: 0,
            frame_last: None,
        })?;
        written(self.writer.flush().await)
    }

    async fn follow(
        &mut self,
        reader: &mut Reader<T::Recv>,
        answers: Option<&mut Reader<T::Recv>>,
    ) -> Result<(), Failed> {
        let feed = self.feed.clone();
        let asked = self.sent.map(|wish| wish.start);
        let (context, is_second) = (self.context, self.from.is_some());
        let ended = tokio::select! {
            ended = self.converse(reader) => ended,
            never = find_start(&feed, asked) => match never {},
            error = fruitless(context, &feed), if is_second => Err(error),
            () = answered_again(answers) => {
                let _ = self.writer.finish().await;
                return Err(Abort::Malformed.into());
            }
        };
        match ended {
            Ok(Ended::Finished) => {
                let _ = self.writer.finish().await;
                Ok(())
            }
            Ok(Ended::Unused) => {
                let _ = self.writer.finish().await;
                Err(Abort::Cancelled.into())
            }
            Err(StreamError::Transport | StreamError::Reset(_)) if feed.look(Account::is_whole) => {
                let _ = self.writer.finish().await;
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "subscription ended");
                note_refusal(context, &error, Limit::Subscriptions);
                self.leave(&error).await;
                Err(Failed {
                    reason: failure(&error),
                    retry: self.retry(&error),
                })
            }
        }
    }

    fn retry(&self, error: &StreamError) -> Retry {
        match (error, self.feed.look(|account| account.reached())) {
            (error, _) if self.is_accepted && is_contradiction(error) => Retry::Contradicted,
            (
                StreamError::Reset(code::stream::NOT_FOUND | code::stream::EVICTED),
                Some(reached),
            ) => Retry::Lost(reached),
            _ => Retry::Vain,
        }
    }

    /// Ends this half of a subscription that failed: as one that is over, once it was accepted.
    async fn leave(&mut self, error: &StreamError) {
        match error {
            StreamError::Peer(PeerFault::Malformed { .. } | PeerFault::Unexpected(_)) => {
                self.writer.reset(code::stream::MALFORMED_TRACK);
            }
            _ if self.is_accepted => {
                let _ = self.writer.finish().await;
            }
            _ => self.writer.reset(code::stream::CANCELLED),
        }
    }

    /// Answers the peer's answers until the track is over or nobody reads it.
    async fn converse(&mut self, reader: &mut Reader<T::Recv>) -> Result<Ended, StreamError> {
        self.accepted(reader).await?;
        let mut demand = self.feed.track.demand();
        let mut is_finished = false;
        // One wait, however often the demand changes meanwhile.
        let mut completion = pin!(OptionFuture::from(None));
        let mut waits_for = None;
        loop {
            let wanted = demand.current();
            // Whoever comes after that asks anew. It may have ended because others take over.
            let is_over = wanted.is_none() && self.feed.track.end_unused();
            if is_over || self.feed.track.is_closed() {
                return Ok(Ended::Unused);
            }
            let Some(wanted) = wanted else { continue };
            self.update(wanted).await?;
            let feed = self.feed.clone();
            let begun = feed.look(|account| account.start);
            if self.is_over(is_finished) && waits_for.replace(is_finished) != Some(is_finished) {
                let (feed, grace, doubt) = (feed.clone(), self.grace(), self.doubt());
                let waited = async move { complete(&feed, is_finished, grace, doubt).await };
                completion.set(Some(waited).into());
            }
            tokio::select! {
                response = poll_fn(|cx| reader.poll_response(cx)), if !is_finished => match response? {
                    Some(response) => self.take(response)?,
                    None => is_finished = self.finish_half()?,
                },
                // What is asked for may change with the readers, and with where delivery began.
                _ = demand.wait_for(|now| now != Some(wanted)) => {}
                () = feed.when(|account| (account.start != begun).then_some(())) => {}
                () = feed.when(|account| account.is_contradicted.then_some(())) => {
                    return Err(PeerFault::Contradiction("a group that cannot be of this track").into());
                }
                Some(()) = completion.as_mut() => return Ok(Ended::Finished),
            }
        }
    }
}
