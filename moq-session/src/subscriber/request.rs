//! Asking the peer for one track, from TRACK to the end of its subscription.

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::session::{TrackFeed, TrackRequest};
use moq_model::{Abort, BroadcastPath, TrackInfo};
use moq_wire::{BiStream, Track, code};

use super::subscribe::{self, Retry};
use crate::context::{Context, Shared};
use crate::convert;
use crate::error::{SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::limits::Limit;
use crate::transport::{RecvStream, Transport};

/// How long the peer may be without credit for a stream before the log is told.
const STARVED: Duration = Duration::from_millis(900);
/// How long a track is kept that nobody reads.
const IDLE: Duration = Duration::from_secs(5);

/// What the peer calls a track.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) broadcast: moq_wire::Path,
    pub(super) track: String,
}

pub(super) async fn run<T: Transport>(
    context: Context<T>,
    request: TrackRequest,
) -> Result<(), SessionError> {
    let TrackRequest {
        broadcast, track, ..
    } = request;
    let guard = EndsWithSession {
        track: Some(track.clone()),
    };
    let outcome = match name(&context, &broadcast, track.name()) {
        Ok(name) => subscribe_to(&context, &name, &track).await,
        Err(reason) => Err(reason),
    };
    guard.release();
    match outcome {
        Ok(()) => track.finish(),
        Err(reason) => track.abort(reason),
    }
    Ok(())
}

/// What the peer calls a track of this end's origin.
pub(super) fn name(
    context: &Shared,
    broadcast: &BroadcastPath,
    track: &str,
) -> Result<Name, Abort> {
    let path = broadcast.strip_prefix(&context.grant.root);
    let path = convert::wire_path(path.ok_or(Abort::Unroutable)?);
    Ok(Name {
        broadcast: path.map_err(|_| Abort::Unroutable)?,
        track: track.to_owned(),
    })
}

async fn subscribe_to<T: Transport>(
    context: &Context<T>,
    name: &Name,
    track: &TrackFeed,
) -> Result<(), Abort> {
    let mut info = TrackInfo::default();
    let mut answers = None;
    if context.version.features().track_stream {
        let (told, rest) = ask(context, name).await?;
        (info, answers) = (told, Some(rest));
        track.accept(info);
        if !is_used(track).await {
            return Err(Abort::Cancelled);
        }
    } else if !is_wanted(track).await {
        return Err(Abort::Cancelled);
    }
    let subscribed = subscribe::run(context, name, track, info, None, answers.as_mut()).await;
    let Err(failed) = subscribed else {
        return Ok(());
    };
    let from = match failed.retry {
        Retry::Contradicted if context.version.features().track_stream => None,
        Retry::Lost(reached) => Some(reached),
        _ => return Err(failed.reason),
    };
    drop(answers);
    // It is rare, and by itself no part of every subscription.
    let again = Box::pin(ask_again(context, name, track, info, from)).await;
    // The reason is the first failure, not that the second attempt failed too.
    again.map_err(|_| failed.reason)
}

/// Asks once more for a track whose publisher has lost it, or the thread.
async fn ask_again<T: Transport>(
    context: &Context<T>,
    name: &Name,
    track: &TrackFeed,
    before: TrackInfo,
    from: Option<u64>,
) -> Result<(), Abort> {
    let mut answers = None;
    if context.version.features().track_stream {
        let (info, rest) = tokio::select! {
            asked = ask(context, name) => asked?,
            () = left(track) => return Err(Abort::Cancelled),
        };
        // Another track of the same name can't be continued with.
        if info != before {
            return Err(Abort::Malformed);
        }
        answers = Some(rest);
    }
    let again = subscribe::run(context, name, track, before, from, answers.as_mut()).await;
    again.map_err(|failed| failed.reason)
}

/// Waits for a reader; if none comes in time, the track has ended. Whoever comes later asks anew.
pub(super) async fn is_used(track: &TrackFeed) -> bool {
    comes(track, || track.used()).await
}

/// Waits for somebody who reads the track or waits for its properties, where only a subscription asks for
/// it. Drafts 01 and 02 cannot change one, so it has to carry the first reader's priority.
async fn is_wanted(track: &TrackFeed) -> bool {
    comes(track, || track.wanted()).await
}

/// Whether somebody comes before the track has ended, which it does if nobody comes in time.
async fn comes<F: Future<Output = ()>>(track: &TrackFeed, somebody: impl Fn() -> F) -> bool {
    loop {
        if clock::timeout(IDLE, somebody()).await.is_ok() {
            return !track.is_closed();
        }
        if track.end_unused() {
            return false;
        }
    }
}

