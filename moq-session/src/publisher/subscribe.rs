//! Serving one SUBSCRIBE.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::{Abort, ReadError, TrackReader};
use moq_wire::{Subscribe, code};

use super::outbox::Outbox;
use super::served::ServedGuard;
use super::serving::{Serving, Unserved};
use super::{LASTING, track};
use crate::context::Context;
use crate::convert;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::leaving::AwaitedGuard;
use crate::transport::Transport;

pub(super) async fn answer<T: Transport>(
    (context, outbox): (Context<T>, Arc<Outbox<T>>),
    _awaited: Option<AwaitedGuard>,
    mut writer: Writer<T::Send>,
    mut reader: Reader<T::Recv>,
) -> Result<(), SessionError> {
    let request = context.in_time(reader.only_message::<Subscribe>("SUBSCRIBE"));
    let request = match request.await.and_then(|request| request) {
        Ok(request) if context.policy.shares_readers() => convert::from_sibling(request),
        Ok(request) => request,
        Err(error) => {
            tracing::debug!(%error, "SUBSCRIBE failed");
            context.limiter.failed(&error);
            writer.reset(super::refusal(&error));
            return Ok(());
        }
    };
    // Two live subscriptions under one id could not be told apart by the peer.
    let guard = match context.served.begin(&context.shared, request.id) {
        Ok(guard) => guard,
        Err(fault @ PeerFault::DuplicateSubscribe(_)) => return Err(fault.into()),
        Err(_) => {
            context.limiter.refused();
            writer.reset(code::stream::NO_CAPACITY);
            return Ok(());
        }
    };
    let opened = tokio::select! {
        biased;
        // A request that is taken back already does not reach the publisher.
        left = reader.ahead() => {
            leave(&context, writer, left).await;
            return Ok(());
        }
        opened = open(&context, &request) => opened,
    };
    match opened {
        Ok(track) => {
            let serving = Serving::new((&context, &outbox), &request, track, writer, reader);
            serve(&context, Box::new(serving), &guard).await;
        }
        Err(reason) => {
            context.limiter.refused();
            writer.reset(convert::abort_code(reason));
        }
    }
    Ok(())
}

/// Ends the answer to a peer that has left before there was one.
async fn leave<T: Transport>(
    context: &Context<T>,
    mut writer: Writer<T::Send>,
    left: Result<(), StreamError>,
) {
    match left {
        Ok(()) => {
            context.limiter.withdrawn();
            let _ = writer.finish().await;
        }
        Err(error) => {
            context.limiter.failed(&error);
            writer.reset(super::refusal(&error));
        }
    }
}

/// Finds the track and waits until it exists.
async fn open<T: Transport>(
    context: &Context<T>,
    request: &Subscribe,
) -> Result<TrackReader, Abort> {
    context.peer_setup().await;
    let track = track::find(context, &request.broadcast, &request.track)?;
    let reader = track.subscribe(convert::subscription(
        request.priority,
        request.max_age,
        request.start,
        request.last,
        context.version,
    ));
    match context.in_time(track.info()).await {
        Ok(Ok(_)) => Ok(reader),
        Ok(Err(ReadError::Aborted(reason))) => Err(reason),
        Ok(Err(_)) | Err(_) => Err(Abort::Timeout),
    }
}

async fn serve<T: Transport>(
    context: &Context<T>,
    mut serving: Box<Serving<T>>,
    guard: &ServedGuard,
) {
    let begun = clock::now();
    let end = poll_fn(|cx| serving.poll(cx)).await;
    let is_short = clock::now().saturating_duration_since(begun) < LASTING;
    // Who had something of it, or has waited for it, may end it as it likes.
    let is_rapid = is_short && !serving.has_delivered();
    match end {
        Ok(()) => {
            if is_rapid && serving.is_unsubscribed() {
                context.limiter.withdrawn();
            }
            guard.delivered();
            let (_writer, requests) = serving.into_streams();
            confirm(context, requests).await;
        }
        Err(Unserved::Track(reason)) => {
            // One code for all, so that the peer can tell what went down together.
            let code = convert::abort_code(reason);
            serving.fail(code, code);
        }
        Err(Unserved::Stream(error)) => {
            tracing::debug!(%error, "subscription failed");
            let is_ended = matches!(error, StreamError::Reset(_) | StreamError::Stopped(_));
            if is_rapid || !is_ended {
                context.limiter.failed(&error);
            }
            let code = match &error {
                StreamError::Peer(PeerFault::Exceeded { .. }) => super::refusal(&error),
                StreamError::Peer(_) => code::stream::MALFORMED_TRACK,
                _ => super::refusal(&error),
            };
            serving.fail(code, code::stream::CANCELLED);
        }
    }
}

/// Waits until the peer lets go of a subscription that is delivered.
///
/// What its transport has acknowledged it may not have read, and would lose with the session. Where
/// the end of a track is not told, peers wait a while for groups that might still come.
async fn confirm<T: Transport>(context: &Context<T>, requests: Option<Reader<T::Recv>>) {
    let Some(mut requests) = requests else {
        return;
    };
    let is_told = context.version.features().start_end;
    let limit = if is_told { CONFIRM } else { CONFIRM_UNTOLD };
    let _ = clock::timeout(limit, requests.drained()).await;
}

/// How long a peer may take to read what it has, once that is everything.
const CONFIRM: Duration = Duration::from_secs(30);
/// The same where it can't know that it is.
const CONFIRM_UNTOLD: Duration = Duration::from_secs(8);
