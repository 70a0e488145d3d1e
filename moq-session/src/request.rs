//! A peer that asks to be let in, and the answer.

use std::fmt;

use moq_model::text::Escaped;
use moq_wire::{Role, Setup, Version, code};

use crate::accept::agree;
use crate::config::Config;
use crate::connect::SessionStart;
use crate::driver::Driver;
use crate::error::{AcceptError, SessionError};
use crate::grant::Grant;
use crate::handshake::SessionStream;
use crate::negotiate::Agreed;
use crate::session::Session;
use crate::transport::{Incoming, Transport, TransportInfo};

/// A peer that asks to be let in.
///
/// The path and query come from WebTransport's CONNECT or, on raw QUIC, from the SETUP of drafts
/// that have one; they are `/` otherwise. Dropping the request refuses it.
///
/// ```
/// # use moq_session::testing::memory_pair;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use moq_session::{Config, Established, Grant, Pattern, Refusal, Session};
/// # let (client, server) = memory_pair(moq_session::Version::Lite06);
/// # let client = client.with_setup_path("/room?token=T");
/// # let _client = Session::connect(client).await?;
/// # let incoming = Established::new(server);
///
/// let request = Session::accept(incoming, Config::default()).await?;
/// if request.query() == Some("token=T") {
///     let grant = Grant::new(request.path().parse()?).subscribe([Pattern::everything()]);
///     let session = request.accept(grant).await?;
/// #   assert!(session.is_open());
/// } else {
///     request.refuse(Refusal::Unauthorized).await;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Request<I: Incoming> {
    /// `None` once the request is answered.
    pub(crate) stage: Option<Stage<I>>,
    pub(crate) config: Config,
    pub(crate) info: TransportInfo,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) setup: Option<Setup>,
}

pub(crate) enum Stage<I: Incoming> {
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

/// Why a request is refused: a status of HTTP over WebTransport, elsewhere the session close code that
/// comes nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A credential is missing, wrong or expired: 401.
    Unauthorized,
    /// The credential does not cover the request: 403.
    Forbidden,
    /// There is nothing at the requested path: 404.
    NotFound,
    /// This peer asks for too much, and may come back later: 429.
    TooManyRequests,
    /// There is no room for anybody at the moment: 503.
    Unavailable,
}

impl Refusal {
    /// The status of HTTP.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::TooManyRequests => 429,
            Self::Unavailable => 503,
        }
    }

    /// The session close code that comes nearest. Peers take the one of the first three for final.
    #[must_use]
    pub fn close_code(self) -> u32 {
        match self {
            Self::Unauthorized | Self::Forbidden | Self::NotFound => code::session::UNAUTHORIZED,
            Self::TooManyRequests | Self::Unavailable => code::session::INTERNAL,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::TooManyRequests => "too many requests",
            Self::Unavailable => "unavailable",
        })
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
    /// follows the grant, has not led to one.
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

    /// What the peer said it is going to do, as far as that is known by now: it stands in a SETUP, which
    /// over WebTransport comes after the answer.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.setup.as_ref().and_then(|setup| setup.role)
    }

    /// What is known of the peer and of what carries the session: its address, the authority that it
    /// asked for, its certificate, its `Origin` header, as far as the transport tells.
    #[must_use]
    pub fn info(&self) -> &TransportInfo {
        &self.info
    }

    /// Lets the peer in and spawns the session's driver.
    ///
    /// # Errors
    /// [`AcceptError::Session`] when the peer is gone, and [`AcceptError::NoCommonVersion`] when
    /// the handshake inside the session finds that.
    ///
    /// Not cancel safe: the connection is lost.
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
    ///
    /// Not cancel safe: the connection is lost.
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
                let (version, stream, _) = agree(&mut transport, agreed, &self.config).await?;
                (transport, version, stream)
            }
            Some(Stage::Established {
                transport,
                version,
                stream,
            }) => (transport, version, stream),
            None => return Err(SessionError::Closed.into()),
        };
        let start = SessionStart {
            is_server: true,
            info: with_request(transport.info(), std::mem::take(&mut self.info)),
            grant,
            peer: self.setup.take(),
            stream,
        };
        Ok(start.session(transport, version, &self.config))
    }

    /// Turns the peer away: with an HTTP status where there is no session yet, else with a session
    /// close code and the refusal's name.
    ///
    /// Waits until the peer has the answer, within limits. Not cancel safe: the peer may miss it.
    pub async fn refuse(mut self, refusal: Refusal) {
        match self.stage.take() {
            Some(Stage::Unanswered { incoming, .. }) => {
                incoming
                    .refuse(refusal.status(), refusal.close_code())
                    .await;
            }
            Some(Stage::Established { mut transport, .. }) => {
                transport.close(refusal.close_code(), &refusal.to_string());
            }
            None => {}
        }
    }
}

/// What a connection knows of itself, with what only its request knew.
pub(crate) fn with_request(connection: &TransportInfo, request: TransportInfo) -> TransportInfo {
    let mut info = connection.clone();
    info.remote = info.remote.or(request.remote);
    info.fingerprint = info.fingerprint.or(request.fingerprint);
    info.authority = info.authority.or(request.authority);
    info.origin = info.origin.or(request.origin);
    info
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
