//! Sessions that come back.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use moq_model::maybe::MaybeSend;
use moq_model::{SyncGuard, clock};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConnectError, SessionError};
use crate::session::Session;
use crate::transport::{Transport, TransportError};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_secs(3);
/// A session that lived this long begins with the shortest wait again.
const STABLE: Duration = Duration::from_secs(1);

/// Makes connections to one peer.
pub trait Dial: Send + Sync + 'static {
    /// What it makes.
    type Transport: Transport;
    /// Why it could not.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Makes a connection; bounded in time by the implementation.
    fn dial(&self) -> impl Future<Output = Result<Self::Transport, Self::Error>> + MaybeSend;

    /// Whether trying again cannot help, as with a refused credential.
    fn is_terminal(error: &Self::Error) -> bool;
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
/// and what the peer announces comes back. Until a first session was up every error is final,
/// because it is more likely a mistake than a fault; afterwards only refusals are.
#[derive(Debug)]
pub struct Reconnect<D: Dial> {
    status: watch::Receiver<Status<D::Error>>,
    task: JoinHandle<()>,
}

impl<D: Dial> Reconnect<D> {
    /// Begins to dial, on the running tokio runtime.
    #[must_use]
    pub fn new(dialer: D, config: Config) -> Self
    where
        Driver<D::Transport>: Send,
        D::Transport: Send,
    {
        let (sender, status) = watch::channel(Status::Connecting { attempt: 1 });
        // Nobody may take the origin for complete before the first session has filled it.
        let sync = config
            .subscribe
            .as_ref()
            .map(moq_model::OriginProducer::sync);
        let task = tokio::spawn(run(dialer, config, sender, sync));
        Self { status, task }
    }

    /// What is going on, as it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status<D::Error>> {
        self.status.clone()
    }
}

impl<D: Dial> Drop for Reconnect<D> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run<D: Dial>(
    dialer: D,
    config: Config,
    status: watch::Sender<Status<D::Error>>,
    mut sync: Option<SyncGuard>,
) where
    Driver<D::Transport>: Send,
    D::Transport: Send,
{
    let mut attempt = 1;
    let mut was_up = false;
    loop {
        let error = match connect(&dialer, &config).await {
            Ok(session) => {
                let since = clock::now();
                was_up = true;
                sync = None;
                status.send_replace(Status::Connected(session.clone()));
                let error = session.closed().await;
                if since.elapsed() >= STABLE {
                    attempt = 0;
                }
                DialError::Session(error)
            }
            Err(error) => error,
        };
        let error = Arc::new(error);
        if !was_up || is_terminal::<D>(&error) {
            drop(sync);
            status.send_replace(Status::Failed(error));
            return;
        }
        let retry_in = wait(attempt);
        status.send_replace(Status::Waiting { error, retry_in });
        clock::sleep(retry_in).await;
        attempt += 1;
        status.send_replace(Status::Connecting { attempt });
    }
}

async fn connect<D: Dial>(dialer: &D, config: &Config) -> Result<Session, DialError<D::Error>>
where
    Driver<D::Transport>: Send,
{
    let transport = dialer.dial().await.map_err(DialError::Dial)?;
    Session::connect_with(transport, config.clone())
        .await
        .map_err(DialError::Connect)
}

fn is_terminal<D: Dial>(error: &DialError<D::Error>) -> bool {
    match error {
        DialError::Dial(error) => D::is_terminal(error),
        DialError::Connect(ConnectError::NoCommonVersion { .. }) => true,
        DialError::Connect(ConnectError::Session(error)) | DialError::Session(error) => {
            is_refusal(error)
        }
    }
}

/// The peer closed the session for lack of authorization or of a version.
fn is_refusal(error: &SessionError) -> bool {
    use moq_wire::code::session::{UNAUTHORIZED, VERSION};
    matches!(
        error,
        SessionError::Transport(TransportError::Closed {
            code: UNAUTHORIZED | VERSION,
            ..
        })
    )
}

/// The wait before an attempt: doubled each time, jittered by half.
fn wait(attempt: u32) -> Duration {
    let longest = FIRST_WAIT
        .saturating_mul(1 << attempt.min(10))
        .min(MAX_WAIT);
    let jitter = RandomState::new().hash_one(attempt) % 512;
    longest / 2 + longest / 1_024 * u32::try_from(jitter).unwrap_or_default()
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
