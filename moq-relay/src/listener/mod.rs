//! What a relay needs of a server of any transport crate.

#[cfg(all(unix, feature = "direct"))]
mod direct;
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
mod engine;
#[cfg(feature = "quinn")]
mod quinn;

use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;

use moq_session::transport::Incoming;
use tokio::runtime::Handle;

use crate::tls::{Fingerprint, Identity};

#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
pub use engine::Engine;

/// A server of some transport, which listens already.
pub trait Listener: Clone + Debug + Send + Sync + 'static {
    /// A connection that waits for an answer.
    type Incoming: Incoming<Transport: Send> + Send + 'static;

    /// The addresses listened on, with their real ports.
    fn local_addrs(&self) -> &[SocketAddr];

    /// The addresses that are not listened on, because this machine lacks their family.
    fn missing_addrs(&self) -> &[SocketAddr] {
        &[]
    }

    /// The runtimes of the workers; none if sessions may run where the relay was started.
    fn runtimes(&self) -> Vec<Handle> {
        Vec::new()
    }

    /// Waits for the next connection; `None` once the server is closed. Cancel safe.
    fn accept(&self) -> impl Future<Output = Option<Arrival<Self::Incoming>>> + Send;

    /// The fingerprints of the certificates that are shown.
    fn fingerprints(&self) -> Vec<Fingerprint>;

    /// Shows this identity from here on.
    fn set_certificate(&self, identity: Identity);

    /// Closes the server and its connections, with a session close code.
    fn close(&self, code: u32, reason: &str);

    /// Waits until all connections are gone and their peers were told. Cancel safe.
    fn wait_idle(&self) -> impl Future<Output = ()> + Send;
}

/// A connection, and where it comes from.
#[derive(Debug)]
pub struct Arrival<I> {
    /// The connection.
    pub incoming: I,
    /// The peer's address.
    pub remote: SocketAddr,
    /// Which of [`Listener::runtimes`] moves its packets; 0 if there is none.
    pub worker: usize,
}
