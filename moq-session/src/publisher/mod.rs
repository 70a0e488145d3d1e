//! The publishing side: answers the peer's requests. One file per kind of stream.

mod announce;
mod bounds;
mod datagram;
mod deliveries;
mod dropped;
mod fetch;
mod goaway;
mod group;
mod listing;
mod outbox;
mod probe;
mod served;
mod serving;
mod subscribe;
mod telling;
mod track;
mod unacknowledged;
mod wording;

use std::sync::Arc;
use std::time::Duration;

use moq_wire::{BiStream, code};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::context::Context;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::leaving::AwaitedGuard;
use crate::limits::Limit;
use crate::transport::Transport;
use outbox::Outbox;
pub(crate) use served::Served;

/// Starts to answer what the peer asks on bidirectional streams.
pub(crate) fn spawn<T: Transport>(context: &Context<T>) {
    context.spawner.spawn(Box::pin(accept(context.clone())));
    if context.version.features().probe.exists() && context.probing.measures {
        context
            .spawner
            .spawn(Box::pin(probe::measure(context.clone())));
    }
    if context.version.features().goaway {
        context
            .spawner
            .spawn(Box::pin(goaway::drain(context.clone())));
    }
}

async fn accept<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut transport = context.transport.clone();
    let outbox = Outbox::new(context.transport.clone());
    let headerless = Arc::new(Semaphore::new(context.limiter.limits.headerless));
    loop {
        let (send, recv) = std::future::poll_fn(|cx| transport.poll_accept_bi(cx)).await?;
        let permit = context.limiter.permit(&headerless).await;
        context.limiter.calm().await;
        let writer = Writer::control(send, context.version).in_time(&context.shared);
        let reader = Reader::new(recv, context.version).in_time(&context.shared);
        context.spawner.spawn(Box::pin(answer(
            (context.clone(), outbox.clone()),
            writer,
            reader,
            permit,
        )));
    }
}

/// Answers one request; only what breaks a rule of the session ends the session.
async fn answer<T: Transport>(
    (context, outbox): (Context<T>, Arc<Outbox<T>>),
    mut writer: Writer<T::Send>,
    mut reader: Reader<T::Recv>,
    headerless: OwnedSemaphorePermit,
) -> Result<(), SessionError> {
    let kind = match reader.stream_type().await {
        Ok(Some(kind)) => BiStream::from_code(kind, context.version),
        Ok(None) => None,
        Err(error) => {
            if matches!(error, StreamError::Timeout) {
                context.limiter.reach(Limit::HeaderTime);
            }
            context.limiter.failed(&error);
            writer.reset(refusal(&error));
            return Ok(());
        }
    };
    drop(headerless);
    let is_awaited = !matches!(kind, Some(BiStream::Probe | BiStream::Goaway));
    let awaited = is_awaited.then(|| AwaitedGuard::new(&context.shared));
    let result = match kind {
        Some(BiStream::Announce) => announce::answer(&context, &mut writer, &mut reader).await,
        Some(BiStream::Subscribe) => {
            // It lasts, and this future is as large as the largest request.
            let spawner = context.spawner.clone();
            let answer = subscribe::answer((context, outbox), awaited, writer, reader);
            spawner.spawn(Box::pin(answer));
            return Ok(());
        }
        Some(BiStream::Track) => track::answer(&context, &mut writer, &mut reader).await,
        Some(BiStream::Fetch) => fetch::answer(&context, &mut writer, &mut reader).await,
        Some(BiStream::Probe) => probe::answer(&context, &mut writer, &mut reader).await,
        Some(BiStream::Goaway) => return goaway::answer(&context, writer, reader).await,
        None => {
            context.limiter.refused();
            writer.reset(code::stream::CANCELLED);
            Ok(())
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, ?kind, "request failed");
        context.limiter.failed(&error);
        writer.reset(refusal(&error));
    }
    Ok(())
}

/// The code for a request that failed.
fn refusal(error: &StreamError) -> u32 {
    match error {
        StreamError::Timeout => code::stream::CONTROL_TIMEOUT,
        StreamError::Peer(PeerFault::Exceeded { .. }) => code::stream::NO_CAPACITY,
        _ => code::stream::CANCELLED,
    }
}

/// A request that was answered for so long is none that is taken back.
const LASTING: Duration = Duration::from_secs(10);
