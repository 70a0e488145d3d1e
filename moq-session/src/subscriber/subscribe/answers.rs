//! What the peer answers to a subscription.

use std::future::poll_fn;
use std::time::Duration;

use moq_model::TrackInfo;
use moq_wire::{GroupSequence, SubscribeResponse, varint};

use super::Subscription;
use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::io::Reader;
use crate::subscriber::completion::{GRACE, MAX_GRACE};
use crate::subscriber::request::is_used;
use crate::transport::Transport;

impl<T: Transport> Subscription<'_, T> {
    /// Waits for SUBSCRIBE_OK where the draft has it; the track exists from then on.
    pub(super) async fn accepted(
        &mut self,
        reader: &mut Reader<T::Recv>,
    ) -> Result<(), StreamError> {
        if !self.context.version.features().subscribe_ok {
            return Ok(());
        }
        let response = self
            .context
            .in_time(poll_fn(|cx| reader.poll_response(cx)))
            .await??;
        match response {
            Some(SubscribeResponse::Ok(_)) => {
                self.is_accepted = true;
                // The draft does not tell how long the publisher keeps groups. They are kept for
                // long here, which is no reason to ask for more than it is sure to have.
                self.feed.track.accept(TrackInfo {
                    max_age: MAX_GRACE,
                    ..self.info
                });
                match is_used(&self.feed.track).await {
                    true => Ok(()),
                    false => Err(StreamError::Timeout),
                }
            }
            Some(_) => Err(PeerFault::Unexpected("an answer before SUBSCRIBE_OK").into()),
            None => Err(PeerFault::Truncated("SUBSCRIBE_OK").into()),
        }
    }

    pub(super) fn take(&self, response: SubscribeResponse) -> Result<(), StreamError> {
        match response {
            SubscribeResponse::Ok(_) => {}
            SubscribeResponse::Start(GroupSequence(start)) => {
                let known = self
                    .feed
                    .change(|account| *account.start.get_or_insert(start));
                if known != start {
                    tracing::debug!(known, start, "a second SUBSCRIBE_START is ignored");
                }
                self.feed.track.set_start(known);
            }
            SubscribeResponse::End { end, streams } => self.end(end.0, streams)?,
            SubscribeResponse::Drop { first, last, code } => {
                let is_open = last.0 >= varint::MAX;
                let after = if is_open { u64::MAX } else { last.0 + 1 };
                let cause = convert::abort(u32::try_from(code).unwrap_or(u32::MAX));
                self.feed.give_up(first.0..after, cause);
            }
        }
        Ok(())
    }

    /// Takes in the end, which on some drafts is the last group instead, depending on the sender.
    fn end(&self, end: u64, streams: Option<u64>) -> Result<(), StreamError> {
        let is_exact = self.has_exact_end();
        self.feed.change(|account| {
            account.streams = account.streams.or(streams);
            if *account.end.get_or_insert(end) != end {
                return Err(PeerFault::Contradiction("SUBSCRIBE_END"));
            }
            if is_exact && account.highest.is_some_and(|highest| highest >= end) {
                return Err(PeerFault::Contradiction("SUBSCRIBE_END"));
            }
            Ok(())
        })?;
        self.feed.track.set_end(end);
        Ok(())
    }

    fn has_exact_end(&self) -> bool {
        self.context.version.features().end_is_exact
    }

    /// How long to wait for a last group that the end may stand for: its stream was opened before.
    pub(super) fn doubt(&self) -> Option<Duration> {
        let rtt = self.context.transport.stats().rtt.unwrap_or_default();
        (!self.has_exact_end()).then(|| (3 * rtt).max(DOUBT))
    }

    /// The peer has said all; true if it may stop there.
    pub(super) fn finish_half(&self) -> Result<bool, StreamError> {
        let has_end = self.context.version.features().start_end;
        if has_end && self.feed.look(|account| account.end.is_none()) {
            return Err(PeerFault::Truncated("the answers to SUBSCRIBE").into());
        }
        Ok(true)
    }

    /// Whether the track is over but for groups that are still on their way.
    pub(super) fn is_over(&self, is_finished: bool) -> bool {
        is_finished || self.feed.look(|account| account.end.is_some())
    }

    pub(super) fn grace(&self) -> Duration {
        let is_told = self.context.version.features().start_end;
        let age = self.sent.map_or(GRACE, |wish| wish.max_age);
        if is_told && !age.is_zero() {
            age.min(MAX_GRACE)
        } else {
            GRACE
        }
    }
}

/// The least time for a last group that the end may stand for.
const DOUBT: Duration = Duration::from_millis(100);
