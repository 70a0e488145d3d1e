//! Exchanging SETUP.

use std::sync::atomic::Ordering;

use moq_wire::{ProbeLevel, Setup, UniStream, Version, code};

use crate::config::Config;
use crate::context::{Context, Shared};
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::transport::Transport;

/// What this end tells of itself.
pub(crate) fn own(config: &Config, session: &Shared) -> Setup {
    let is_client = !session.is_server;
    let probe = match session.probing.measures {
        true => ProbeLevel::Report,
        false => ProbeLevel::None,
    };
    Setup {
        hop: Some(crate::convert::wire_hop(session.hop)),
        role: config.role.filter(|_| is_client),
        path: session.info.setup_path.clone().filter(|_| is_client),
        probe,
        ..Setup::default()
    }
}

/// Sends SETUP; nothing where the draft has none.
pub(crate) async fn send<T: Transport>(
    context: Context<T>,
    setup: Setup,
) -> Result<(), SessionError> {
    let (mut transport, version) = (context.transport.clone(), context.version);
    if !version.features().setup_stream {
        return Ok(());
    }
    let stream = std::future::poll_fn(|cx| transport.poll_open_uni(cx)).await?;
    let mut writer = Writer::control(stream, version).in_time(&context.shared);
    UniStream::Setup.put(&mut writer.scratch, version)?;
    writer.message(&setup)?;
    // A peer that stops the stream has no use for it, which is no reason to end the session.
    if writer.finish().await.is_ok() {
        let _ = writer.acknowledged().await;
    }
    Ok(())
}

/// Reads the SETUP of a stream whose type has been read.
pub(crate) async fn read<R: crate::transport::RecvStream>(
    reader: &mut Reader<R>,
) -> Result<Setup, SessionError> {
    match reader.only_message::<Setup>("SETUP").await {
        Ok(setup) => Ok(setup),
        Err(StreamError::Peer(fault)) => Err(fault.into()),
        Err(_) => Err(PeerFault::Truncated("SETUP").into()),
    }
}

/// Waits for the client's SETUP before there is a session; other streams are stopped.
pub(crate) async fn receive<T: Transport>(
    transport: &mut T,
    version: Version,
) -> Result<Setup, SessionError> {
    loop {
        let stream = std::future::poll_fn(|cx| transport.poll_accept_uni(cx)).await?;
        let mut reader = Reader::new(stream, version);
        let Ok(kind) = reader.stream_type().await else {
            continue;
        };
        match kind.and_then(|kind| UniStream::from_code(kind, version)) {
            Some(UniStream::Setup) => return read(&mut reader).await,
            // What it was for is not known before the SETUP.
            _ => reader.stop(code::stream::INTERNAL),
        }
    }
}

/// Takes in a Setup stream of the peer, once.
pub(crate) async fn handle<T: Transport>(
    context: &Context<T>,
    mut reader: Reader<T::Recv>,
) -> Result<(), SessionError> {
    if context.has_setup.swap(true, Ordering::Relaxed) {
        return Err(PeerFault::SecondSetup.into());
    }
    let setup = read(&mut reader).await?;
    context.peer.send_replace(Some(setup));
    Ok(())
}

/// Ends the session of a client that sends no SETUP in time; with a server that sends none, it goes
/// on as if an empty one had come.
pub(crate) async fn expect<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let setup = context.peer_setup().await;
    let is_missing = context.peer.send_if_modified(|peer| {
        let is_missing = peer.is_none();
        peer.get_or_insert(setup);
        is_missing
    });
    if is_missing && context.is_server {
        return Err(PeerFault::NoSetup.into());
    }
    Ok(())
}
