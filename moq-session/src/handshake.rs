//! The handshake inside a session, for drafts that no protocol name stands for.

use std::future::poll_fn;

use bytes::Bytes;
use moq_model::platform::clock;
use moq_wire::{
    ClientSetup, DecodeError, Parameter, ParameterValue, ServerSetup, SessionInfo, Version, code,
};

use crate::config::Config;
use crate::error::{AcceptError, ConnectError, PeerFault, SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::transport::{Transport, TransportError};

/// What a handshake leaves behind.
pub(crate) struct Agreement<T: Transport> {
    pub(crate) version: Version,
    /// Stays open for the life of the session.
    pub(crate) stream: SessionStream<T>,
}

/// The first bidirectional stream.
pub(crate) struct SessionStream<T: Transport> {
    /// Finished by neither end before the session is.
    _writer: Writer<T::Send>,
    reader: Reader<T::Recv>,
}

/// Shakes hands as a client; closes the session if that fails.
///
/// # Errors
/// [`ConnectError::NoCommonVersion`] if the server agrees to none of what was offered.
pub(crate) async fn connect<T: Transport>(
    transport: &mut T,
    config: &Config,
) -> Result<Agreement<T>, ConnectError> {
    let shaken = clock::timeout(config.answer_timeout, offer(transport, config)).await;
    let error = match shaken {
        Ok(Ok(agreement)) => return Ok(agreement),
        Ok(Err(error)) => error,
        Err(_) => SessionError::from(PeerFault::NoSetup).into(),
    };
    match &error {
        ConnectError::Session(error) => close(transport, error),
        ConnectError::NoCommonVersion { .. } => {
            transport.close(code::session::VERSION, "no common version");
        }
    }
    Err(error)
}

async fn offer<T: Transport>(
    transport: &mut T,
    config: &Config,
) -> Result<Agreement<T>, ConnectError> {
    let refused = |chosen| ConnectError::NoCommonVersion {
        offered: config.versions.clone(),
        chosen,
    };
    let (send, recv) = poll_fn(|cx| transport.poll_open_bi(cx))
        .await
        .map_err(SessionError::from)?;
    let form = form(&config.versions).ok_or_else(|| refused(None))?;
    let (mut writer, mut reader) = (Writer::control(send, form), Reader::new(recv, form));
    let mut setup = ClientSetup::new(&config.versions);
    if let Some(path) = &transport.info().setup_path {
        setup.parameters.push(Parameter {
            id: PATH,
            value: ParameterValue::Bytes(Bytes::copy_from_slice(path.as_bytes())),
        });
    }
    setup.put(&mut writer.scratch).map_err(SessionError::from)?;
    // A write that fails has a reason, which reading finds.
    let _ = writer.flush().await;
    let setup = match reader.split("SETUP", ServerSetup::split).await {
        Ok(setup) => setup.ok_or(PeerFault::Truncated("SETUP")),
        Err(StreamError::Peer(fault)) => Err(fault),
        Err(StreamError::Transport) => {
            return Err(match poll_fn(|cx| transport.poll_closed(cx)).await {
                TransportError::Closed { code, .. } if code == code::session::VERSION => {
                    refused(None)
                }
                error => SessionError::from(error).into(),
            });
        }
        Err(_) => Err(PeerFault::Truncated("SETUP")),
    };
    let chosen = setup.map_err(SessionError::from)?.version;
    let version = Version::from_code_point(chosen)
        .filter(|version| config.versions.contains(version))
        .ok_or_else(|| refused(Some(format!("{chosen:#x}"))))?;
    reader.speak(version);
    let stream = SessionStream {
        _writer: writer,
        reader,
    };
    Ok(Agreement { version, stream })
}

/// Shakes hands as a server; closes the session if that fails. Yields the requested path, too, if
/// the client names one.
///
/// # Errors
/// [`AcceptError::NoCommonVersion`] if nothing that the client offers is acceptable.
pub(crate) async fn accept<T: Transport>(
    transport: &mut T,
    config: &Config,
) -> Result<(Agreement<T>, Option<String>), AcceptError> {
    let error = match clock::timeout(config.answer_timeout, negotiate(transport, config)).await {
        Ok(Ok(agreement)) => return Ok(agreement),
        Ok(Err(error)) => error,
        Err(_) => SessionError::from(PeerFault::NoSetup).into(),
    };
    match &error {
        AcceptError::Session(error) => close(transport, error),
        _ => transport.close(code::session::VERSION, "no common version"),
    }
    Err(error)
}

async fn negotiate<T: Transport>(
    transport: &mut T,
    config: &Config,
) -> Result<(Agreement<T>, Option<String>), AcceptError> {
    let form = form(&config.versions).ok_or_else(|| AcceptError::NoCommonVersion {
        offered: Vec::new(),
    })?;
    let (mut writer, mut reader, setup) = loop {
        let (send, recv) = poll_fn(|cx| transport.poll_accept_bi(cx))
            .await
            .map_err(SessionError::from)?;
        let (mut writer, mut reader) = (Writer::control(send, form), Reader::new(recv, form));
        match offered(&mut reader).await? {
            Some(setup) => break (writer, reader, setup),
            // There is no session yet that it could be about.
            None => writer.reset(code::stream::CANCELLED),
        }
    };
    let version = setup.choose(&config.versions);
    let version = version.ok_or_else(|| AcceptError::NoCommonVersion {
        offered: setup.versions.iter().copied().map(name).collect(),
    })?;
    let answer = ServerSetup::new(version);
    answer
        .put(&mut writer.scratch)
        .map_err(SessionError::from)?;
    // A client that stops the stream ends it as well, which is noticed by whoever follows it.
    let _ = writer.flush().await;
    reader.speak(version);
    let path = setup.parameters.iter().find(|p| p.id == PATH);
    let path = path.and_then(|parameter| match &parameter.value {
        ParameterValue::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        ParameterValue::Number(_) => None,
    });
    let stream = SessionStream {
        _writer: writer,
        reader,
    };
    Ok((Agreement { version, stream }, path))
}

/// The client's offer, unless the stream is another one.
async fn offered<R: crate::transport::RecvStream>(
    reader: &mut Reader<R>,
) -> Result<Option<ClientSetup>, SessionError> {
    match reader.split("SETUP", ClientSetup::split).await {
        Ok(Some(setup)) => Ok(Some(setup)),
        Err(StreamError::Peer(PeerFault::Malformed {
            error: DecodeError::UnexpectedType(_),
            ..
        })) => Ok(None),
        Err(StreamError::Peer(fault)) => Err(fault.into()),
        Ok(None) | Err(_) => Err(PeerFault::Truncated("SETUP").into()),
    }
}

/// Follows the session's stream, whose end is the session's. What it tells is of no use here.
pub(crate) async fn follow<T: Transport>(stream: SessionStream<T>) -> Result<(), SessionError> {
    let SessionStream {
        _writer,
        mut reader,
    } = stream;
    loop {
        match reader.message::<SessionInfo>("SESSION_INFO").await {
            Ok(Some(_)) => {}
            Ok(None) | Err(StreamError::Reset(_)) => return Err(SessionError::Ended),
            Err(StreamError::Peer(fault)) => return Err(fault.into()),
            // The connection has ended, and its own watch knows why.
            Err(_) => return Ok(()),
        }
    }
}

fn close<T: Transport>(transport: &mut T, error: &SessionError) {
    match error {
        SessionError::Peer(fault) => transport.close(fault.close_code(), &fault.to_string()),
        SessionError::Encode(_) => transport.close(code::session::INTERNAL, ""),
        _ => {}
    }
}

/// How integers are written before a draft is agreed on: as in any of those that the handshake can
/// lead to.
fn form(acceptable: &[Version]) -> Option<Version> {
    let mut acceptable = acceptable.iter().copied();
    acceptable.find(|version| version.features().handshake)
}

/// The name of an offered version, for people.
fn name(code_point: u64) -> String {
    match Version::from_code_point(code_point) {
        Some(version) => version.name().to_owned(),
        None => format!("{code_point:#x}"),
    }
}

/// The parameter that holds the requested path, on bindings without a URL.
const PATH: u64 = 0x1;
