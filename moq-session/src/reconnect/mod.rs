//! Sessions that come back.

mod board;
mod policy;
mod redirect;
mod run;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::MaybeSend;
use moq_model::{BroadcastPath, OriginConsumer, OriginProducer, PathError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use policy::{FirstFailure, ReconnectPolicy};
pub use redirect::Redirects;

use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConnectError, SessionError};
use crate::resume::{ResumingReader, Sessions, TrackFinder};
use crate::session::Session;
use crate::transport::Transport;
use board::Board;
use run::Runner;

/// Makes connections to one peer.
pub trait Dial: Send + Sync + 'static {
    /// What it makes.
    type Transport: Transport;
    /// Why it could not.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Makes a connection; bounded in time by the implementation.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// Cancel safe: it is dropped with the [`Reconnect`].
    fn dial(&self) -> impl Future<Output = Result<Self::Transport, Self::Error>> + MaybeSend;

    /// Whether trying again cannot help, as with a refused credential.
    fn is_terminal(error: &Self::Error) -> bool;

    /// Whether the next session would end for the same reason as the one that ended with `error`; by
    /// default if the peer refused it.
    fn is_final(error: &SessionError) -> bool {
        error.is_refusal()
    }

    /// The same with a fresh credential or for a fresh URL, after a failure that is final without one:
    /// a refused or an expired grant, above all. `None` if there is none, which ends it.
    ///
    /// What it returns dials from then on, after the usual wait. While a session is up that its peer has
    /// asked to leave, `None` ends the dialling, and the session stays until it ends. Bounded in time by the
    /// implementation. Cancel safe: it is dropped with the [`Reconnect`].
    fn renew(
        &self,
        refused: &DialError<Self::Error>,
    ) -> impl Future<Output = Option<Self>> + MaybeSend
    where
        Self: Sized,
    {
        let _ = refused;
        std::future::ready(None)
    }

    /// Where it dials, as a URI; `None` for a dialer that can't be sent elsewhere.
    fn uri(&self) -> Option<String> {
        None
    }

    /// The same for another URI, which is complete: nothing of this one's is to be added to it.
    /// `None` where that can't be dialled.
    fn at(&self, uri: &str) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = uri;
        None
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError<E: std::error::Error + 'static> {
    /// No connection.
    #[error(transparent)]
    Dial(E),
    /// A connection, but no session.
    #[error(transparent)]
    Connect(ConnectError),
    /// The session ended for a reason that would end the next one too.
    #[error(transparent)]
    Session(SessionError),
}

/// What a [`Reconnect`] is doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Status<E: std::error::Error + 'static> {
    /// Dialling, for the nth time in a row, from 1.
    Connecting {
        /// Which attempt it is.
        attempt: u32,
    },
    /// A session is up.
    Connected(Session),
    /// The session was lost, or the dial failed.
    Waiting {
        /// Why.
        error: Arc<DialError<E>>,
        /// How long until the next attempt.
        retry_in: Duration,
    },
    /// There will be no further attempt.
    Failed(Arc<DialError<E>>),
}

/// Keeps a session to one peer, over and over, for as long as this handle lives.
///
/// The origins of the configuration outlive each session: what is published is announced again,
/// and what the peer announces comes back. By default every error is final until a first session was
/// up, because it is more likely a mistake than a fault; afterwards only refusals are, unless
/// [`Dial::renew`] knows better. [`ReconnectPolicy`] says otherwise.
///
/// A peer that goes away is left for the place it names, as far as [`Config::redirects`] allows, or
/// else for another session at the same place. The new session is up, and has told what it
/// announces, before the old one is let go of. Who loses a session at a place that a peer named
/// tries that place once more, and then the one that was dialled first.
///
/// Dropping it closes its sessions, whoever else has handles to them.
///
/// ```
/// use moq_session::{Config, Dial, OriginProducer, Reconnect, ReconnectPolicy};
/// # async fn kept<D: Dial<Transport = moq_session::testing::MemoryConnection>>(
/// #     dialer: D,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
///
/// let config = Config::default().with_subscribe(OriginProducer::new());
/// let policy = ReconnectPolicy::default().with_attempts(10);
/// let reconnect = Reconnect::with_policy(dialer, config, policy);
/// let session = reconnect.connected().await?;
/// let reader = reconnect.subscribe("room", "data")?;
/// # drop((session, reader));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reconnect<D: Dial> {
    status: watch::Receiver<Status<D::Error>>,
    sessions: Sessions,
    origin: Option<OriginConsumer>,
    task: JoinHandle<()>,
}