/// Waits until nobody reads the track, which has ended then.
async fn left(track: &TrackFeed) {
    loop {
        track.unused().await;
        if track.end_unused() {
            return;
        }
    }
}

/// Waits for a second answer to TRACK, which has only one.
pub(super) async fn answered_again<R: RecvStream>(answers: Option<&mut Reader<R>>) {
    if let Some(answers) = answers
        && let Err(StreamError::Peer(fault)) = answers.ended("a second TRACK_INFO").await
    {
        tracing::debug!(%fault, "track ended");
        return;
    }
    std::future::pending().await
}

/// Asks for the track's properties; what comes after the answer is left to read.
async fn ask<T: Transport>(
    context: &Context<T>,
    name: &Name,
) -> Result<(TrackInfo, Reader<T::Recv>), Abort> {
    let (mut writer, mut reader) = open(context, BiStream::Track).await?;
    let request = Track {
        broadcast: name.broadcast.clone(),
        track: name.track.clone(),
    };
    let put = writer.message(&request).map_err(StreamError::from);
    put.map_err(|error| failure(&error))?;
    written(writer.flush().await).map_err(|error| failure(&error))?;
    let answer = context
        .in_time(reader.only_message::<moq_wire::TrackInfo>("TRACK_INFO"))
        .await;
    match answer.and_then(|answer| answer) {
        Ok(info) => {
            let _ = writer.finish().await;
            let info = convert::track_info(&info).ok_or(Abort::Malformed)?;
            Ok((info, reader))
        }
        Err(error) => {
            note_refusal(context, &error, Limit::Tracks);
            Err(failure(&error))
        }
    }
}

/// Tells the log when the peer gives no credit for a further stream.
async fn starved(context: &Shared) -> Infallible {
    loop {
        clock::sleep(STARVED).await;
        context.limiter.was_refused(Limit::Streams);
    }
}

/// Tells the log of a request that the peer has no capacity for.
pub(super) fn note_refusal(context: &Shared, error: &StreamError, limit: Limit) {
    if matches!(error, StreamError::Reset(code::stream::NO_CAPACITY)) {
        context.limiter.was_refused(limit);
    }
}

/// Opens a bidirectional stream and queues its type; not at a peer that is going away.
pub(super) async fn open<T: Transport>(
    context: &Context<T>,
    kind: BiStream,
) -> Result<(Writer<T::Send>, Reader<T::Recv>), Abort> {
    if context.is_leaving() {
        return Err(Abort::Other(code::stream::GOING_AWAY));
    }
    let mut transport = context.transport.clone();
    let opened = poll_fn(|cx| transport.poll_open_bi(cx));
    let streams = tokio::select! {
        streams = context.in_time(opened) => streams,
        never = starved(context) => match never {},
    };
    let (send, recv) = streams
        .map_err(|_| Abort::NoCapacity)?
        .map_err(|_| Abort::SessionClosed)?;
    let mut writer = Writer::control(send, context.version).in_time(&context.shared);
    let put = kind.put(&mut writer.scratch, context.version);
    put.map_err(|error| failure(&error.into()))?;
    let reader = Reader::new(recv, context.version).in_time(&context.shared);
    Ok((writer, reader))
}

/// What came of writing a request. If the peer stopped it, the answer says why, and may be there all the
/// same; if it takes nothing, there will be no answer.
pub(super) fn written(written: Result<(), StreamError>) -> Result<(), StreamError> {
    match written {
        Err(StreamError::Timeout) => Err(StreamError::Timeout),
        _ => Ok(()),
    }
}

/// What a failed request means for the track.
pub(super) fn failure(error: &StreamError) -> Abort {
    match error {
        StreamError::Reset(code) | StreamError::Stopped(code) => convert::abort(*code),
        StreamError::Peer(_) => Abort::Malformed,
        // What there is no way to ask for is not there, as far as can be told here.
        StreamError::Encode(error) => {
            tracing::warn!(%error, "a request cannot be written");
            Abort::NotFound
        }
        StreamError::Timeout => Abort::Timeout,
        StreamError::Transport => Abort::SessionClosed,
    }
}

/// Ends a track with its session, if nothing else has ended it before.
struct EndsWithSession {
    track: Option<TrackFeed>,
}

impl EndsWithSession {
    fn release(mut self) {
        self.track = None;
    }
}

impl Drop for EndsWithSession {
    fn drop(&mut self) {
        if let Some(track) = self.track.take() {
            track.abort(Abort::SessionClosed);
        }
    }
}
