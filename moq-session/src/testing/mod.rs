//! For tests: a relay's side of a session over a memory pair, and a peer that is driven by hand.

pub mod conformance;
mod peer;
mod script;

pub use crate::memory::{MemoryConnection, MemoryRecv, MemorySend, memory_pair};
pub use peer::Peer;
pub use script::Script;

use moq_model::{BroadcastPath, OriginProducer};

use crate::{AcceptError, Config, Established, Grant, Request, Session, SessionError};

/// Accepts a session on one end of a memory pair and joins it to `origin`, as a relay does.
///
/// # Errors
/// [`AcceptError`] when the other end goes away first.
///
/// Not cancel safe: the connection is lost.
pub async fn accept(
    connection: MemoryConnection,
    origin: &OriginProducer,
) -> Result<Session, AcceptError> {
    let request = request(connection, relay(origin)).await?;
    let root = BroadcastPath::new(request.path())?;
    admit(request, Grant::everything(root)).await
}

/// As [`accept`], with parameters and a grant of the caller's, whatever the peer's path is.
///
/// # Errors
/// [`AcceptError`] when the other end goes away first, or nothing that it speaks is acceptable.
///
/// Not cancel safe: the connection is lost.
pub async fn accept_with(
    connection: MemoryConnection,
    config: Config,
    grant: Grant,
) -> Result<Session, AcceptError> {
    admit(request(connection, config).await?, grant).await
}

/// As [`accept`], in the background; the session lives as long as the guard.
#[must_use]
pub fn serve(connection: MemoryConnection, origin: &OriginProducer) -> ServeGuard {
    let origin = origin.clone();
    ServeGuard::new(async move { accept(connection, &origin).await })
}

/// As [`accept_with`], in the background; the session lives as long as the guard.
#[must_use]
pub fn serve_with(connection: MemoryConnection, config: Config, grant: Grant) -> ServeGuard {
    ServeGuard::new(accept_with(connection, config, grant))
}

/// What a relay's sessions on `origin` are started with, in every draft.
#[must_use]
pub fn relay(origin: &OriginProducer) -> Config {
    Config::default()
        .with_versions(moq_wire::Version::ALL)
        .with_publish(origin.clone())
        .with_subscribe(origin.clone())
}

/// A session served in the background until this is dropped.
#[derive(Debug)]
pub struct ServeGuard(tokio::task::JoinHandle<SessionError>);

impl ServeGuard {
    fn new(accepted: impl Future<Output = Result<Session, AcceptError>> + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            match accepted.await {
                Ok(session) => session.closed().await,
                Err(AcceptError::Session(error)) => error,
                Err(_) => SessionError::Closed,
            }
        }))
    }
}

impl Drop for ServeGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Asking = Request<Established<MemoryConnection>>;

async fn request(connection: MemoryConnection, config: Config) -> Result<Asking, AcceptError> {
    Session::accept(Established::new(connection), config).await
}

async fn admit(request: Asking, grant: Grant) -> Result<Session, AcceptError> {
    let (session, driver) = request.accept_with_driver(grant).await?;
    tokio::spawn(driver);
    Ok(session)
}