impl<D: Dial> Reconnect<D> {
    /// Begins to dial, on the running tokio runtime, with the default policy.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(dialer: D, config: Config) -> Self
    where
        Driver<D::Transport>: Send,
        D::Transport: Send,
    {
        Self::with_policy(dialer, config, ReconnectPolicy::default())
    }

    /// Begins to dial, on the running tokio runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn with_policy(dialer: D, config: Config, policy: ReconnectPolicy) -> Self
    where
        Driver<D::Transport>: Send,
        D::Transport: Send,
    {
        // Nobody may take the origin for complete before the first session has filled it.
        let sync = config.subscribe.as_ref().map(OriginProducer::sync);
        let origin = config.subscribe.as_ref().map(OriginProducer::consume);
        let (board, status, sessions) = Board::new();
        let runner = Runner::new(dialer, config, policy, board);
        let task = tokio::spawn(runner.run(sync));
        Self {
            status,
            sessions,
            origin,
            task,
        }
    }

    /// What is going on, as it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status<D::Error>> {
        self.status.clone()
    }

    /// The sessions, one after the other.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.sessions.clone()
    }

    /// Waits until a session is up.
    ///
    /// # Errors
    /// Why there will be none.
    ///
    /// Cancel safe.
    pub async fn connected(&self) -> Result<Session, Arc<DialError<D::Error>>> {
        let mut status = self.status.clone();
        let decided = status.wait_for(|status| match status {
            Status::Connected(session) => session.is_open(),
            Status::Failed(_) => true,
            _ => false,
        });
        match decided.await.as_deref() {
            Ok(Status::Connected(session)) => Ok(session.clone()),
            Ok(Status::Failed(error)) => Err(error.clone()),
            // The task ends with this handle, or with its runtime.
            _ => Err(Arc::new(DialError::Session(SessionError::Closed))),
        }
    }

    /// Reads the peer's track `track` of the broadcast `path`, across as many sessions as it takes.
    ///
    /// The broadcast is found by what is announced, if the configuration has an origin to subscribe in.
    /// While nothing is, the peer is asked for the track all the same, each second until it has it.
    ///
    /// # Errors
    /// [`PathError`] if `path` is no broadcast path.
    pub fn subscribe(&self, path: &str, track: &str) -> Result<ResumingReader, PathError> {
        let path = BroadcastPath::new(path)?;
        let finder = match &self.origin {
            Some(origin) => TrackFinder::new(origin.clone(), path, track),
            None => TrackFinder::blind(self.sessions(), path, track),
        };
        let finder = finder.with_sessions(self.sessions()).with_blind(true);
        Ok(ResumingReader::new(finder))
    }
}

impl<D: Dial> Drop for Reconnect<D> {
    fn drop(&mut self) {
        // The runner closes what it has when it is dropped.
        self.task.abort();
    }
}

impl<E: std::error::Error> Status<E> {
    /// The session, while one is up.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Connected(session) => Some(session),
            _ => None,
        }
    }
}

impl<E: std::error::Error + 'static> fmt::Display for Status<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { attempt } => write!(f, "connecting (attempt {attempt})"),
            Self::Connected(session) => write!(f, "connected, {}", session.version()),
            Self::Waiting { error, retry_in } => {
                write!(f, "{error}; trying again in {} ms", retry_in.as_millis())
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}
