//! For tests: a relay's side of a session over a memory pair, and a peer that is driven by hand.

mod peer;
mod script;

pub use crate::memory::{MemoryConnection, MemoryRecv, MemorySend, memory_pair};
pub use peer::Peer;
pub use script::Script;

use moq_model::{BroadcastPath, OriginProducer};

use crate::{Config, Driver, Established, Grant, Session, SessionError};

/// Accepts a session on one end of a memory pair and joins it to `origin`, as a relay does.
///
/// # Errors
/// [`SessionError`] when the other end goes away first.
pub async fn accept(
    connection: MemoryConnection,
    origin: &OriginProducer,
) -> Result<Session, crate::AcceptError> {
    let config = Config::default()
        .with_versions(moq_wire::Version::ALL)
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let request = Session::accept(Established::new(connection), config).await?;
    let root = BroadcastPath::new(request.path())?;
    let (session, driver) = request.accept_with_driver(Grant::everything(root)).await?;
    spawn(driver);
    Ok(session)
}

/// As [`accept`], in the background; the session lives as long as the guard.
#[must_use]
pub fn serve(connection: MemoryConnection, origin: &OriginProducer) -> Serving {
    let origin = origin.clone();
    Serving(tokio::spawn(async move {
        match accept(connection, &origin).await {
            Ok(session) => session.closed().await,
            Err(crate::AcceptError::Session(error)) => error,
            Err(_) => SessionError::Closed,
        }
    }))
}

/// A session served in the background until this is dropped.
#[derive(Debug)]
pub struct Serving(tokio::task::JoinHandle<SessionError>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn spawn(driver: Driver<MemoryConnection>) {
    tokio::spawn(driver);
}
