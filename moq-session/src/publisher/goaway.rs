//! Leaving: this end asks the peer to, or the peer asks this end.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moq_model::platform::clock;
use moq_wire::{BiStream, Goaway, code};

use crate::context::Context;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::leaving::Drain;
use crate::transport::Transport;

/// Takes note of a peer that is about to leave; what runs goes on until it closes.
pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    mut writer: Writer<T::Send>,
    mut reader: Reader<T::Recv>,
) -> Result<(), SessionError> {
    let goaway = context.in_time(reader.only_message::<Goaway>("GOAWAY"));
    let Goaway { uri } = match goaway.await.and_then(|goaway| goaway) {
        Ok(goaway) => goaway,
        Err(error) => {
            tracing::debug!(%error, "GOAWAY ignored");
            writer.reset(super::refusal(&error));
            return Ok(());
        }
    };
    writer.reset(code::stream::CANCELLED);
    tracing::info!(uri = %moq_model::text::Escaped(&uri), "the peer is going away");
    let is_first = context.leaving.asked.send_if_modified(|asked| {
        let is_first = asked.is_none();
        asked.get_or_insert(uri);
        is_first
    });
    if !is_first {
        return Err(PeerFault::SecondGoaway.into());
    }
    context.subscribe.drain(context.id);
    Ok(())
}

/// Asks the peer to leave once the application wants that, and closes the session when everything
/// is served, or at the deadline.
pub(super) async fn drain<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let mut wanted = context.leaving.drain.subscribe();
    let drain = wanted.wait_for(Option::is_some).await;
    let Some(Drain { uri, until }) = drain.ok().and_then(|drain| drain.clone()) else {
        return Ok(());
    };
    let left = async {
        if let Err(error) = tell(&context, uri).await {
            tracing::debug!(%error, "GOAWAY not delivered");
        }
        left(&context).await;
    };
    match clock::timeout_at(until, left).await {
        Ok(()) => context.request_close(code::session::NO_ERROR, ""),
        Err(_) => context.request_close(code::session::GOAWAY_TIMEOUT, "goaway timeout"),
    }
    Ok(())
}

async fn tell<T: Transport>(context: &Context<T>, uri: String) -> Result<(), StreamError> {
    let mut transport = context.transport.clone();
    let opened = poll_fn(|cx| transport.poll_open_bi(cx)).await;
    // The peer's half carries nothing.
    let (send, _) = opened.map_err(|_| StreamError::Transport)?;
    let mut writer = Writer::control(send, context.version).in_time(&context.shared);
    BiStream::Goaway.put(&mut writer.scratch, context.version)?;
    writer.message(&Goaway { uri })?;
    writer.finish().await?;
    writer.acknowledged().await
}

/// Waits until the peer has nothing more of this end, and this end nothing of the peer.
///
/// Seen twice: a peer that moves may be between two requests.
async fn left<T: Transport>(context: &Context<T>) {
    let mut seen = 0;
    while seen < 2 {
        clock::sleep(LOOK).await;
        let is_awaited = context.leaving.awaited.load(Ordering::Relaxed) > 0;
        let is_busy = is_awaited || context.is_fed() || context.is_told();
        seen = if is_busy { 0 } else { seen + 1 };
    }
}

/// How often is looked whether the peer has left.
const LOOK: Duration = Duration::from_millis(500);
