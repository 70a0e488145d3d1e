//! Starting a session as a server: look at the request, then grant or refuse.

use std::fmt;

use moq_model::platform::clock;
use moq_model::text::Escaped;
use moq_wire::{Role, Setup, Version, code};

use crate::config::Config;
use crate::connect::Start;
use crate::driver::Driver;
use crate::error::{AcceptError, PeerFault, SessionError};
use crate::grant::Grant;
use crate::handshake::{self, SessionStream};
use crate::negotiate::{self, Agreed};
use crate::session::Session;
use crate::setup;
use crate::transport::{Incoming, Transport, TransportInfo};

/// A peer that asks to be let in.
///
/// The path and query come from WebTransport's CONNECT or, on raw QUIC, from the SETUP of drafts
/// that have one; they are `/` otherwise. Dropping the request refuses it.
pub struct Request<I: Incoming> {
    /// `None` once the request is answered.
    stage: Option<Stage<I>>,
    config: Config,
    path: String,
    query: Option<String>,
    setup: Option<Setup>,
}

enum Stage<I: Incoming> {
    /// The transport's own request is not answered yet.
    Unanswered {
        incoming: I,
        /// The protocol name to answer with.
        name: Option<String>,
        agreed: Agreed,
    },
    /// The connection exists, and the SETUP with the request was read.
    Established {
        transport: I::Transport,
        version: Version,
        stream: Option<SessionStream<I::Transport>>,
    },
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A credential is missing or wrong: 401.
    Unauthorized,
    /// The credential does not cover the request: 403.
    Forbidden,
}

impl Refusal {
    fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
        }
    }
}

impl Session {
    /// Looks at an incoming connection, as far as is needed to know what it asks for.
    ///
    /// # Errors
    /// [`AcceptError::NoCommonVersion`] when the peer offers no acceptable draft, and
    /// [`AcceptError::Session`] when it goes away or sends no SETUP in time.
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
                path,
                query,
                setup: None,
            });
        }
        let accepted = incoming.accept(name.as_deref()).await;
        let mut transport = accepted.map_err(SessionError::from)?;
        let (version, stream, mut target) = settle(&mut transport, agreed, &config).await?;
        let setup = match version.features().setup_stream {
            true => Some(receive_setup(&mut transport, version, &config).await?),
            false => None,
        };
        if let Some(setup) = &setup {
            target.clone_from(&setup.path);
        }
        let (path, query) = split(target.as_deref().unwrap_or("/"));
        Ok(Request {
            stage: Some(Stage::Established {
                transport,
                version,
                stream,
            }),
            config,
            path,
            query,
            setup,
        })
    }
}

/// The draft, and where that takes a handshake, what it left behind and the path it asked for.
async fn settle<T: Transport>(
    transport: &mut T,
    agreed: Agreed,
    config: &Config,
) -> Result<(Version, Option<SessionStream<T>>, Option<String>), AcceptError> {
    match agreed {
        Agreed::Version(version) => Ok((version, None, None)),
        Agreed::Handshake => {
            // A name that the transport settled by itself may be another than those acceptable.
            let name = transport.info().protocol.as_deref();
            if negotiate::agreed(name, &config.versions) != Some(Agreed::Handshake) {
                let offered = name.map(str::to_owned).into_iter().collect();
                transport.close(code::session::VERSION, "no common version");
                return Err(AcceptError::NoCommonVersion { offered });
            }
            let (settled, path) = handshake::accept(transport, config).await?;
            Ok((settled.version, Some(settled.stream), path))
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

impl<I: Incoming> Request<I> {
    /// The requested path, such as `/room`; not to be trusted.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The request's query without `?`; it may hold a credential, and is not to be trusted.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The draft that is going to be spoken; `None` while a handshake inside the session, which
    /// follows the grant, has not settled it.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        match self.stage.as_ref()? {
            Stage::Unanswered {
                agreed: Agreed::Handshake,
                ..
            } => None,
            Stage::Unanswered {
                agreed: Agreed::Version(version),
                ..
            }
            | Stage::Established { version, .. } => Some(*version),
        }
    }

    /// What the peer said it is going to do, as far as that is known by now.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.setup.as_ref().and_then(|setup| setup.role)
    }

    /// What carries the session, once the transport's own request is answered.
    #[must_use]
    pub fn info(&self) -> Option<&TransportInfo> {
        match &self.stage {
            Some(Stage::Established { transport, .. }) => Some(transport.info()),
            _ => None,
        }
    }

    /// Lets the peer in and spawns the session's driver.
    ///
    /// # Errors
    /// [`AcceptError::Session`] when the peer is gone, and [`AcceptError::NoCommonVersion`] when
    /// the handshake inside the session finds that.
    #[cfg(feature = "tokio")]
    pub async fn accept(self, grant: Grant) -> Result<Session, AcceptError>
    where
        Driver<I::Transport>: Send,
    {
        let (session, driver) = self.accept_with_driver(grant).await?;
        tokio::spawn(driver);
        Ok(session)
    }

    /// Lets the peer in; the caller polls the driver.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn accept_with_driver(
        mut self,
        grant: Grant,
    ) -> Result<(Session, Driver<I::Transport>), AcceptError> {
        let (transport, version, stream) = match self.stage.take() {
            Some(Stage::Unanswered {
                incoming,
                name,
                agreed,
            }) => {
                let accepted = incoming.accept(name.as_deref()).await;
                let mut transport = accepted.map_err(SessionError::from)?;
                let (version, stream, _) = settle(&mut transport, agreed, &self.config).await?;
                (transport, version, stream)
            }
            Some(Stage::Established {
                transport,
                version,
                stream,
            }) => (transport, version, stream),
            None => return Err(SessionError::Closed.into()),
        };
        let start = Start {
            is_server: true,
            grant,
            peer: self.setup.take(),
            stream,
        };
        Ok(start.session(transport, version, &self.config))
    }

    /// Turns the peer away: with an HTTP status where there is no session yet, else with a session
    /// close code.
    pub async fn refuse(mut self, refusal: Refusal) {
        if let Some(Stage::Unanswered { incoming, .. }) = self
            .stage
            .take_if(|stage| matches!(stage, Stage::Unanswered { .. }))
        {
            incoming
                .refuse(refusal.status(), code::session::UNAUTHORIZED)
                .await;
        }
    }
}

impl<I: Incoming> Drop for Request<I> {
    fn drop(&mut self) {
        if let Some(Stage::Established { transport, .. }) = &mut self.stage {
            transport.close(code::session::UNAUTHORIZED, "not authorized");
        }
    }
}

impl<I: Incoming> fmt::Debug for Request<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold a credential.
        let path = Escaped(&self.path).to_string();
        f.debug_struct("Request")
            .field("version", &self.version())
            .field("path", &path)
            .finish_non_exhaustive()
    }
}
