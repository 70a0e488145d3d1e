//! Listeners of any kind, side by side.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use crate::listener::Listener;
use crate::sessions::{self, Hall};
use crate::tls::{Fingerprint, Identity};

/// [`Listener`] for any kind of it.
pub(crate) trait Served: Debug + Send + Sync {
    fn addrs(&self) -> &[SocketAddr];
    fn missing(&self) -> &[SocketAddr];
    fn runtimes(&self) -> Vec<Handle>;
    fn fingerprints(&self) -> Vec<Fingerprint>;
    fn show(&self, identity: Identity);
    fn close(&self, code: u32, reason: &str);
    fn idle(&self) -> BoxFuture<'_, ()>;
    /// Lets peers in until the listener is closed.
    fn serve(&self, first: usize, hall: Arc<Hall>) -> BoxFuture<'static, ()>;
}

#[derive(Debug)]
struct Serving<L>(L);

/// A listener whose type is forgotten.
pub(crate) fn serving(listener: impl Listener) -> Box<dyn Served> {
    Box::new(Serving(listener))
}

impl<L: Listener> Served for Serving<L> {
    fn addrs(&self) -> &[SocketAddr] {
        self.0.local_addrs()
    }

    fn missing(&self) -> &[SocketAddr] {
        self.0.missing_addrs()
    }

    fn runtimes(&self) -> Vec<Handle> {
        self.0.runtimes()
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        self.0.fingerprints()
    }

    fn show(&self, identity: Identity) {
        self.0.set_certificate(identity);
    }

    fn close(&self, code: u32, reason: &str) {
        self.0.close(code, reason);
    }

    fn idle(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.wait_idle())
    }

    fn serve(&self, first: usize, hall: Arc<Hall>) -> BoxFuture<'static, ()> {
        Box::pin(sessions::serve(self.0.clone(), first, hall))
    }
}
