//! The subscribing side: asks the peer, and takes in what it sends. The mirror of the publishing
//! side.

mod announce;
mod completion;
mod datagram;
mod failure;
mod feed;
mod fetch;
mod group;
mod probe;
mod request;
mod silence;
mod subscribe;
mod subscribing;
mod takeover;
mod wish;

use std::sync::Arc;

use moq_model::session::{self, RequestQueue};
use moq_wire::{UniStream, code};
use tokio::sync::Semaphore;

pub use probe::Bandwidth;
pub(crate) use probe::Probing;
pub(crate) use subscribing::Subscribing;

use crate::context::Context;
use crate::error::{SessionError, StreamError};
use crate::io::Reader;
use crate::limits::Limit;
use crate::setup;
use crate::transport::Transport;

/// Starts to take in the peer's streams and datagrams, and to forward requests to it.
pub(crate) fn spawn<T: Transport>(context: &Context<T>, requests: RequestQueue) {
    let sync = context.subscribe.sync();
    context.spawner.spawn(Box::pin(accept(context.clone())));
    context
        .spawner
        .spawn(Box::pin(forward(context.clone(), requests)));
    context
        .spawner
        .spawn(Box::pin(announce::follow(context.clone(), sync)));
    if context.policy.falls_silent_alone() {
        context
            .spawner
            .spawn(Box::pin(takeover::follow(context.clone())));
    }
    if context.version.features().probe.exists() {
        context
            .spawner
            .spawn(Box::pin(probe::follow(context.clone())));
    }
    if context.version.features().datagrams {
        context
            .spawner
            .spawn(Box::pin(datagram::receive(context.clone())));
    }
}

async fn accept<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut transport = context.transport.clone();
    let headerless = Arc::new(Semaphore::new(context.limiter.limits.headerless));
    loop {
        let stream = std::future::poll_fn(|cx| transport.poll_accept_uni(cx)).await?;
        let reader = Reader::new(stream, context.version).counted(&context);
        context
            .spawner
            .spawn(Box::pin(take(context.clone(), reader, headerless.clone())));
    }
}

/// Takes in one unidirectional stream; an unknown one costs only itself.
///
/// Until its first byte it may wait as long as it likes: the newest groups are sent first, and a
/// later stream that is seen opens all those before it.
async fn take<T: Transport>(
    context: Context<T>,
    mut reader: Reader<T::Recv>,
    headerless: Arc<Semaphore>,
) -> Result<(), SessionError> {
    if reader.begun().await.is_err() {
        return Ok(());
    }
    let headerless = context.limiter.permit(&headerless).await;
    let kind = match reader.stream_type().await {
        Ok(Some(kind)) => UniStream::from_code(kind, context.version),
        Err(StreamError::Timeout) => {
            context.limiter.reach(Limit::HeaderTime);
            reader.stop(code::stream::CONTROL_TIMEOUT);
            return Ok(());
        }
        Ok(None) | Err(_) => return Ok(()),
    };
    drop(headerless);
    match kind {
        Some(UniStream::Group) => {
            group::receive(&context, reader).await;
            Ok(())
        }
        Some(UniStream::Setup) => setup::handle(&context, reader).await,
        None => {
            reader.stop(code::stream::INTERNAL);
            Ok(())
        }
    }
}

/// Asks the peer for each track and each group that somebody here wants.
async fn forward<T: Transport>(
    context: Context<T>,
    mut requests: RequestQueue,
) -> Result<(), SessionError> {
    loop {
        let context = context.clone();
        let spawner = context.spawner.clone();
        match requests.next().await {
            session::Request::Track(request) => {
                spawner.spawn(Box::pin(request::run(context, request)))
            }
            session::Request::Fetch(request) => {
                spawner.spawn(Box::pin(fetch::run(context, request)))
            }
            other => tracing::debug!(?other, "request refused"),
        }
    }
}
