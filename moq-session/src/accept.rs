//! Starting a session as a server: looking at a connection, as far as its request.

use moq_model::platform::clock;
use moq_wire::{Setup, Version, code};

use crate::config::Config;
use crate::error::{AcceptError, PeerFault, SessionError};
use crate::handshake::{self, SessionStream};
use crate::negotiate::{self, Agreed};
use crate::request::{self, Request, Stage};
use crate::session::Session;
use crate::setup;
use crate::transport::{Incoming, Transport};

impl Session {
    /// Looks at an incoming connection, as far as is needed to know what it asks for.
    ///
    /// # Errors
    /// [`AcceptError::NoCommonVersion`] when the peer offers no acceptable draft, and
    /// [`AcceptError::Session`] when it goes away or sends no SETUP in time.
    ///
    /// Not cancel safe: the connection is lost.
    pub async fn accept<I: Incoming>(
        incoming: I,
        config: Config,
    ) -> Result<Request<I>, AcceptError> {
        let Some((name, agreed)) = negotiate::choose(incoming.protocols(), &config.versions) else {
            let offered = incoming.protocols().to_vec();
            if let Ok(mut transport) = incoming.accept(None).await {
                transport.close(code::session::VERSION, "no common version");
            }
            return Err(AcceptError::NoCommonVersion { offered });
        };
        let name = name.map(str::to_owned);
        let info = incoming.info();
        if let Some(target) = incoming.request_path() {
            let (path, query) = split(target);
            let stage = Some(Stage::Unanswered {
                incoming,
                name,
                agreed,
            });
            return Ok(Request {
                stage,
                config,
                info,
                path,
                query,
                setup: None,
            });
        }
        let accepted = incoming.accept(name.as_deref()).await;
        let mut transport = accepted.map_err(SessionError::from)?;
        let (version, stream, mut target) = agree(&mut transport, agreed, &config).await?;
        let setup = match version.features().setup_stream {
            true => Some(receive_setup(&mut transport, version, &config).await?),
            false => None,
        };
        if let Some(setup) = &setup {
            target.clone_from(&setup.path);
        }
        let (path, query) = split(target.as_deref().unwrap_or("/"));
        let info = request::with_request(transport.info(), info);
        Ok(Request {
            stage: Some(Stage::Established {
                transport,
                version,
                stream,
            }),
            config,
            info,
            path,
            query,
            setup,
        })
    }
}

/// The draft, and where that takes a handshake, what it left behind and the path it asked for.
pub(crate) async fn agree<T: Transport>(
    transport: &mut T,
    agreed: Agreed,
    config: &Config,
) -> Result<(Version, Option<SessionStream<T>>, Option<String>), AcceptError> {
    match agreed {
        Agreed::Version(version) => Ok((version, None, None)),
        Agreed::Handshake => {
            // A name that the transport agreed on by itself may be another than those acceptable.
            let name = transport.info().protocol.as_deref();
            if negotiate::agreed(name, &config.versions) != Some(Agreed::Handshake) {
                let offered = name.map(str::to_owned).into_iter().collect();
                transport.close(code::session::VERSION, "no common version");
                return Err(AcceptError::NoCommonVersion { offered });
            }
            let (agreement, path) = handshake::accept(transport, config).await?;
            Ok((agreement.version, Some(agreement.stream), path))
        }
    }
}

async fn receive_setup<T: Transport>(
    transport: &mut T,
    version: Version,
    config: &Config,
) -> Result<Setup, SessionError> {
    let setup = clock::timeout(config.answer_timeout, setup::receive(transport, version)).await;
    let error = match setup {
        Ok(Ok(setup)) => return Ok(setup),
        Ok(Err(error)) => error,
        Err(_) => PeerFault::NoSetup.into(),
    };
    if let SessionError::Peer(fault) = &error {
        transport.close(fault.close_code(), &fault.to_string());
    }
    Err(error)
}

fn split(target: &str) -> (String, Option<String>) {
    match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    }
}
