//! Exchanging SETUP.

use moq_wire::{Setup, UniStream, Version, code};

use crate::config::Config;
use crate::context::Context;
use crate::error::{PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::transport::{Transport, TransportInfo};

/// What this end tells of itself.
pub(crate) fn own(
    config: &Config,
    info: &TransportInfo,
    hop: moq_model::HopId,
    is_server: bool,
) -> Setup {
    Setup {
        hop: Some(crate::convert::wire_hop(hop)),
        role: config.role.filter(|_| !is_server),
        path: info.setup_path.clone().filter(|_| !is_server),
        ..Setup::default()
    }
}

/// Sends SETUP; nothing where the draft has none.
pub(crate) async fn send<T: Transport>(
    mut transport: T,
    version: Version,
    setup: Setup,
) -> Result<(), SessionError> {
    if !version.features().setup_stream {
        return Ok(());
    }
    let stream = std::future::poll_fn(|cx| transport.poll_open_uni(cx)).await?;
    let mut writer = Writer::control(stream, version);
    writer.stream_type(UniStream::Setup.code());
    writer.message(&setup);
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
            _ => reader.stop(code::stream::CANCELLED),
        }
    }
}

/// Takes in a Setup stream of the peer, once.
pub(crate) async fn handle<T: Transport>(
    context: &Context<T>,
    mut reader: Reader<T::Recv>,
) -> Result<(), SessionError> {
    let setup = read(&mut reader).await?;
    let is_first = context.peer.send_if_modified(|peer| {
        let is_first = peer.is_none();
        if is_first {
            *peer = Some(setup);
        }
        is_first
    });
    if is_first {
        Ok(())
    } else {
        Err(PeerFault::SecondSetup.into())
    }
}

/// Ends the session of a client that sends no SETUP in time; a server may do without.
pub(crate) async fn expect<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    match context.peer_setup().await {
        Err(_) if context.is_server => Err(PeerFault::NoSetup.into()),
        _ => Ok(()),
    }
}
